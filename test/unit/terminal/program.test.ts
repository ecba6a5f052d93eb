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
	expect(await runProgram(['submit', '.', '--cuont', '3'], '1.0')).toBe(2);
	expect(printed).not.toHaveBeenCalled();
});
