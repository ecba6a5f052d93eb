import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { contentOfBytes, contentOfFile } from '../../../src/common/content.js';
import { quietContext } from '../../../src/common/ports.js';
import { listOf } from '../../../src/common/sequence.js';
import { type Engine, findEngine } from '../../../src/image/engine.js';
import type { EngineName } from '../../../src/image/engine/detection.js';
import { reproduce } from '../../../src/job/localRun/reproduce.js';
import { type LocalRunReport } from '../../../src/job/localRun/runSlot.js';
import { runnerScript } from '../../../src/job/runner.js';
import { submitContainer } from '../../../src/job/submitImage.js';
import { BatchResults } from '../../../src/monitor/results/batchResults.js';
import { unpackResult } from '../../../src/monitor/results/unpackResult.js';
import { applyInstall } from '../../../src/project/install/applyInstall.js';
import { planInstall } from '../../../src/project/install/planInstall.js';
import { openProject } from '../../../src/project/openProject.js';
import type { Project } from '../../../src/project/project.js';
import { resultsDirectory } from '../../../src/project/resultsDirectory.js';
import { wrapperBinaries } from '../../../src/project/wrapperSource.js';
import { openDatabase } from '../../../src/sandbox/database.js';
import { runProgram } from '../../../src/terminal/program.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { eventually, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';
import { file, tarOf } from '../../support/savedImages.js';

const ctx = quietContext();
const PROGRAM = `#!/bin/busybox sh
echo "to the terminal"
echo "$GREETING $B2D_INDEX $*" >/root/shared/results/said
id -u >>/root/shared/results/said
ls /sys/class/net >>/root/shared/results/said
cat /root/shared/data.txt >>/root/shared/results/said
case $1 in
fail) exit 7 ;;
chatty) exec /bin/busybox seq 20000 ;;
wait) exec /bin/busybox sleep 600 ;;
esac
`;

let sandbox: TestSandbox;
let project: Project;
let dir: string;

beforeAll(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-reproduce-test-'));
	sandbox = await startTestSandbox();
	project = await openProject(sandbox.connectLocally(), sandbox.projectRoot, ctx);
	const spec = {
		app: 'boinc2docker',
		friendlyName: 'Containers',
		wrappers: await wrapperBinaries({ folder: sandbox.wrapperFolder }, ctx),
		busybox: [{ architecture: 'amd64' as const, content: await contentOfFile(sandbox.busyboxFile) }],
		runner: contentOfBytes(runnerScript),
	};
	await applyInstall(project, await planInstall(project, spec, ctx), ctx);
});
afterAll(async () => {
	project.dispose();
	await sandbox.remove();
	await rm(dir, { recursive: true, force: true });
});

describe.each<EngineName>(['podman', 'docker'])('on %s', (kind) => {
	let running: TestEngine;
	let engine: Engine;
	let jobs: readonly string[];
	beforeAll(async () => {
		running = await startTestEngine(kind);
		engine = await findEngine(ctx, { command: running.command, env: running.env });
		const context = path.join(dir, kind);
		await mkdir(context);
		await copyFile(sandbox.busyboxFile, path.join(context, 'busybox'));
		await writeFile(path.join(context, 'program'), PROGRAM, { mode: 0o755 });
		await writeFile(path.join(context, 'passwd'), 'worker:x:1234:1234::/:/bin/sh\n');
		await writeFile(path.join(context, 'data.txt'), 'the input\n');
		await writeFile(
			path.join(context, 'Dockerfile'),
			'FROM scratch\nCOPY busybox /bin/busybox\nCOPY passwd /etc/passwd\nCOPY program /bin/program\nRUN ["/bin/busybox","--install","-s","/bin"]\nENV GREETING=hello\nUSER worker\nENTRYPOINT ["/bin/program"]\n',
		);
		const batch = await submitContainer(
			project,
			{
				name: 'to reproduce',
				app: 'boinc2docker',
				image: { kind: 'dockerfile', contextDir: context, dockerfile: 'Dockerfile' },
				inputs: [{ path: 'data.txt', file: path.join(context, 'data.txt') }],
				jobs: [['fail', "it's", 'a  b'], ['chatty'], ['wait'], ['quick']].map((command) => ({ command })),
				resources: { limitSeconds: 300 },
			},
			{ engine },
			ctx,
		);
		jobs = listOf(batch.jobNames);
	});
	afterAll(() => running.remove());
	afterEach(async () => {
		expect((await engine.call(['ps', '--all', '--quiet'], ctx)).output.trim()).toBe('');
	});

	const run = async (
		index: number,
		signal?: AbortSignal,
		seen?: (text: string) => void,
	): Promise<[LocalRunReport, string, string]> => {
		let output = '';
		const target = path.join(dir, `${kind}-${String(index)}`);
		const report = await reproduce(
			project,
			engine,
			{
				job: jobs[index]!,
				onOutput: (chunk) => {
					output += Buffer.from(chunk).toString('utf8');
					seen?.(output);
				},
			},
			async (done) => {
				await unpackResult({ file: done.resultFile!, size: done.outputBytes }, target);
				return done;
			},
			quietContext(signal),
		);
		return [report, output, target];
	};

	it('runs a failed job as on a volunteer’s host: image, words, variables, user, input, network, exit code', async () => {
		const [report, output, folder] = await run(0);
		expect(report).toMatchObject({ exitCode: 7, notes: [] });
		expect(report.seconds).toBeGreaterThanOrEqual(0);
		expect(report.outputBytes).toBeGreaterThan(100);
		expect(report.diskBytes).toBeGreaterThan(1_000_000);
		expect(output).toContain('to the terminal\n');
		expect(output).toContain('boinc2docker: The program ended with exit code 7');
		expect(await readFile(path.join(folder, 'said'), 'utf8')).toBe("hello 0 fail it's a  b\n1234\nlo\nthe input\n");
		expect(JSON.parse(await readFile(path.join(folder, '.b2d', 'job.json'), 'utf8'))).toMatchObject({
			job: jobs[0],
			exitCode: 7,
		});
	});

	it('runs a job of a file before anything is submitted, as volunteers will, and writes down what it took', async () => {
		const context = path.join(dir, kind);
		await writeFile(
			path.join(context, 'early'),
			`${await readFile(path.join(context, 'Dockerfile'), 'utf8')}ENV GREETING=early\n`,
		);
		const jobFile = path.join(context, 'boinc2docker.yml');
		const text = `# mine
dockerfile: early
command: [fail, "it's", "a  {{x}}"]
inputs: { data.txt: data.txt }
outputs: { files: ["data.*"] }
resources: # as I guess
  cpus: 2
  memory: 1 GB # plenty
sweep: { grid: { x: [a, b] } }
`;
		await writeFile(jobFile, text);
		const output = path.join(dir, `${kind}-early`);
		const call = async (...words: string[]): Promise<{ code: number; said: Record<string, unknown> }> => {
			const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
			const before = { ...process.env };
			Object.assign(process.env, running.env, { XDG_CACHE_HOME: path.join(dir, `${kind}-cache`) });
			try {
				const args = ['run', '--local', '--json', '--engine', running.command, '--busybox', sandbox.busyboxFile, ...words];
				const code = await runProgram(args, '0');
				return { code, said: JSON.parse(String(said.mock.calls[0]?.[0])) as Record<string, unknown> };
			} finally {
				process.env = before;
				said.mockRestore();
			}
		};
		const failed = await call('--job', '1', '--write', '-o', output, jobFile);
		expect(failed.code).toBe(5);
		expect(failed.said).toMatchObject({ exitCode: 7, job: 'b2d_0_000001', written: false, notes: [], folder: output });
		expect(await readFile(path.join(output, 'said'), 'utf8')).toBe("early 1 fail it's a  b\n1234\nlo\nthe input\n");
		expect(await readFile(path.join(output, 'data.txt'), 'utf8')).toBe('the input\n');
		expect(await readFile(jobFile, 'utf8')).toBe(text);
		// The image is there now, and its size is known.
		const quick = await call('--write', '-o', `${output}-2`, jobFile, 'quick');
		expect(quick.code).toBe(0);
		expect(quick.said).toMatchObject({ exitCode: 0, written: true, imageBytes: failed.said.imageBytes });
		expect(await readFile(jobFile, 'utf8')).toMatch(
			/^# mine\n[^]*\nresources: # as I guess\n {2}cpus: 2\n {2}memory: \d+ MB # plenty\n {2}disk: \d+ MB\n {2}time: [\d.]+ min\n {2}max_output: [\d.]+ MB\nsweep: /,
		);
		expect((await call('--job', '2', jobFile)).said).toMatchObject({ error: { code: 'job-invalid' } });
		expect((await call('-o', output, jobFile)).said).toMatchObject({ error: { code: 'file-in-the-way' } });
		expect((await readdir(tmpdir())).filter((name) => name.startsWith('b2d-local-'))).toEqual([]);
	});

	it('shows the whole output of a chatty program, and fetches no packs for an image that is there', async () => {
		const before = await readdir(tmpdir());
		const [report, output] = await run(1);
		expect(report.exitCode).toBe(0);
		expect(report.peakMemoryBytes).toBeGreaterThan(0);
		expect(output).toContain('\n9999\n10000\n10001\n');
		expect(output).not.toContain('left out');
		expect((await readdir(tmpdir())).filter((name) => name.startsWith('b2d-reproduce-') && !before.includes(name))).toEqual([]);
	});

	it('ends the container when it is cancelled', async () => {
		const stop = new AbortController();
		const ended = run(2, stop.signal, (text) => {
			if (text.includes('to the terminal')) {
				stop.abort();
			}
		});
		await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
		await eventually(
			'the folder is gone',
			async () => !(await readdir(tmpdir())).some((name) => /^b2d-reproduce-(?!test)/.test(name)),
			5000,
		);
	});

	it('results of the batch get folders named by what differs, and are compared with what their hosts reported', async () => {
		const batch = { id: Number(jobs[0]!.split('_')[1]), name: 'to reproduce', appId: 0 };
		const database = await openDatabase(sandbox.database);
		try {
			const [unit] = await database.select('SELECT appid FROM workunit WHERE name = ?', [jobs[0]!]);
			const resultsDir = path.join(await resultsDirectory(project, Number(unit!.appid)), String(batch.id));
			await mkdir(resultsDir, { recursive: true });
			const packed = gzipSync(tarOf([file('out', kind)]));
			for (const [at, job] of jobs.slice(0, 2).entries()) {
				await writeFile(path.join(resultsDir, `${job}.tgz`), packed);
				const [result] = await database.select(
					'SELECT r.id FROM result r JOIN workunit w ON w.id = r.workunitid WHERE w.name = ? LIMIT 1',
					[job],
				);
				const md5 = at === 0 ? createHash('md5').update(packed).digest('hex') : '0'.repeat(32);
				const xml = `<file_info>\n<name>x</name>\n<md5_cksum>${md5}</md5_cksum>\n</file_info>`;
				await database.execute('UPDATE result SET xml_doc_out = ? WHERE id = ?', [xml, Number(result!.id)]);
				await database.execute('UPDATE workunit SET canonical_resultid = ? WHERE name = ?', [Number(result!.id), job]);
			}
			const results = new BatchResults(project, { ...batch, appId: Number(unit!.appid) });
			const report = await results.fetch({ folder: path.join(dir, `${kind}-fetched`) }, ctx);
			expect(report.fetched).toEqual([jobs[0]]);
			expect(report.failed).toEqual([{ job: jobs[1], why: expect.stringContaining(`reported ${'0'.repeat(32)}`) as string }]);
			expect((await readdir(report.folder)).filter((name) => !name.startsWith('.'))).toEqual(['fail,it-s,a-b', 'metrics.csv']);
		} finally {
			await database.end();
		}
	});

	it('refuses a job that the project does not have, and a pack that was changed or removed', async () => {
		const request = { job: 'b2d_9999_000000', onOutput: () => undefined };
		await expect(reproduce(project, engine, request, (report) => Promise.resolve(report), ctx)).rejects.toMatchObject({
			code: 'result-missing',
		});
		const rows = await (
			await project.database()
		).select<{ xml_doc: Buffer }>('SELECT xml_doc FROM workunit WHERE name = ?', [jobs[3]!]);
		const name = /<name>(b2d_params_[^<]*)/.exec(rows[0]!.xml_doc.toString())![1]!;
		const table = project.downloadPath(name);
		const text = await readFile(table, 'utf8');
		const again = { ...request, job: jobs[3]! };
		await writeFile(table, `${text}#`);
		await expect(reproduce(project, engine, again, (report) => Promise.resolve(report), ctx)).rejects.toMatchObject({
			code: 'transfer-corrupt',
		});
		await rm(table);
		await expect(reproduce(project, engine, again, (report) => Promise.resolve(report), ctx)).rejects.toMatchObject({
			code: 'file-not-found',
			message: expect.stringContaining(name) as string,
		});
		await writeFile(table, text);
	});
});
