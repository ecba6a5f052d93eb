import { abortError } from './errors.js';

/**
 * What the lower rooms need from whoever runs them. `editor/` and `cli.ts` implement these; tests use the plain
 * implementations at the end.
 */
export interface Log {
	/** The user saw this as an error. */
	error(message: string): void;
	/** Something is degraded but goes on. */
	warn(message: string): void;
	/** One line an operation. */
	info(message: string): void;
	/** Decisions. */
	debug(message: string): void;
	/** The wire. */
	trace(message: string): void;
}

export interface Clock {
	/** Milliseconds since the epoch. */
	now(): number;
	/** Resolves after `ms` milliseconds; rejects with an `AbortError` when `signal` fires. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface ProgressUpdate {
	/** What is being done now, in the user's words: "Sending 3 of 7 packs". */
	readonly message: string;
	/** How much of `total` is done, in `unit`; both absent while unknown. */
	readonly current?: number;
	readonly total?: number;
	readonly unit?: 'bytes' | 'items';
}

export interface Progress {
	report(update: ProgressUpdate): void;
}

/** Where passwords and passphrases are kept. Keys come from `common/ids.ts`. */
export interface SecretStore {
	get(key: string): Promise<string | undefined>;
	set(key: string, value: string): Promise<void>;
	delete(key: string): Promise<void>;
}

export interface Question {
	readonly title: string;
	readonly message: string;
	/** Longer text: a fingerprint, a plan. */
	readonly detail?: string;
}

/** Questions to the person. Each resolves to `undefined` or `false` when the person backs out. */
export interface Prompts {
	/** Asks for text that must not be seen. The caller keeps it in the secret store. */
	secret(question: Question): Promise<string | undefined>;
	/** Asks for visible text (keyboard-interactive prompts that echo). */
	text(question: Question): Promise<string | undefined>;
	/** Asks to go on. `accept` is the word on the button. */
	confirm(question: Question & { readonly accept: string }): Promise<boolean>;
}

/** Everything a long operation takes besides its subject. */
export interface OperationContext {
	readonly log: Log;
	readonly progress: Progress;
	readonly clock: Clock;
	readonly signal?: AbortSignal;
}

export const silentLog: Log = { error() {}, warn() {}, info() {}, debug() {}, trace() {} };
export const silentProgress: Progress = { report() {} };

export const systemClock: Clock = {
	now: () => Date.now(),
	sleep: (ms, signal) =>
		new Promise((resolve, reject) => {
			const fail = (): void => {
				clearTimeout(timer);
				reject(abortError());
			};
			if (signal?.aborted) {
				reject(abortError());
				return;
			}
			const timer = setTimeout(() => {
				signal?.removeEventListener('abort', fail);
				resolve();
			}, ms);
			signal?.addEventListener('abort', fail, { once: true });
		}),
};

/** A context for callers that want neither progress nor log: tests and small scripts. */
export function quietContext(signal?: AbortSignal): OperationContext {
	return { log: silentLog, progress: silentProgress, clock: systemClock, ...(signal && { signal }) };
}
