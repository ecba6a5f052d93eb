import { describe, expect, it } from 'vitest';

import { wrapLines } from '../../../src/monitor/explain/explanation.js';
import { failureCause, signatureOf } from '../../../src/monitor/explain/failureCause.js';

const log = (container: string, message = ''): string =>
	`<core_client_version>8.2.4</core_client_version>\n<![CDATA[\n<message>\n${message}\n</message>\n<stderr_txt>\nwrapper: here\nstderr from container:\n${container}\nstderr end\n</stderr_txt>\n]]>\n`;
const failed = (exitStatus: number, text = '', more: Partial<Parameters<typeof failureCause>[0]> = {}) =>
	failureCause({ outcome: 3, clientState: 3, validateState: 2, exitStatus, log: text, ...more });

it('long lines are broken between words and indented', () => {
	const lines = wrapLines([`✗ ${'word '.repeat(40)}end`, '    short', 'x'.repeat(150)]);
	expect(lines.slice(0, 3).every((line) => line.length <= 100)).toBe(true);
	expect(lines[1]).toMatch(/^ {2}word/);
	expect(lines.slice(-2)).toEqual(['    short', 'x'.repeat(150)]);
	expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain('word end');
});

describe('the cause of a failure', () => {
	it.each([
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
		[202, 'cancelled'],
		[203, 'aborted-by-volunteer'],
		[205, 'out-of-memory'],
		[206, 'start-failed'],
		[208, 'wrapper-failed'],
		[209, 'not-started'],
		[-131, 'output-too-big'],
		[-186, 'download-error'],
		[-119, 'download-error'],
		[-224, 'download-error'],
		[-187, 'upload-error'],
		[-182, 'machine-failed'],
		[74, 'machine-failed'], // -182 modulo 256
		[-185, 'start-failed'],
		[-197, 'aborted-by-volunteer'],
		[-226, 'too-many-restarts'],
		[-233, 'not-started'],
		[0, 'unknown-failure'],
		[-1073741819, 'unknown-failure'], // 0xC0000005
	])('of exit status %d is %s', (status, kind) => {
		const cause = failed(status);
		expect(cause.kind).toBe(kind);
		expect(cause.what).not.toBe('');
		expect(cause.remedy === undefined).toBe(kind === 'cancelled');
	});

	it.each([
		[{ outcome: 1, validateState: 2 }, 'invalid'],
		[{ outcome: 1, validateState: 5 }, 'too-late'],
		[{ outcome: 2 }, 'not-sent'],
		[{ outcome: 4 }, 'no-reply'],
		[{ outcome: 6 }, 'validator-refused'],
		[{ outcome: 7 }, 'host-left'],
		[{ clientState: 1 }, 'download-error'],
		[{ clientState: 7 }, 'upload-error'],
	])('of %o is %s', (more, kind) => {
		expect(failed(0, '', more).kind).toBe(kind);
	});

	it('believes what the runner said more than the number, and has its numbers', () => {
		const memory = failed(
			205,
			log('boinc2docker: The program was stopped: it used 1250 MB of memory, and the job may use 1000 MB.'),
		);
		expect(memory).toMatchObject({ kind: 'out-of-memory', numbers: { usedMb: 1250, limitMb: 1000 } });
		const time = failed(197, log('The program was stopped: it has run for 3600 s, which is the limit of the job.'));
		expect(time).toMatchObject({ kind: 'time-limit', numbers: { seconds: 3600 } });
		const output = failed(
			1,
			log('The packed results are bigger than the 20000 bytes that the job may return, so they are dropped.'),
		);
		expect(output).toMatchObject({ kind: 'output-too-big', numbers: { limitBytes: 20000 } });
	});

	it('reads errors of transfers with the name of the file', () => {
		const text = (code: number): string =>
			log(
				'',
				`<file_xfer_error>\n<file_name>b2d_1_0_r1_0</file_name>\n<error_code>${code} (why)</error_code>\n</file_xfer_error>`,
			);
		expect(failed(0, text(-131)).kind).toBe('output-too-big');
		expect(failed(0, text(-224))).toMatchObject({ kind: 'download-error', line: 'b2d_1_0_r1_0', numbers: { code: -224 } });
		expect(failed(0, text(-128))).toMatchObject({ kind: 'upload-error', numbers: { code: -128 } });
	});

	it('knows a full disk and a missing engine by their words', () => {
		expect(failed(1, log('cp: write error: No space left on device')).kind).toBe('disk-limit');
		expect(failed(1, log('Cannot connect to the Docker daemon at unix:///var/run/docker.sock.')).kind).toBe('engine-failed');
	});

	it('shows the last line that the program said', () => {
		expect(failed(3, log('starting\nValueError: bad input 17\n\n')).line).toBe('ValueError: bad input 17');
	});

	it('takes lines that differ in numbers only for the same', () => {
		expect(signatureOf('b2d_7_000012_0: row 17 at 0xff is 1.5')).toBe(signatureOf('b2d_9_000001_1: row 3 at 0x1a is 22.75'));
		expect(signatureOf('KeyError: a')).not.toBe(signatureOf('KeyError: b'));
	});
});
