import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { answerOf, CommandLine } from '../../support/commandLine.js';
import { eventually } from '../../support/sandbox.js';
import { file, savedImage, tarOf } from '../../support/savedImages.js';

const JOBS = 10_000;

let cli: CommandLine;

beforeAll(async () => {
	cli = await CommandLine.start();
	await cli.install();
	await cli.tool('stop'); // nobody works on the jobs meanwhile
	const layer = tarOf([file('app', '#!/bin/sh\n', { mode: 0o755 })]);
	await writeFile(cli.at('image.tar'), savedImage('docker 25', [layer], { config: { Cmd: ['/app'] } }));
	await writeFile(
		cli.at('boinc2docker.yml'),
		`archive: image.tar
command: /app {{alpha}} {{beta}}
sweep:
  grid: { alpha: { from: 1, to: 100, step: 1 }, beta: { from: 0.01, to: 1, step: 0.01 } }
  name: "a{{alpha}}-{{index}}"
`,
	);
});
afterAll(() => cli.remove());

const count = async (table: 'batch' | 'workunit'): Promise<number> =>
	Number((await cli.database.select(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);

/**
 * Stands in front of create_work and counts its calls. A file for a call says how many lines are made; then it waits, and the test
 * kills the program that submits meanwhile.
 */
const HOLD = `n=$(ls "$HERE/calls" | wc -l)
mkdir "$HERE/calls/$n"
lines=$(cat "$HERE/hold/$n" 2>/dev/null) || exec "$REAL" "$@"
head -n "$lines" | "$REAL" "$@"
touch "$HERE/calls/$n/made"
while [ -e "$HERE/hold/$n" ]; do sleep 0.05; done
exit 1
`;

test('a dry run shows the plan and sends nothing', async () => {
	const before = await cli.serverState();
	const said = await cli.run(['--json', 'submit', cli.at('boinc2docker.yml'), '--dry-run']);
	expect(said).toMatchObject({ code: 0 });
	expect(JSON.parse(said.stdout)).toMatchObject({ plan: { jobs: JOBS, image: { newPacks: 2, keptPacks: 0 }, warnings: [] } });
	const text = await cli.run(['submit', cli.at('boinc2docker.yml'), '--dry-run']);
	expect(text.stdout).toMatch(/^Jobs +10,000 jobs, app /);
	expect(await count('batch')).toBe(0);
	expect(await cli.serverState()).toEqual(before);
});

test('a submission that is killed at any step is completed by the same command, without doubles', async () => {
	const tool = cli.inProject('bin/create_work');
	await rename(tool, `${tool}.real`);
	await mkdir(cli.at('calls'));
	await mkdir(cli.at('hold'));
	await writeFile(tool, `#!/bin/sh\nREAL='${tool}.real'\nHERE='${cli.dir}'\n${HOLD}`);
	await chmod(tool, 0o755);
	// By call: how many lines it makes before the program is ended. The next one makes what is missing.
	const endedAfter = new Map<number, readonly [lines: number, signal: NodeJS.Signals]>([
		[0, [0, 'SIGKILL']],
		[1, [250, 'SIGKILL']],
		[2, [2000, 'SIGKILL']],
		// Who stops what goes on with an earlier submission does not mean the jobs that this has made.
		[3, [500, 'SIGINT']],
		[4, [JOBS, 'SIGKILL']],
	]);
	for (const [call, [lines]] of endedAfter) {
		await writeFile(cli.at('hold', String(call)), `${String(lines)}\n`);
	}

	const submit = ['--json', 'submit', cli.at('boinc2docker.yml'), '--once'];
	const made: number[] = [];
	for (const [call, [, signal]] of endedAfter) {
		const running = cli.start(submit);
		const ended = running.ended.then(({ stdout, stderr }) => `${stdout}${stderr}`);
		await eventually(`call ${String(call)}`, async () => {
			if (running.child.exitCode !== null) {
				throw new Error(`It ended before call ${String(call)}: ${await ended}`);
			}
			return existsSync(cli.at('calls', String(call), 'made'));
		});
		running.child.kill(signal);
		await ended;
		await rm(cli.at('hold', String(call)));
		made.push(await count('workunit'));
	}
	expect(made).toEqual([0, 250, 2250, 2750, JOBS]);
	expect(await count('batch')).toBe(1);

	const { code, answer } = answerOf(await cli.run(submit));
	expect(code).toBe(0);
	expect(await count('batch')).toBe(1);
	expect(await count('workunit')).toBe(JOBS);
	const [batch] = await cli.database.select('SELECT id, state, njobs FROM batch');
	expect(batch).toMatchObject({ id: answer.batch?.id, state: 1, njobs: JOBS });
	const rows = await cli.database.select('SELECT name, xml_doc FROM workunit ORDER BY name');
	expect(new Set(rows.map(({ name }) => name)).size).toBe(JOBS);
	expect(rows.map(({ name }) => String(name).slice(0, -5)).at(-1)).toMatch(/_a100$/);
	// Each job's line is in the table that it was made with.
	for (const row of [rows[0], rows[499], rows[500], rows[2600], rows[JOBS - 1]]) {
		const table = /b2d_params_[0-9a-f]{32}/.exec(String(row?.xml_doc))?.[0] ?? '';
		const [found] = (await cli.serverState()).staged.filter((name) => name.endsWith(table));
		expect(await readFile(cli.inProject(found ?? ''), 'utf8')).toContain(`\n${String(row?.name)} `);
	}

	// Once more: nothing new.
	expect(answerOf(await cli.run(submit)).answer.batch?.id).toBe(answer.batch?.id);
	expect([await count('batch'), await count('workunit')]).toEqual([1, JOBS]);
});

test('the server itself makes the jobs of a batch that is handed over to it', async () => {
	const input = cli.at('input.txt');
	await writeFile(input, 'for all jobs');
	const jobs = 30;
	const words = ['submit', cli.at('image.tar'), '--count', String(jobs), '--input', input, '--refill', '100'];
	const refused = answerOf(await cli.run(['--json', ...words, '--on-server', '--wait']));
	expect(refused.error).toMatchObject({ code: 'usage' });

	const outcome = await cli.run([...words, '--on-server']);
	expect(outcome).toMatchObject({ code: 0, stderr: expect.stringContaining('itself makes the jobs') as string });
	const [batch] = await cli.database.select('SELECT MAX(id) AS id FROM batch');
	const row = async (): Promise<unknown> =>
		(await cli.database.select('SELECT state, njobs FROM batch WHERE id = ?', [batch!.id!]))[0];
	await eventually('all jobs are there', async () => isDeepStrictEqual(await row(), { state: 1, njobs: jobs }));
	const spec = cli.inProject('.boinc2docker', 'refill', `${String(batch!.id)}.jsonl`);
	await eventually('its file is removed', () => Promise.resolve(!existsSync(spec)));
	const [made] = await cli.database.select('SELECT COUNT(*) AS n, COUNT(DISTINCT name) AS names FROM workunit WHERE batch = ?', [
		batch!.id!,
	]);
	expect(made).toEqual({ n: jobs, names: jobs });
});

/** Ends the program that makes the jobs of a batch on the server, as a restart of the server would. */
async function killOnServer(batch: number): Promise<void> {
	const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
	for (const number of numbers) {
		const words = await readFile(`/proc/${number}/cmdline`, 'utf8').catch(() => '');
		if (words.includes(cli.inProject('.boinc2docker')) && words.includes(`\0refill\0${String(batch)}\0`)) {
			process.kill(Number(number), 'SIGKILL');
			await eventually('its end', () => Promise.resolve(!existsSync(`/proc/${number}`)));
		}
	}
}

test('what a hand-over has left is told by doctor, gone on with by the same command, and removed by the next one', async () => {
	const words = ['submit', cli.at('image.tar'), '--count', '40', '--refill', '5', '--on-server', '--name', 'left'];
	const left = async (): Promise<(string | undefined)[]> =>
		((await cli.json(['doctor'])).answer.findings ?? [])
			.map(({ what, remedy }) => `${what} ${remedy ?? ''}`)
			.filter((text) => /makes the jobs|are missing|is left of|of this program/.test(text));
	const gone = 99_999; // a batch that nobody knows any more
	const former = cli.inProject('.boinc2docker', 'program', 'abcdef0123456789');
	const orphan = cli.inProject('.boinc2docker', 'refill', `${String(gone)}.jsonl`);
	await mkdir(former, { recursive: true });
	await mkdir(path.dirname(orphan), { recursive: true });
	await writeFile(`${former}/cli.js`, 'x'.repeat(5000));
	await utimes(former, 1, 1);
	await writeFile(orphan, '{}\n');
	expect(await left()).toEqual([
		expect.stringContaining(`is left of batch ${String(gone)}`),
		expect.stringMatching(/^1 former version of this program \(.*\) is in .*none of them runs/),
	]);

	expect(await cli.run(words)).toMatchObject({ code: 0 });
	const batch = Number((await cli.database.select('SELECT MAX(id) AS id FROM batch'))[0]!.id);
	const batches = await count('batch');
	try {
		expect([existsSync(former), existsSync(orphan)]).toEqual([false, false]);
		expect(await left()).toEqual([expect.stringContaining(`The server makes the jobs of batch ${String(batch)}.`)]);

		await killOnServer(batch);
		expect(await left()).toEqual([
			expect.stringMatching(new RegExp(`Jobs of batch ${String(batch)} are missing.*has it go on; boinc2docker cancel`)),
		]);
		expect(await cli.run(words)).toMatchObject({ code: 0 });
		expect(await count('batch')).toBe(batches);
		expect(await left()).toEqual([expect.stringContaining(`The server makes the jobs of batch ${String(batch)}.`)]);
		expect(await cli.run(['cancel', String(batch), '--yes'])).toMatchObject({ code: 0 });
	} finally {
		await killOnServer(batch);
	}
	expect(await left()).toEqual([expect.stringContaining(`is left of batch ${String(batch)}`)]);
});
