/** The numbers that the database keeps, by name. */
export const SERVER_STATE = { inactive: 1, unsent: 2, inProgress: 4, over: 5 } as const;
export const OUTCOME = {
	none: 0,
	success: 1,
	couldntSend: 2,
	clientError: 3,
	noReply: 4,
	didntNeed: 5,
	validateError: 6,
	clientDetached: 7,
} as const;
export const VALIDATE_STATE = { init: 0, valid: 1, invalid: 2, noCheck: 3, inconclusive: 4, tooLate: 5 } as const;
export const ASSIMILATE_STATE = { init: 0, ready: 1, done: 2 } as const;
export const FILE_DELETE_STATE = { init: 0, ready: 1, done: 2, error: 3 } as const;
export const ERROR_MASK = { couldntSend: 1, tooManyErrors: 2, tooManySuccesses: 4, tooManyTotal: 8, cancelled: 16 } as const;
/** `transitioner_flags` of targeted jobs: the scheduler makes their instances. */
export const NO_NEW_RESULTS = 2;
/** `transitioner_flags` of broadcast jobs: the transitioner leaves them alone. */
export const NO_TRANSITION = 1;
/** `transition_time` of a finished job. */
export const NEVER = 2_147_483_647;
/** `exit_status` of a task that the volunteer aborted; it does not count as an error. */
export const ABORTED_BY_VOLUNTEER = 203;
