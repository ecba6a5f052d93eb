/** Bits of `workunit.error_mask` (BOINC's `WU_ERROR_…`). */
export const ERROR_BIT = {
	couldntSend: 1,
	tooManyErrors: 2,
	tooManySuccesses: 4,
	tooManyInstances: 8,
	cancelled: 16,
	noCanonicalResult: 32,
} as const;

/**
 * A job that had failed keeps running instances where a job has several, and BOINC's scheduler calls these back only under the bit "cancelled". So
 * that it remains a failed job, the bit "no canonical result" is set before: BOINC's assimilator alone sets it, and only for jobs whose canonical result is missing.
 */
const CALLED_BACK = ERROR_BIT.cancelled | ERROR_BIT.noCanonicalResult;

/** Whether a job without a result was cancelled before it had failed. */
export const wasCancelled = (mask: number): boolean => (mask & CALLED_BACK) === ERROR_BIT.cancelled;

/** Whether what is left of a job was called back. */
export const isCalledBack = (mask: number): boolean => (mask & ERROR_BIT.cancelled) !== 0;

/** `wasCancelled` as a condition on `workunit`. */
export const CANCELLED = `error_mask & ${CALLED_BACK} = ${ERROR_BIT.cancelled}`;

/** Jobs that BOINC gave up, as a condition on `workunit`; those whose instances were called back later are among them. */
export const GIVEN_UP = `canonical_resultid = 0 AND error_mask <> 0 AND error_mask & ${CALLED_BACK} <> ${ERROR_BIT.cancelled}`;
