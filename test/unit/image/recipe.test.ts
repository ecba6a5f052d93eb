import { describe, expect, it } from 'vitest';

import { dockerfileFor, imageName, leftToRunner } from '../../../src/image/recipe.js';

const id = 'ab'.repeat(32);
const recipe = (env: readonly string[], workingDir = ''): string =>
	dockerfileFor({ id, config: { env, workingDir }, packs: ['b2d_pack_1.tar.gz', 'b2d_pack_2.tar.gz'] });

describe('the recipe', () => {
	it('unpacks all packs in order in one step and starts the runner as root', () => {
		expect(recipe(['PATH=/bin', 'A=b c'], '/work')).toBe(
			[
				'FROM scratch',
				'ADD b2d_pack_1.tar.gz b2d_pack_2.tar.gz /',
				`LABEL org.boinc.boinc2docker.image=${id}`,
				'ENV PATH="/bin" \\',
				'    A="b c"',
				'WORKDIR /work',
				'USER 0',
				'ENTRYPOINT ["/boinc/busybox","sh","/boinc/runner"]',
				'',
			].join('\n'),
		);
	});

	it('takes another entry point', () => {
		const text = dockerfileFor(
			{ id, config: { env: [], workingDir: '' }, packs: ['p'] },
			{ entrypoint: ['/x', 'with "quotes"'] },
		);
		expect(text).toContain(String.raw`ENTRYPOINT ["/x","with \"quotes\""]`);
		expect(text).not.toMatch(/ENV|WORKDIR/);
	});

	it.each([
		['quotes', `Q='a' "b"`, String.raw`ENV Q="'a' \"b\""`],
		['a variable', 'V=$HOME and ${X:-y}', String.raw`ENV V="\$HOME and \${X:-y}"`],
		['backslashes', String.raw`B=a\b\\`, String.raw`ENV B="a\\b\\\\"`],
		['nothing', 'E=', 'ENV E=""'],
		['equals signs', 'X=a=b=c', 'ENV X="a=b=c"'],
		['unicode', 'U=grüße 🎉', 'ENV U="grüße 🎉"'],
		['a hash', 'H=# no comment', 'ENV H="# no comment"'],
	])('quotes values with %s', (_, pair, line) => {
		expect(recipe([pair]).split('\n')).toContain(line);
	});

	it.each([
		['a line break', 'N=a\nRUN evil'],
		['a carriage return', 'N=a\rb'],
		['a strange name', 'BASH_FUNC_x%%=() { :; }'],
		['no name', '=x'],
		['no value', 'x'],
		['a blank in the name', 'A B=c'],
		['a word that docker_wrapper takes for a failure', 'ON=Error'],
		['more than a line holds', `L=${'x'.repeat(70_000)}`],
	])('leaves a variable with %s to the runner', (_, pair) => {
		expect(recipe([pair, 'OK=1'])).toContain('\nENV OK="1"\n');
		expect(leftToRunner({ env: [pair, 'OK=1'], workingDir: '' }).env).toEqual([pair]);
	});

	it.each(['relative', '/with blank', '/$HOME', '/a"b', '/Errors', '/ünicode', '/x\nRUN y'])(
		'leaves the folder %j to the runner',
		(workingDir) => {
			expect(recipe([], workingDir)).not.toContain('WORKDIR');
			expect(leftToRunner({ env: [], workingDir }).workingDir).toBe(workingDir);
		},
	);

	it('never says the word that docker_wrapper takes for a failure', () => {
		expect(recipe(['A=Error', 'PerlErrors=1', 'B=error'], '/Error')).not.toContain('Error');
	});
});

it('names images so that BOINC’s client may remove them and docker_wrapper finds them again', () => {
	expect(imageName(id)).toMatch(/^boinc__b2d_[0-9a-f]{32}$/);
});
