import { BoincError, messageOf } from '../../common/errors.js';
import { systemClock } from '../../common/ports.js';
import { type Session, terminalFor, withProject } from '../session.js';
import { printable } from '../table.js';
import type { SubmitOptions } from './jobOptions.js';

const PAUSE_MS = 60_000;

/** Whether a submission that failed so may go well when it is tried again later. */
export const mayPass = (error: unknown): boolean =>
	BoincError.is(error, 'connection-lost', 'server-unreachable', 'database-unreachable', 'timeout', 'submit-running');

/**
 * Runs a submission; one that refills a batch goes on over lost connections, such as when the computer slept. What exists is
 * not made again, and nobody is asked twice.
 */
export async function keepSubmitting(
	options: SubmitOptions,
	submit: (session: Session, options: SubmitOptions, begun: () => void) => Promise<number>,
): Promise<number> {
	const state = { hasBegun: false };
	for (;;) {
		const current = state.hasBegun ? { ...options, yes: true } : options;
		try {
			return await withProject(current, (session) =>
				submit(session, current, () => {
					state.hasBegun = true;
				}),
			);
		} catch (error) {
			if (!mayPass(error) || !state.hasBegun || options.refill === undefined) {
				throw error;
			}
			terminalFor(options).line(printable(`${messageOf(error)} Trying again in ${PAUSE_MS / 1000} s.`));
			await systemClock.sleep(PAUSE_MS);
		}
	}
}
