import type { OperationContext } from '../../common/ports.js';
import { run } from '../../connection/run.js';
import type { Project } from '../project.js';

/** The feeder looks every 5 seconds, and is slow on a loaded machine. */
const TIMEOUT_MS = 30_000;
const POLL_MS = 500;

/**
 * Asks the feeder to read apps, versions and platforms again, and waits until it took the request: that proves that it
 * lives. Resolves to a note for the report when it did not, with what follows from that; nothing when it did.
 */
export async function waitForFeeder(
	project: Project,
	changed: boolean,
	consequence: string,
	ctx: OperationContext,
): Promise<string[]> {
	const trigger = `${project.root}/reread_db`;
	const exists = async (): Promise<boolean> =>
		(await project.connection.exec(['test', '-e', trigger], { timeoutMs: 20_000, ...(ctx.signal && { signal: ctx.signal }) }))
			.code === 0;
	if (changed) {
		await run(project.connection, ['touch', trigger], { doing: `write ${trigger}` });
	}
	ctx.progress.report({ message: 'Waiting until the scheduler knows the app' });
	const deadline = ctx.clock.now() + TIMEOUT_MS;
	while (await exists()) {
		if (ctx.clock.now() > deadline) {
			return [
				`The feeder has not read the tables again after ${TIMEOUT_MS / 1000} seconds: ${consequence}. Look at ${project.config.logDir}/feeder.log.`,
			];
		}
		await ctx.clock.sleep(POLL_MS, ctx.signal);
	}
	return [];
}
