import { plural } from '../../common/format.js';

/** What keeps a job waiting. */
export type WaitingKind =
	| 'project-stopped'
	| 'sending-off'
	| 'daemon-down'
	| 'database-late'
	| 'being-submitted'
	| 'just-created'
	| 'targeted'
	| 'no-app-version'
	| 'app-deprecated'
	| 'plan-class-undefined'
	| 'no-host'
	| 'no-host-fits'
	| 'hosts-lost'
	| 'hosts-fit'
	| 'queue-ahead'
	| 'retrying'
	| 'on-hosts'
	| 'overdue'
	| 'no-validator'
	| 'validating'
	| 'quorum'
	| 'no-assimilator'
	| 'collecting'
	| 'nothing-waits';

/** Why an instance or a job came to a bad end. */
export type FailureKind =
	| 'out-of-memory'
	| 'time-limit'
	| 'disk-limit'
	| 'output-too-big'
	| 'download-error'
	| 'upload-error'
	| 'command-not-found'
	| 'command-not-executable'
	| 'killed-by-signal'
	| 'program-failed'
	| 'engine-failed'
	| 'start-failed'
	| 'machine-failed'
	| 'wrapper-failed'
	| 'not-started'
	| 'too-many-restarts'
	| 'aborted-by-volunteer'
	| 'aborted-by-client'
	| 'cancelled'
	| 'no-reply'
	| 'host-left'
	| 'validator-refused'
	| 'invalid'
	| 'too-late'
	| 'not-sent'
	| 'unknown-failure'
	| 'limit-of-errors'
	| 'limit-of-instances'
	| 'limit-of-successes'
	| 'nothing-failed';

/** An instance that shows what an explanation is about. */
export interface Example {
	readonly instanceId: number;
	readonly name: string;
	readonly hostId: number;
	/** The line of its log that tells most; may be empty. */
	readonly line: string;
}

/** One reason, with the numbers that its sentence names. */
export interface Explanation {
	readonly kind: WaitingKind | FailureKind;
	/** `error`: nothing goes on until somebody acts. `warning`: it is slower or worse than it could be. `info`: as it should be. */
	readonly level: 'error' | 'warning' | 'info';
	readonly numbers: Readonly<Record<string, number>>;
	readonly sentence: string;
	/** What to do; absent when there is nothing to be done. */
	readonly remedy?: string;
	/** Parts of a sum, such as the hosts lost at each condition. */
	readonly details?: readonly string[];
	readonly examples?: readonly Example[];
}

/** What is explained. */
export type Subject =
	| { readonly kind: 'batch'; readonly id: number }
	| { readonly kind: 'job'; readonly id: number }
	| { readonly kind: 'instance'; readonly id: number };

const ORDER = { error: 0, warning: 1, info: 2 } as const;

/** The gravest first; otherwise as they were. */
export function byLevel(explanations: readonly Explanation[]): Explanation[] {
	return explanations.toSorted((a, b) => ORDER[a.level] - ORDER[b.level]);
}

/** `1 host`, `3 of 7 hosts`. */
export const ofHosts = (count: number, total: number): string =>
	count === total ? (total === 1 ? 'the only host' : `all ${plural(total, 'host')}`) : `${count} of ${plural(total, 'host')}`;

const MARKS = { error: '✗', warning: '!', info: '·' } as const;

/** Explanations as lines of text: sentence, parts, remedy, examples. */
export function formatExplanations(explanations: readonly Explanation[]): string[] {
	return explanations.flatMap(({ level, sentence, remedy, details = [], examples = [] }) => [
		`${MARKS[level]} ${sentence}`,
		...details.map((detail) => `    ${detail}`),
		...(remedy === undefined ? [] : [`  → ${remedy}`]),
		...examples.map(({ name, hostId, line }) => `    ${name} on host ${hostId}${line === '' ? '' : `: ${line}`}`),
	]);
}

/** Breaks long lines between words; what goes on is indented as far as the text of its line. */
export function wrapLines(lines: readonly string[], width = 90): string[] {
	return lines.flatMap((line) => {
		const indent = ' '.repeat(/^[\s✗!·→]*/.exec(line)?.[0].length ?? 0);
		const wrapped: string[] = [];
		let rest = line;
		while (rest.length > width) {
			const at = rest.lastIndexOf(' ', width);
			if (at <= indent.length) {
				break;
			}
			wrapped.push(rest.slice(0, at));
			rest = `${indent}${rest.slice(at + 1)}`;
		}
		return [...wrapped, rest];
	});
}
