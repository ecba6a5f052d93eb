/**
 * Every error that a user can meet. The code is the contract: callers and tests compare codes, never message texts.
 * Grouped by the room that raises them.
 */
export type ErrorCode =
	// connection
	| 'server-unreachable'
	| 'host-key-unknown'
	| 'host-key-changed'
	| 'host-key-revoked'
	| 'authentication-failed'
	| 'connection-lost'
	| 'timeout'
	| 'command-failed'
	| 'command-not-found'
	| 'argument-invalid'
	| 'channel-refused'
	| 'permission-denied'
	| 'file-not-found'
	| 'disk-full'
	| 'transfer-corrupt'
	| 'target-invalid'
	// project
	| 'project-not-found'
	| 'project-unreadable'
	| 'config-invalid'
	| 'database-unreachable'
	| 'database-refused'
	| 'tool-missing'
	| 'tool-failed'
	| 'app-missing'
	| 'app-incomplete'
	| 'daemon-down'
	| 'file-collision'
	| 'install-failed'
	| 'wrapper-missing'
	| 'wrapper-changed'
	| 'download-failed'
	| 'conflicting-change'
	// image
	| 'engine-missing'
	| 'engine-failed'
	| 'build-failed'
	| 'image-not-found'
	| 'image-invalid'
	| 'image-empty'
	| 'image-unsupported'
	| 'registry-refused'
	| 'archive-corrupt'
	// job
	| 'job-file-invalid'
	| 'job-invalid'
	| 'input-missing'
	| 'submit-failed'
	| 'submit-incomplete'
	| 'submit-running'
	| 'submit-former'
	| 'canary-failed'
	| 'batch-missing'
	// monitor
	| 'result-missing'
	| 'result-corrupt'
	| 'file-in-the-way'
	// sandbox
	| 'sandbox-failed'
	| 'package-missing'
	| 'usage';

export interface BoincErrorInit {
	/** What a person can do about it: one or two sentences in the imperative. */
	readonly remedy?: string;
	/** Facts for tests, logs and the troubleshooting table; never secrets. */
	readonly detail?: Readonly<Record<string, string | number | boolean | undefined>>;
	readonly cause?: unknown;
}

/** An error that says what failed, where and why (`message`) and what to do (`remedy`). */
export class BoincError extends Error {
	override readonly name = 'BoincError';
	readonly code: ErrorCode;
	readonly remedy: string | undefined;
	readonly detail: Readonly<Record<string, string | number | boolean | undefined>>;

	constructor(code: ErrorCode, message: string, init: BoincErrorInit = {}) {
		super(message, init.cause === undefined ? undefined : { cause: init.cause });
		this.code = code;
		this.remedy = init.remedy;
		this.detail = init.detail ?? {};
	}

	/**
	 * Whether `error` is ours and, if codes are given, has one of them. Goes by the name, not by the class: the editor and
	 * the rooms that it loads on first use are two programs with a copy of the class each.
	 */
	static is(error: unknown, ...codes: readonly ErrorCode[]): error is BoincError {
		return (
			error instanceof Error &&
			error.name === 'BoincError' &&
			'code' in error &&
			(codes.length === 0 || codes.some((code) => code === error.code))
		);
	}
}

/** Whether `error` says that somebody cancelled. Cancellation is never shown as an error. */
export function isAbort(error: unknown): boolean {
	return error instanceof Error && error.name === 'AbortError';
}

/** The error to throw when `signal` fired. */
export function abortError(): Error {
	const error = new Error('Cancelled');
	error.name = 'AbortError';
	return error;
}

/** Throws an `AbortError` if `signal` has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
	if (signal?.aborted) {
		throw abortError();
	}
}

/** The message of anything thrown, for a log line or as the reason inside another message. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
