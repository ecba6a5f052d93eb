import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { answerOf, CommandLine, type Outcome } from '../../support/commandLine.js';
import { engineRun } from '../../support/images.js';
import { eventually } from '../../support/sandbox.js';

/** Prints each argument and variable that it got, ended by a NUL, and otherwise does what the first argument says. */
const PROGRAM = `#!/bin/busybox sh
case $1 in
fail) echo "to standard error" >&2; exit 7 ;;
big) exec /bin/busybox dd if=/dev/urandom of=/root/shared/results/big bs=1000 count=200 ;;
esac
{ for word; do printf '%s\\0' "$word"; done; printf '%s\\0' "$HOSTILE"; } >/root/shared/results/words
`;
const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
COPY program /bin/program
ENTRYPOINT ["/bin/program"]
`;
const NAME = `O'Brien "x" \`id\` $(id) ; -- \\ <b>&amp; %s\nsecond line ä 日本 😀 👩🏽‍🚀`;
const WORDS = [
	'',
	' ',
	'--help',
	'-n',
	"it's",
	'"quoted"',
	'`id` $(id) $HOME ${HOME}',
	'a;b&c|d<e>f(g){h,i}[j]*k?l~m#n!o^p=q%r',
	'\\ \\n \\\\ \\0101 %s %b',
	'line\nbreak\ttab\rreturn\u0001\u001b[31m\u007f',
	'ä é 日本 😀',
	'</command_line><x/>&lt;',
	'*',
];

let cli: CommandLine;
let context: string;

beforeAll(async () => {
	cli = await CommandLine.start({ clientCount: 1 });
	await cli.install();
	context = cli.at('context');
	await mkdir(context);
	await copyFile(cli.sandbox.busyboxFile, path.join(context, 'busybox'));
	await writeFile(path.join(context, 'program'), PROGRAM, { mode: 0o755 });
	await writeFile(path.join(context, 'Dockerfile'), DOCKERFILE);
});
afterAll(() => cli.remove());
afterEach(async () => {
	expect(await cli.temporaryHere()).toEqual([]);
});

const engine = async (...args: string[]): Promise<string> => (await engineRun(cli.sandbox.engine!, args)).stdout.trim();
/** Names of images and working containers of builds: what we must not leave. */
const leftInEngine = async (): Promise<readonly string[]> => [
	...(await engine('images', '--format', '{{.Repository}}')).split('\n').filter((name) => name !== '' && name !== '<none>'),
	...(await engine('ps', '--all', '--external', '--format', '{{.Names}}')).split('\n').filter((name) => name !== ''),
];

describe('building', () => {
	it('names the line and the step that fails, and submits nothing', async () => {
		const before = await cli.serverState();
		const file = path.join(context, 'broken.Dockerfile');
		await writeFile(file, 'FROM scratch\nCOPY busybox /bin/busybox\n\nRUN ["/bin/busybox", "false"]\n');
		const { code, error } = await cli.json(['submit', file]);
		expect(code).toBe(1);
		expect(error).toMatchObject({ code: 'build-failed', message: expect.stringContaining(`${file}, line 4`) });
		expect(error?.message).toContain('/bin/busybox');
		expect(await cli.serverState()).toEqual(before);
		expect(await leftInEngine()).toEqual([]);
	});

	it('ends with its step at Ctrl+C and leaves nothing', async () => {
		const before = await cli.serverState();
		const file = path.join(context, 'slow.Dockerfile');
		await writeFile(file, 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sleep", "613"]\n');
		const call = cli.start(['--json', 'submit', file]);
		const sleeping = async (): Promise<boolean> => {
			for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
				const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
				if (line === '/bin/busybox\0sleep\u0000613\0') {
					return true;
				}
			}
			return false;
		};
		await eventually('the step runs', sleeping);
		call.child.kill('SIGINT');
		const { code, error } = answerOf(await call.ended);
		expect(code).toBe(130);
		expect(error).toMatchObject({ code: 'cancelled' });
		expect(await sleeping()).toBe(false);
		expect(await leftInEngine()).toEqual([]);
		expect(await cli.serverState()).toEqual(before);
	});
});

describe('jobs with hostile wishes, on a volunteer’s computer', () => {
	it('arrive byte for byte, tell their exit codes, and are stopped at their limits', async () => {
		const submit = (name: string, options: readonly string[], words: readonly string[]): Promise<Outcome> =>
			cli.run(['--json', 'submit', context, '--name', name, '--retries', '0', ...options, '--', ...words]);
		// Names and words cross shells, SQL, XML and the runner; the three run at the same time.
		const submitted = [
			answerOf(await submit(NAME, ['--env', `HOSTILE=${WORDS.join('=')}`], ['echo', ...WORDS])),
			answerOf(await submit('fails', [], ['fail'])),
			answerOf(await submit('too big', ['--max-output', '20 kB'], ['big'])),
		];
		expect(submitted.map(({ code, error, stderr }) => [code, error?.message, stderr.includes('Warning')])).toEqual(
			submitted.map(() => [0, undefined, false]),
		);
		const [hostile, failing, tooBig] = submitted.map(({ answer }) => answer.batch!.id);
		expect(submitted[0]?.answer.batch?.name).toBe(NAME);
		const wait = (id: number | undefined) => cli.json(['status', String(id), '--wait']);
		const results = cli.at('results');
		const [fetched, good, failed, big] = await Promise.all([
			cli.run(['results', String(hostile), '--watch', '--output', results]),
			wait(hostile),
			wait(failing),
			wait(tooBig),
		]);

		expect(good).toMatchObject({ code: 0, answer: { batch: { name: NAME, state: 'done' } } });
		expect(fetched).toMatchObject({ code: 0, stdout: expect.stringContaining('Fetched 1 result into') as string });
		const words = (await readdir(results, { recursive: true })).find((name) => path.basename(name) === 'words');
		expect((await readFile(path.join(results, words!), 'utf8')).split('\0')).toEqual(['echo', ...WORDS, WORDS.join('='), '']);
		const table = await cli.run(['status', String(hostile)]);
		expect(table.stdout).toContain(NAME.replace('\n', '\uFFFD'));

		expect(failed).toMatchObject({ code: 5, answer: { batch: { state: 'failed' }, jobs: [{ state: 'failed' }] } });
		expect(failed.answer.jobs?.[0]?.instances).toMatchObject([{ exitStatus: 7, explanation: expect.stringContaining('7') }]);
		const log = await cli.run(['log', failed.answer.jobs![0]!.name]);
		expect(log.stdout).toContain('to standard error');
		const why = await cli.run(['explain', failed.answer.jobs![0]!.name]);
		expect(why.stdout).toMatch(/ended with exit code 7[^]*: to standard error\n[^]*BOINC gave up 1 job/);

		// The same on this computer.
		const job = failed.answer.jobs![0]!.name;
		const here = await cli.run(['--json', 'reproduce', job, '--output', cli.at('again')]);
		expect(here.code).toBe(5);
		expect(JSON.parse(here.stdout)).toMatchObject({ job, exitCode: 7, folder: cli.at('again'), refused: [] });
		expect(here.stderr).toContain('to standard error');
		expect(await readFile(cli.at('again', '.b2d', 'log.txt'), 'utf8')).toBe('to standard error\n');
		const { code, error } = await cli.json(['reproduce', job, '--output', cli.at('again')]);
		expect([code, error?.code]).toEqual([1, 'file-in-the-way']);

		expect(big).toMatchObject({ code: 5, answer: { batch: { state: 'failed' }, jobs: [{ state: 'failed' }] } });
		expect(big.answer.jobs?.[0]?.instances).toMatchObject([{ explanation: expect.stringMatching(/larger than|limit/) }]);
	});

	it('leave no container behind, and only the images of the volunteer', async () => {
		await eventually('no container is left', async () => (await engine('ps', '--all', '--quiet')) === '');
	});
});
