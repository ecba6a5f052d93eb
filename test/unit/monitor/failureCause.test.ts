import { describe, expect, it } from 'vitest';

import { wrapLines } from '../../../src/monitor/explain/explanation.js';
import { failureCause, signatureOf } from '../../../src/monitor/explain/failureCause.js';
import { CODES, ENDS, WORDS } from './failedEnds.js';

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
	it.each(CODES)('of exit status %d is %s', (status, kind) => {
		const cause = failed(status);
		expect(cause.kind).toBe(kind);
		expect(cause.what).not.toBe('');
		expect(cause.remedy === undefined).toBe(kind === 'cancelled');
	});

	it.each(ENDS)('of %o is %s', (more, kind) => {
		expect(failed(0, '', more).kind).toBe(kind);
	});

	it('shows the last line of the log, but not where the end came from outside', () => {
		expect(failed(1, log('step 1\nstep 2')).line).toBe('step 2');
		expect(failed(203, log('step 1\nstep 2')).line).toBe('step 2');
		expect(failed(202, log('step 1\nstep 2')).line).toBe('');
		expect(failed(0, log('step 1\nstep 2'), { outcome: 4 }).line).toBe('');
	});

	it.each([
		'Error response from daemon: could not select device driver "" with capabilities: [[gpu]]',
		'Error: unknown flag: --gpus',
		'Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all',
		'boinc2docker: The container has no GPU of NVIDIA: the container engine of this host is not set up for it.',
	])('is an engine without GPUs where it said %s', (said) => {
		const cause = failed(1, log(said));
		expect(cause).toMatchObject({ kind: 'engine-failed', what: 'could not use the host’s GPU in a container' });
		expect(cause.remedy).toContain('NVIDIA Container Toolkit');
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

	it.each(WORDS)('of a log that says “%s” is %s', (words, kind) => {
		expect(failed(1, log(words)).kind).toBe(kind);
	});

	it('shows the last line that the program said', () => {
		expect(failed(3, log('starting\nValueError: bad input 17\n\n')).line).toBe('ValueError: bad input 17');
	});

	it('takes lines that differ in numbers only for the same', () => {
		expect(signatureOf('b2d_7_000012_0: row 17 at 0xff is 1.5')).toBe(signatureOf('b2d_9_000001_1: row 3 at 0x1a is 22.75'));
		expect(signatureOf('KeyError: a')).not.toBe(signatureOf('KeyError: b'));
	});
});
