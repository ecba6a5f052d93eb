import type { FailureKind } from '../../../src/monitor/explain/explanation.js';

/** Exit statuses that hosts report, and what the failure is called when the log says nothing. */
export const CODES: readonly (readonly [exitStatus: number, kind: FailureKind])[] = [
	[1, 'program-failed'],
	[126, 'command-not-executable'],
	[127, 'command-not-found'],
	[134, 'killed-by-signal'],
	[137, 'out-of-memory'],
	[193, 'killed-by-signal'],
	[194, 'aborted-by-client'],
	[195, 'wrapper-failed'],
	[196, 'disk-limit'],
	[197, 'time-limit'],
	[198, 'out-of-memory'],
	[199, 'aborted-by-client'],
	[200, 'not-started'],
	[201, 'start-failed'],
	[202, 'cancelled'],
	[203, 'aborted-by-volunteer'],
	[205, 'out-of-memory'],
	[206, 'start-failed'],
	[207, 'wrapper-failed'],
	[208, 'wrapper-failed'],
	[209, 'not-started'],
	[-131, 'output-too-big'],
	[-186, 'download-error'],
	[-119, 'download-error'],
	[-224, 'download-error'],
	[-187, 'upload-error'],
	[-148, 'start-failed'],
	[-182, 'machine-failed'],
	[74, 'machine-failed'], // -182 modulo 256
	[-185, 'start-failed'],
	[-197, 'aborted-by-volunteer'],
	[-221, 'cancelled'],
	[-226, 'too-many-restarts'],
	[-233, 'not-started'],
	[0, 'unknown-failure'],
	[-1073741819, 'unknown-failure'], // 0xC0000005
];

/** What programs, engines and our runner say before they end with 1. */
export const WORDS: readonly (readonly [words: string, kind: FailureKind])[] = [
	['cp: write error: No space left on device', 'disk-limit'],
	['Cannot connect to the Docker daemon at unix:///var/run/docker.sock.', 'engine-failed'],
];

/** Ends that other columns than the exit status tell of. */
export const ENDS: readonly (readonly [
	columns: { readonly outcome?: number; readonly clientState?: number; readonly validateState?: number },
	kind: FailureKind,
])[] = [
	[{ outcome: 1, validateState: 2 }, 'invalid'],
	[{ outcome: 1, validateState: 5 }, 'too-late'],
	[{ outcome: 2 }, 'not-sent'],
	[{ outcome: 4 }, 'no-reply'],
	[{ outcome: 6 }, 'validator-refused'],
	[{ outcome: 7 }, 'host-left'],
	[{ clientState: 1 }, 'download-error'],
	[{ clientState: 7 }, 'upload-error'],
];
