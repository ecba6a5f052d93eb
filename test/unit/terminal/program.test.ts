import { afterEach, expect, it, vi } from 'vitest';

import { runProgram } from '../../../src/terminal/program.js';

afterEach(() => {
	vi.restoreAllMocks();
});

it('says wrong usage as one JSON object where that is wanted', async () => {
	const printed = vi.spyOn(console, 'log').mockReturnValue();
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
	expect(await runProgram(['submit', '.', '--cuont', '3', '--json'], '1.0')).toBe(2);
	expect(printed.mock.calls.map(([text]) => JSON.parse(String(text)) as unknown)).toMatchObject([
		{ error: { code: 'usage', message: expect.stringMatching(/^unknown option '--cuont'/) as string } },
	]);
	printed.mockClear();
	expect(await runProgram(['retry', '3', '--memory', 'much', '--json'], '1.0')).toBe(2);
	expect(await runProgram(['packs', '--remove-unused', '--older-than', 'long', '--json'], '1.0')).toBe(2);
	expect(printed.mock.calls.map(([text]) => JSON.parse(String(text)) as unknown)).toMatchObject([
		{ error: { message: '--memory: “much” is not a size.' } },
		{ error: { message: '--older-than: “long” is not a duration.' } },
	]);
	printed.mockClear();
	expect(await runProgram(['submit', '.', '--cuont', '3'], '1.0')).toBe(2);
	expect(printed).not.toHaveBeenCalled();
});

it('says when words behind the image, which are its command, look like options of its own', async () => {
	const said = vi.spyOn(console, 'error').mockReturnValue();
	expect(await runProgram(['run', '--local', 'no-such-file.yml', '--job', '1'], '1.0')).not.toBe(0);
	expect(said.mock.calls[0]?.[0]).toBe('The command of the job is “--job 1”: options of boinc2docker stand before the image.');
	said.mockClear();
	expect(await runProgram(['run', '--local', 'no-such-file.yml', 'sh', '--job'], '1.0')).not.toBe(0);
	expect(said.mock.calls.flat().join()).not.toContain('options of boinc2docker');
});

it('takes one value for an option that may be repeated, as docker does', async () => {
	const said = vi.spyOn(console, 'error').mockReturnValue();
	const words = ['-e', 'A=1', '--build-arg', 'B=2', '--input', 'c', 'no-such-folder', '-e', 'D'];
	expect(await runProgram(['submit', ...words, '--preview'], '1.0')).toBe(2);
	expect(said.mock.calls[0]?.[0]).toBe('--preview shows the jobs of a job file.');
	said.mockClear();
	expect(await runProgram(['run', '-e', 'A=1', '--local', 'no-such-file.yml'], '1.0')).not.toBe(0);
	expect(said.mock.calls.flat().join()).toContain('no-such-file.yml');
});
