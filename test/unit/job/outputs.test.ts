import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { collectCommand, type Outputs, returnedInputs } from '../../../src/job/outputs.js';

/** A static busybox, as on a host. */
const BUSYBOX = '/bin/busybox';
let share: string;
beforeEach(() => {
	share = mkdtempSync(path.join(tmpdir(), 'b2d-outputs-'));
	mkdirSync(path.join(share, 'results'));
});
afterEach(() => rmSync(share, { recursive: true, force: true }));

const file = (name: string, text = name): void => {
	mkdirSync(path.dirname(path.join(share, name)), { recursive: true });
	writeFileSync(path.join(share, name), text);
};

/** Runs the command that the runner would run, with a folder of ours in place of `/root/shared`. */
function collect(outputs: Outputs, after: readonly string[] = []): { code: number | null; said: string; results: string[] } {
	const [, ...words] = collectCommand(outputs, after).map((word) =>
		word.replace('share=/root/shared', `share='${share}'`).replace('/.boinc2docker/bin/busybox', BUSYBOX),
	);
	const { status, stderr } = spawnSync(BUSYBOX, words, { encoding: 'utf8', cwd: '/' });
	const results = readdirSync(path.join(share, 'results'), { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => path.relative(path.join(share, 'results'), path.join(entry.parentPath, entry.name)));
	return { code: status, said: stderr, results: results.sort() };
}

describe('outputs of a job', () => {
	it('are copied with their paths, whatever their names; what was there stays', () => {
		expect(existsSync(BUSYBOX)).toBe(true);
		file('results/own');
		['a.csv', 'b b.csv', "it's $HOME.csv", 'sub/c.csv', 'sub/deep/d.txt', 'no.txt'].forEach((name) => file(name));
		symlinkSync('a.csv', path.join(share, 'link.csv'));
		expect(collect({ files: ['*.csv', 'sub/*', `${share}/no.*`] })).toEqual({
			code: 0,
			said: '',
			results: ["it's $HOME.csv", 'a.csv', 'b b.csv', 'link.csv', 'no.txt', 'own', 'sub/c.csv', 'sub/deep/d.txt'].sort(),
		});
		expect(readFileSync(path.join(share, 'results/link.csv'), 'utf8')).toBe('a.csv');
	});

	it('may lie elsewhere in the container, and cannot leave the results', () => {
		const other = mkdtempSync(path.join(tmpdir(), 'b2d-elsewhere-'));
		writeFileSync(path.join(other, 'log'), 'x');
		expect(collect({ files: [`${other}/*`, 'results', '*'] }).results).toEqual(['log']);
		rmSync(other, { recursive: true });
	});

	it('that are missing are said, and are no failure', () => {
		const { code, said } = collect({ files: ['*.none', 'x y'], metrics: 'm.json' });
		expect(code).toBe(0);
		expect(said).toBe(
			'boinc2docker: No file matches the output *.none.\nboinc2docker: No file matches the output x y.\nboinc2docker: There is no file m.json with metrics.\n',
		);
	});

	it('with metrics under the name that is read', () => {
		file('out/figures of.json', '{"a":1}');
		expect(collect({ metrics: 'out/figures of.json' }).results).toEqual(['metrics.json']);
	});

	it('come after the person’s own command, whose exit code counts', () => {
		const own = ['/bin/sh', '-c', `printf %s "$1" >'${share}/made by.csv'; exit 3`, 'sh', "it's  *"];
		expect(collect({ files: ['made*'] }, own)).toEqual({ code: 3, said: '', results: ['made by.csv'] });
		expect(readFileSync(path.join(share, 'made by.csv'), 'utf8')).toBe("it's  *");
	});

	it('property of the command: it is short enough for a parameter table', () => {
		expect(collectCommand({ files: ['*'] }, []).join(' ').length).toBeLessThan(3000);
		expect(execFileSync(BUSYBOX, ['sh', '-n', 'templates/collect.sh']).length).toBe(0);
	});
});

describe('inputs that outputs find', () => {
	const told = (files: readonly string[], ...paths: string[]): string[] =>
		returnedInputs(
			{ files },
			paths.map((path) => ({ path })),
		).map((note) => /“(.*)” also finds the input (.*), so/.exec(note)?.slice(1).join(' ') ?? note);

	it('are told with the pattern', () => {
		expect(told(['*.csv'], 'data.csv', 'a/data.csv', 'data.csv.gz', '.csv', '.hidden.csv')).toEqual(['*.csv data.csv']);
		expect(told(['out', 'd?ta/*'], 'data/a', 'data/b/c', 'outer', 'out/x')).toEqual([
			'd?ta/* data/a',
			'd?ta/* data/b/c',
			'out out/x',
		]);
		expect(told(['./a+b.(c)', '[', '.*'], 'a+b.(c)', 'aab.c', '.x')).toEqual(['./a+b.(c) a+b.(c)', '.* .x']);
		expect(told([], 'data.csv')).toEqual([]);
	});
});

it('refuses outputs that lead out of the folder', () => {
	expect(() => collectCommand({ files: ['ok', 'a/../../x'] }, [])).toThrow(
		'The output “a/../../x” leads out of the job’s folder.',
	);
});
