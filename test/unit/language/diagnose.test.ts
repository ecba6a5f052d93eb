import { expect, it } from 'vitest';

import { diagnose, isAppFile } from '../../../src/language/diagnose.js';

it('knows its files by their names', () => {
	expect(
		['file:///a/boinc2docker.yml', 'file:///boinc2docker.yaml', 'file:///a/other.yml', 'file:///a/boinc2docker.yml.bak'].map(
			isAppFile,
		),
	).toEqual([true, true, false, false]);
});

it('finds nothing wrong in a good file', async () => {
	expect(await diagnose('appname: pi\nappver: "1.00"\nimage: alpine\n')).toEqual([]);
});

it('marks the line of a wrong value, without the name of the file', async () => {
	const [found, ...others] = await diagnose('# comment\n\nappname: "not a name"  \r\nappver: 1.00\n');
	expect(others).toEqual([]);
	expect(found).toMatchObject({
		severity: 1,
		source: 'boinc2docker',
		code: 'config-invalid',
		range: { start: { line: 2, character: 0 }, end: { line: 2, character: 21 } },
	});
	expect(found?.message).toMatch(/^appname: it may hold letters/);
});

it('marks a line that is not YAML', async () => {
	const [found] = await diagnose('appname: pi\n\tbad: [\n');
	expect(found?.range.start.line).toBeGreaterThan(0);
});
