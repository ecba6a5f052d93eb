import { BoincError, type ErrorCode, isAbort } from '../common/errors.js';

/** Exit codes of the command line. They are part of its interface: scripts test them. */
export const EXIT = {
	ok: 0,
	failed: 1,
	usage: 2,
	/** Something on this computer is missing: a container engine, a package. */
	missing: 3,
	/** The server cannot be reached or refuses the login. */
	unreachable: 4,
	/** The command worked, but jobs failed. */
	jobsFailed: 5,
	/** Somebody cancelled. */
	cancelled: 130,
} as const;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
	usage: EXIT.usage,
	'target-invalid': EXIT.usage,
	'job-file-invalid': EXIT.usage,
	'job-invalid': EXIT.usage,
	'engine-missing': EXIT.missing,
	'package-missing': EXIT.missing,
	'server-unreachable': EXIT.unreachable,
	'host-key-unknown': EXIT.unreachable,
	'host-key-changed': EXIT.unreachable,
	'host-key-revoked': EXIT.unreachable,
	'authentication-failed': EXIT.unreachable,
	'connection-lost': EXIT.unreachable,
	timeout: EXIT.unreachable,
};

export function exitCodeOf(error: unknown): number {
	if (isAbort(error)) {
		return EXIT.cancelled;
	}
	return (BoincError.is(error) ? BY_CODE[error.code] : undefined) ?? EXIT.failed;
}
