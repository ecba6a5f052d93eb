import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { INIT_DATA, JOB, RunnerSlot } from './runnerSlot.js';

let slot: RunnerSlot;
beforeEach(async () => {
	slot = await RunnerSlot.create();
});
afterEach(() => slot.remove());

const shell = (script: string, ...args: string[]): string[] => ['sh', '-c', script, 'sh', ...args];

describe('arguments and environment', () => {
	test('arrive byte for byte, whatever they hold', async () => {
		const text = fc.oneof(
			fc.string({ unit: 'binary' }).filter((word) => !word.includes('\0') && !/\p{Surrogate}/u.test(word)),
			fc.constantFrom(
				'',
				' ',
				'\n',
				'a\n\n',
				'*',
				'$HOME',
				'`id`',
				"'",
				'"',
				'\\',
				'\\0101',
				'-n',
				'%s',
				'!',
				'~',
				'#',
				'é',
				'🚀',
				'\u0081',
				'\u0088',
				'_',
				'=',
				'A=B',
				'\t',
				'\r\n',
				'\\c',
			),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(text, { maxLength: 40 }), fc.array(text, { maxLength: 10 }), async (args, values) => {
				await rm(path.join(slot.dir, 'private'), { recursive: true, force: true });
				const env = values.map((value, index) => `V${String(index)}=${value}`);
				const { code } = await slot.run(
					{},
					shell(
						`printf '%s\\0' "$@" >"${slot.shared('results')}/args"; cat /proc/self/environ >"${slot.shared('results')}/env"`,
						...args,
					),
					env,
				);
				expect(code).toBe(0);
				const seen = (await readFile(slot.shared('results', 'args'))).toString('utf8').split('\0').slice(0, -1);
				expect(seen).toEqual(args.length === 0 ? [''] : args);
				const variables = (await readFile(slot.shared('results', 'env'))).toString('utf8').split('\0');
				expect(variables).toEqual(expect.arrayContaining(env));
			}),
			{ numRuns: 8 },
		);
	}, 120_000);

	test('variables whose names a shell does not know reach the program; later values win', async () => {
		const { code } = await slot.run(
			{ env: ['PATH=/bin', 'a.b=1', 'X=image', 'Y=image'] },
			['cat', '/proc/self/environ'],
			['X=job'],
		);
		expect(code).toBe(0);
		const log = (await slot.results())['.b2d/log.txt']!.split('\0');
		expect(log).toEqual(expect.arrayContaining(['PATH=/bin', 'a.b=1', 'X=job', 'Y=image']));
		expect(log.filter((line) => line.startsWith('X='))).toEqual(['X=job']);
		expect(log.filter((line) => line.startsWith('b2d_'))).toEqual([]);
	});

	test('the variable HOME is the user’s folder unless it is given', async () => {
		await slot.run({}, ['cat', '/proc/self/environ']);
		expect((await slot.results())['.b2d/log.txt']).toMatch(/(^|\0)HOME=\/root(\0|$)/);
		await rm(path.join(slot.dir, 'private'), { recursive: true });
		await slot.run({}, ['cat', '/proc/self/environ'], ['HOME=/elsewhere']);
		expect((await slot.results())['.b2d/log.txt']).toMatch(/(^|\0)HOME=\/elsewhere(\0|$)/);
	});

	test('a program is found in the folders of its own PATH, also with an equals sign in its name', async () => {
		await mkdir(path.join(slot.dir, 'own bin'));
		const program = path.join(slot.dir, 'own bin', 'a=b');
		await writeFile(program, '#!/bin/sh\necho "found $1"\n');
		await chmod(program, 0o755);
		const { code, terminal } = await slot.run({}, ['a=b', 'it'], [`PATH=/bin:${path.join(slot.dir, 'own bin')}`]);
		expect({ code, found: terminal.includes('found it\n') }).toEqual({ code: 0, found: true });
	});

	test('an applet of busybox does not stand in for a program that the image lacks', async () => {
		const { code, terminal } = await slot.run({}, ['ls'], ['PATH=/nowhere']);
		expect(code).toBe(127);
		expect(terminal).toContain('boinc2docker: The command "ls" is not in the image.\n');
	});

	test('the program starts in the working directory, which is made if it is absent', async () => {
		const { terminal } = await slot.run({ workingDir: path.join(slot.dir, 'a new place') }, ['pwd']);
		expect(terminal).toContain(`${slot.dir}/a new place\n`);
	});
});

describe('exit codes', () => {
	test.each([
		['the program’s', shell('exit 7'), 7],
		['of a signal', shell('kill -9 $$'), 137],
		['126 for what is no program', ['/etc'], 126],
		['126 for a file that is not executable', ['/etc/passwd'], 126],
		['127 for a missing path', ['/no/such/file'], 127],
	])('%s', async (_, argv, expected) => {
		const { code } = await slot.run({}, argv);
		expect(code).toBe(expected);
		expect(JSON.parse((await slot.results())['.b2d/job.json']!)).toMatchObject({ job: JOB, exitCode: expected });
	});

	test('206 with a reason when the job has no line in the table', async () => {
		await slot.write({}, ['true']);
		const table = path.join(slot.slot, 'b2d_params');
		await writeFile(table, (await readFile(table, 'utf8')).replaceAll(`${JOB} `, 'b2d_8_000001 '));
		const { code, terminal } = await slot.start().end;
		expect(code).toBe(206);
		expect(terminal).toBe(`boinc2docker: The parameter table has no line for the job ${JOB}.\n`);
		expect(existsSync(slot.shared('results.tgz'))).toBe(true);
	});

	test.skipIf(existsSync('/dev/nvidiactl') || existsSync('/dev/dxg') || existsSync('/dev/nvmap'))(
		'206 with a reason when the container lacks the GPU of the job',
		async () => {
			expect(await slot.run({ gpu: 'nvidia' }, ['true'])).toEqual({
				code: 206,
				terminal: 'boinc2docker: The container has no GPU of NVIDIA: the container engine of this host is not set up for it.\n',
			});
		},
	);

	test('206 with a reason for a user and a group that the image does not have', async () => {
		expect(await slot.run({ user: 'no-such-user' }, ['true'])).toEqual({
			code: 206,
			terminal: 'boinc2docker: The image runs as the user no-such-user, who is not in its /etc/passwd.\n',
		});
		await rm(path.join(slot.dir, 'private'), { recursive: true });
		expect((await slot.run({ user: '12:no-such-group' }, ['true'])).terminal).toContain('the group no-such-group');
	});

	test('a failing command before the program fails the job without running it; one after it runs always', async () => {
		const first = await slot.run({ before: shell('echo before; exit 3'), after: shell('echo after') }, ['echo', 'program']);
		expect(first.code).toBe(3);
		expect(first.terminal).toContain('before\n');
		expect(first.terminal).not.toContain('program\n');
		await rm(path.join(slot.dir, 'private'), { recursive: true });
		const second = await slot.run(
			{ before: ['echo', 'before'], after: shell('echo after; exit 4') },
			shell('echo program; exit 5'),
		);
		expect(second.code).toBe(5);
		expect(second.terminal).toMatch(/before\n[^]*program\n[^]*after\n/);
		expect((await slot.results())['.b2d/log.txt']).toBe('before\nprogram\nafter\n');
	});
});

describe('limits', () => {
	test('a program that uses too much memory is stopped, and all its processes', async () => {
		const { code, terminal } = await slot.run(
			{ memoryBytes: 30_000_000 },
			shell('sleep 100 & exec awk \'BEGIN { s = "x"; while (length(s) < 60000000) s = s s; while (1) ; }\''),
		);
		expect(code).toBe(205);
		expect(terminal).toMatch(/boinc2docker: The program was stopped: it used \d+ MB of memory, and the job may use 30 MB\.\n/);
		const { peakMemoryBytes } = JSON.parse((await slot.results())['.b2d/job.json']!) as { peakMemoryBytes: number };
		expect(peakMemoryBytes).toBeGreaterThan(30_000_000);
	});

	test('a program that runs too long is stopped, even if it does not listen', async () => {
		const { code, terminal } = await slot.run({ limitSeconds: 1 }, shell('trap "" TERM; while :; do sleep 1; done'));
		expect(code).toBe(197);
		expect(terminal).toContain('boinc2docker: The program was stopped: it has run for 1 s, which is the limit of the job.\n');
	}, 30_000);

	test('results that are too big are dropped, and the job fails with the log in the result', async () => {
		const { code, terminal } = await slot.run(
			{ maxOutputBytes: 100_000 },
			shell(`echo hello; head -c 300000 /dev/urandom >"${slot.shared('results')}/big"`),
		);
		expect(code).toBe(196);
		expect(terminal).toContain('boinc2docker: The packed results are bigger than the 100000 bytes');
		const results = await slot.results();
		expect(Object.keys(results)).toEqual(['.b2d', '.b2d/job.json', '.b2d/log.txt']);
		expect(results['.b2d/log.txt']).toBe('hello\n');
	});

	test('a long output: the terminal gets its beginning and end, the log all of it', async () => {
		const { terminal } = await slot.run({}, shell('i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done'));
		expect(terminal.length).toBeLessThan(24_000);
		expect(terminal).toMatch(/^line 0\n/);
		expect(terminal).toContain('line 19999\n');
		expect(terminal).toMatch(/boinc2docker: \(\d+ bytes of output are left out here; \.b2d\/log\.txt in the result has them\.\)/);
		const log = (await slot.results())['.b2d/log.txt']!.split('\n');
		expect(log).toHaveLength(20_001);
	});
});

describe('signals', () => {
	test('SIGTERM reaches the program, whose code counts and whose results are packed', async () => {
		await slot.write(
			{},
			shell(
				`trap 'echo bye >"${slot.shared('results')}/last"; exit 9' TERM; touch "${slot.shared('ready')}"; while :; do sleep 0.1; done`,
			),
		);
		const { pid, end } = slot.start();
		await vi.waitUntil(() => existsSync(slot.shared('ready')), { timeout: 10_000, interval: 20 });
		process.kill(pid, 'SIGTERM');
		expect((await end).code).toBe(9);
		expect((await slot.results()).last).toBe('bye\n');
	});

	test.each([
		['saves and ends well', 'exit 0', 143],
		['ends by it', 'trap - TERM; kill -s TERM $$', 143],
		['fails', 'exit 9', 9],
	])('a program that SIGTERM ends (%s) has not ended the job: it starts again', async (_, reaction, expected) => {
		const state = slot.shared('checkpoint', 'state');
		await slot.write(
			{},
			shell(
				`if [ -f "${state}" ]; then cp "${state}" "${slot.shared('results')}/end"; exit 0; fi
				trap 'echo half >"${state}"; ${reaction}' TERM; touch "${slot.shared('ready')}"; while :; do sleep 0.1; done`,
			),
		);
		const { pid, end } = slot.start();
		await vi.waitUntil(() => existsSync(slot.shared('ready')), { timeout: 10_000, interval: 20 });
		process.kill(pid, 'SIGTERM');
		const { code, terminal } = await end;
		expect(terminal).toContain('When it is started again it goes on from its checkpoint.');
		expect(code).toBe(expected);
		expect((await slot.start().end).code).toBe(0);
		expect((await slot.results()).end).toBe('half\n');
	});

	test('what the program leaves running is ended with it', async () => {
		const { code } = await slot.run({}, shell(`sleep 1000 & echo $! >"${slot.shared('results')}/pid"`));
		expect(code).toBe(0);
		const pid = Number((await slot.results()).pid);
		// Whoever inherits the process may not have noticed its end yet.
		const state = await readFile(`/proc/${String(pid)}/stat`, 'latin1').catch(() => ') X');
		expect(state.slice(state.lastIndexOf(')') + 2, state.lastIndexOf(')') + 3)).toMatch(/[XZ]/);
	});
});

describe('the slot', () => {
	test('the volunteer’s account and name are blanked before the program can see them; the length stays', async () => {
		const { terminal } = await slot.run({}, ['cat', path.join(slot.slot, 'init_data.xml')]);
		expect(terminal).not.toMatch(/0123456789|Zo|kitchen|192\.0|77aa/);
		const { size, mode } = await stat(path.join(slot.slot, 'init_data.xml'));
		expect(size).toBe(Buffer.byteLength(INIT_DATA));
		expect(mode & 0o007).toBe(0);
		expect(terminal).toContain(`<wu_name>${JOB}</wu_name>`);
		expect(terminal).toContain('<userid>12</userid>');
	});

	test('they are blanked again when the client writes the file anew', async () => {
		await slot.write({}, shell(`touch "${slot.shared('ready')}"; while [ ! -e "${slot.shared('go')}" ]; do sleep 0.1; done`));
		const { end } = slot.start();
		await vi.waitUntil(() => existsSync(slot.shared('ready')), { timeout: 10_000, interval: 20 });
		const file = path.join(slot.slot, 'init_data.xml');
		await writeFile(file, INIT_DATA);
		await vi.waitUntil(async () => !(await readFile(file, 'utf8')).includes('0123456789'), { timeout: 10_000, interval: 50 });
		await writeFile(slot.shared('go'), '');
		expect((await end).code).toBe(0);
	});

	test('inputs with awkward names are moved to their place', async () => {
		await writeFile(slot.shared('b2d_input_0'), 'content');
		const name = `dir 1/it's "ü" $x\n.txt`;
		const { code } = await slot.run({ moves: new Map([['b2d_input_0', name]]) }, ['test', '-f', slot.shared(name)]);
		expect(code).toBe(0);
		expect(await readFile(slot.shared(name), 'utf8')).toBe('content');
	});

	test('progress is copied to where docker_wrapper reads it, and nonsense is not', async () => {
		const wait = `while [ ! -e "${slot.shared('go')}" ]; do sleep 0.1; done`;
		await slot.write(
			{ progressFile: 'my progress' },
			shell(
				`echo 0.25 >"${slot.shared('my progress')}"; ${wait}; rm "${slot.shared('go')}"; echo 7 >"${slot.shared('my progress')}"; sleep 2.5`,
			),
		);
		const { end } = slot.start();
		const file = path.join(slot.slot, 'fraction_done');
		await vi.waitUntil(() => existsSync(file), { timeout: 10_000, interval: 20 });
		await writeFile(slot.shared('go'), '');
		expect((await end).code).toBe(0);
		expect(await readFile(file, 'utf8')).toBe('0.25\n');
		expect((await stat(file)).mode & 0o777).toBe(0o644);
	});

	test('of an earlier try only the checkpoint is left', async () => {
		await mkdir(slot.shared('results'), { recursive: true });
		await mkdir(slot.shared('checkpoint'), { recursive: true });
		await writeFile(slot.shared('results', 'half'), 'x');
		await writeFile(slot.shared('checkpoint', 'state'), '5');
		await writeFile(slot.shared('results.tgz'), 'old');
		const { code } = await slot.run({}, shell(`cat "${slot.shared('checkpoint', 'state')}" >"${slot.shared('results')}/all"`));
		expect(code).toBe(0);
		const results = await slot.results();
		expect(Object.keys(results)).toEqual(['.b2d', '.b2d/job.json', '.b2d/log.txt', 'all']);
		expect(results.all).toBe('5');
	});

	test('a container that is started again after its end keeps its result and code', async () => {
		await slot.run({}, shell(`echo run >>"${slot.dir}/runs"; exit 3`));
		const again = await slot.start().end;
		expect(again).toEqual({ code: 3, terminal: 'boinc2docker: The job had ended with exit code 3 already.\n' });
		expect(await readFile(path.join(slot.dir, 'runs'), 'utf8')).toBe('run\n');
	});
});

describe('results', () => {
	test('files with any names, links, empty folders and many files are packed in order', async () => {
		const { code } = await slot.run(
			{},
			shell(`cd "${slot.shared('results')}" && mkdir -p empty "d e/f" && echo 1 >"d e/f/ü" && echo 2 >"a
b" && ln -s /etc/passwd link && mkfifo pipe && i=0 && while [ $i -lt 3000 ]; do : >"n$i"; i=$((i+1)); done`),
		);
		expect(code).toBe(0);
		const { stdout } = await promisify(execFile)('tar', ['-tzf', slot.shared('results.tgz')], {
			maxBuffer: 1 << 24,
			env: { ...process.env, LC_ALL: 'C' },
		});
		const names = stdout.split('\n').filter((line) => line !== '');
		expect(names).toEqual(expect.arrayContaining(['./empty/', './d e/f/\\303\\274', './a\\nb', './link', './n0', './n2999']));
		expect(names).not.toContain('./pipe');
		expect(names).toHaveLength(3000 + 9);
		const plain = names.filter((name) => /^\.\/n\d+$/.test(name));
		expect(plain).toEqual([...plain].sort());
	});

	test('without results there is still an archive', async () => {
		expect((await slot.run({ comparable: true }, ['true'])).code).toBe(0);
		expect(await slot.results()).toEqual({});
	});

	test('results that are compared have neither log nor times, and equal files make equal archives', async () => {
		const script = `cd "${slot.shared('results')}" && echo same >b && echo same >a && mkdir c && touch -d @$1 a b`;
		await slot.run({ comparable: true }, shell(script, '1000000000'));
		const first = await readFile(slot.shared('results.tgz'));
		expect(Object.keys(await slot.results())).toEqual(['a', 'b', 'c']);
		await rm(path.join(slot.dir, 'private'), { recursive: true });
		await slot.run({ comparable: true }, shell(script, '1100000000'));
		expect(first.equals(await readFile(slot.shared('results.tgz')))).toBe(true);
	});

	test('a link in place of the results folder leads nowhere', async () => {
		const { terminal } = await slot.run(
			{},
			shell(`rm -r "${slot.shared('results')}"; ln -s "${slot.slot}" "${slot.shared('results')}"`),
		);
		expect(terminal).toContain('boinc2docker: The program replaced the folder /root/shared/results, so there are no results.\n');
		expect(Object.keys(await slot.results())).toEqual(['.b2d', '.b2d/job.json', '.b2d/log.txt']);
		expect(await readdir(slot.slot)).toContain('init_data.xml');
	});

	test('permissions are opened for the client without touching what links point to', async () => {
		const outside = path.join(slot.dir, 'outside');
		await writeFile(outside, 'x', { mode: 0o600 });
		await mkdir(slot.shared('results'), { recursive: true });
		await symlink(outside, slot.shared('link'));
		await slot.run({}, shell(`mkdir -m 700 "${slot.shared('results')}/d"; ln -s "${outside}" "${slot.shared('results')}/l"`));
		expect((await stat(outside)).mode & 0o777).toBe(0o600);
		expect((await stat(slot.shared('results', 'd'))).mode & 0o777).toBe(0o777);
		expect((await stat(slot.shared('results.tgz'))).mode & 0o666).toBe(0o666);
	});
});
