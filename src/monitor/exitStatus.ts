/** Exit codes that BOINC's client and wrappers give a meaning (`lib/error_numbers.h`, `lib/common_defs.h`). */
const MEANINGS: Readonly<Record<number, string>> = {
	126: 'the command could not be executed',
	127: 'the command was not found in the image',
	192: 'the client could not write its state file',
	193: 'the program was killed by a signal',
	194: 'the client aborted the task',
	195: 'a program started by the wrapper failed',
	196: 'the task used more disk than its limit',
	197: 'the task ran longer than its limit',
	198: 'the task used more memory than the host allows',
	199: 'the client was ending',
	200: 'the task was not started before its deadline',
	201: 'a GPU was missing',
	202: 'the job was cancelled',
	203: 'the volunteer aborted the task',
	204: 'the client does not know why',
	205: 'the program ran out of memory',
	206: 'the task could not be initialised',
	207: 'there was no sub-task to run',
	208: 'a sub-task failed',
	209: 'the task was overdue for too long',
	[-102]: 'a file could not be read',
	[-103]: 'a file could not be written',
	[-106]: 'an input or output error',
	[-107]: 'no connection',
	[-108]: 'a file could not be opened',
	[-112]: 'an XML file could not be read',
	[-114]: 'the client gave up downloading',
	[-115]: 'the client gave up uploading',
	[-118]: 'a text was too long',
	[-119]: 'a downloaded file has another MD5 than announced',
	[-120]: 'the signature of a program file is wrong',
	[-123]: 'a program file has no signature',
	[-127]: 'an upload failed for the moment',
	[-128]: 'an upload failed for good',
	[-131]: 'the result is larger than its limit',
	[-147]: 'the client could not start a process',
	[-148]: 'the client could not execute the program',
	[-161]: 'something was not found',
	[-163]: 'a file is missing',
	[-178]: 'an invalid parameter',
	[-182]: 'the virtual machine stopped answering',
	[-185]: 'the task could not be started',
	[-186]: 'the inputs could not be downloaded',
	[-187]: 'the result could not be uploaded',
	[-197]: 'the volunteer aborted the task',
	[-198]: 'the host lacks a resource',
	[-200]: 'a downloaded file has another size than announced',
	[-221]: 'the job was cancelled',
	[-224]: 'a file is not on the server',
	[-226]: 'the program ended too often without finishing',
	[-233]: 'the task was not started before its deadline',
};

/** The largest number of a signal that ends programs; shells report 128 more. */
const LAST_SIGNAL = 31;

/**
 * An exit status in words, with both readings where a negative code of a wrapper may have been stored modulo 256.
 * `wrapped` codes are ambiguous: a program may also exit with that number itself.
 */
export function explainExitStatus(status: number): string {
	const known = MEANINGS[status];
	if (known !== undefined) {
		return `exit code ${status}: ${known}`;
	}
	const negative = MEANINGS[status - 256];
	const wrapped = status > 0 && negative !== undefined ? `; if a wrapper ended with ${status - 256}: ${negative}` : '';
	const signal = status - 128;
	if (signal > 0 && signal <= LAST_SIGNAL) {
		return `exit code ${status}: the program was killed by signal ${signal}${wrapped}`;
	}
	if (status < -255 || status > 255) {
		return `exit code 0x${(status >>> 0).toString(16).toUpperCase()}`;
	}
	return `exit code ${status} of the program${wrapped}`;
}

const ERROR_MASK: readonly (readonly [number, string])[] = [
	[1, 'no instance could be sent'],
	[2, 'its instances failed too often'],
	[4, 'too many instances finished without agreeing'],
	[8, 'no further try was allowed'],
	[16, 'it was cancelled'],
	[32, 'no instance was accepted as the result'],
];

/** The bits of `workunit.error_mask` in words; empty for 0. */
export function explainErrorMask(mask: number): string {
	const words = ERROR_MASK.filter(([bit]) => (mask & bit) !== 0).map(([, text]) => text);
	return words.join('; ');
}
