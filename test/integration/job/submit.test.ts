import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { listOf } from '../../../src/common/sequence.js';
import type { Connection } from '../../../src/connection/connection.js';
import { cancelBatch, cancelJobs, failedAlive } from '../../../src/job/cancel.js';
import { keepJobFile, keptJobFile } from '../../../src/job/keptJobFile.js';
import { makeCapsule } from '../../../src/job/localRun/capsule.js';
import { setPriority } from '../../../src/job/priority.js';
import { retryFailed } from '../../../src/job/retry.js';
import { submitBatch } from '../../../src/job/submit.js';
import { submitContainer } from '../../../src/job/submitImage.js';
import type { BatchSpec } from '../../../src/job/types.js';
import { machineBounds } from '../../../src/job/virtualMachine.js';
import { tableIds } from '../../../src/monitor/batchPage/jobTable.js';
import { countedBatch } from '../../../src/monitor/batchStore.js';
import { explainFailure } from '../../../src/monitor/explain/failures.js';
import { jobPage } from '../../../src/monitor/jobPages.js';
import { fullLog } from '../../../src/monitor/results/fullLog.js';
import { type StepOptions, submitSteps } from '../../../src/monitor/submitSteps.js';
import { hierarchyPath } from '../../../src/project/hierarchy.js';
import { openProject } from '../../../src/project/openProject.js';
import type { Project } from '../../../src/project/project.js';
import { resultsDirectory } from '../../../src/project/resultsDirectory.js';
import { stageFiles } from '../../../src/project/staging.js';
import { type Database, openDatabase } from '../../../src/sandbox/database.js';
import { installTestApp } from '../../support/installTestApp.js';
import { eventually, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';
import { file, savedImage, tarOf } from '../../support/savedImages.js';
import { input, SAMPLE_PACKS, sampleBatch } from '../../unit/job/sampleBatch.js';

const APP = 'boinc2docker';
const ctx = quietContext();

let sandbox: TestSandbox;
let connection: Connection;
let project: Project;
let database: Database;

beforeAll(async () => {
	sandbox = await startTestSandbox();
	connection = sandbox.connectLocally();
	database = await openDatabase(sandbox.database);
	await installTestApp(sandbox, connection, APP);
	const staging = await openProject(connection, sandbox.projectRoot, ctx);
	await stageFiles(staging, SAMPLE_PACKS, ctx);
	staging.dispose();
});
afterAll(async () => {
	await connection.close();
	await database.end();
	await sandbox.remove();
});
beforeEach(async () => {
	project = await openProject(connection, sandbox.projectRoot, ctx);
});
afterEach(() => project.dispose());

const inProject = (...parts: string[]): string => path.join(sandbox.projectRoot, ...parts);

interface WorkunitRow {
	readonly id: number;
	readonly name: string;
	readonly error_mask: number;
	readonly xml_doc: Buffer;
}

const workunits = async (batch: number): Promise<WorkunitRow[]> =>
	(await project.database()).select<WorkunitRow>(
		'SELECT id, name, error_mask, xml_doc FROM workunit WHERE batch = ? ORDER BY name',
		[batch],
	);

async function batchRow(id: number): Promise<{ name: string; state: number; njobs: number }> {
	const rows = await (
		await project.database()
	).select<{ name: string; state: number; njobs: number }>('SELECT name, state, njobs FROM batch WHERE id = ?', [id]);
	return rows[0]!;
}

async function lastBatch(): Promise<number> {
	const rows = await (await project.database()).select<{ id: number | null }>('SELECT MAX(id) AS id FROM batch');
	return rows[0]!.id ?? 0;
}

/** Text of the staged file that a job knows under a name that begins like this. */
async function stagedText(job: WorkunitRow, start: string): Promise<string> {
	const name = new RegExp(`<name>(${start}[^<]*)</name>`).exec(job.xml_doc.toString('utf8'))![1]!;
	return readFile(project.downloadPath(name), 'utf8');
}

const batchOf = (changes: Partial<BatchSpec> = {}): BatchSpec => sampleBatch({ app: APP, ...changes });

/** Puts a script in front of a tool of the project; `REAL` is the tool. */
async function inFrontOf(tool: string, script: string): Promise<() => Promise<void>> {
	const file = inProject('bin', tool);
	await rename(file, `${file}.real`);
	await writeFile(file, `#!/bin/sh\nREAL='${file}.real'\nHERE='${sandbox.dir}'\n${script}\n`);
	await chmod(file, 0o755);
	return async () => {
		await rm(file, { force: true });
		await rename(`${file}.real`, file);
	};
}

describe('submitting', () => {
	test('creates the jobs with their files, limits and parameters, and a batch row that the web pages can count', async () => {
		const name = 'Räksmörgås \'quoted\' "x"\n\\ ; DROP TABLE batch;';
		const spec = batchOf({ name, inputs: [input('in.csv')], priority: 5 });
		const batch = await submitBatch(project, spec, ctx);
		expect(listOf(batch.jobNames)).toEqual([`b2d_${String(batch.id)}_000000`, `b2d_${String(batch.id)}_000001`]);
		expect(await batchRow(batch.id)).toEqual({ name, state: 1, njobs: 2 });
		const jobs = await workunits(batch.id);
		expect(jobs.map((job) => job.name)).toEqual(listOf(batch.jobNames));
		const table = await stagedText(jobs[0]!, 'b2d_params_');
		expect(table).toContain(`\n${batch.jobNames.at(1)!} E=N=1 A=/bin/tool A=--other A=x\\0040y\n`);
		expect(await stagedText(jobs[0]!, 'b2d_dockerfile_')).toMatch(/^FROM scratch\n/);
		expect(await stagedText(jobs[0]!, 'b2d_job_')).toContain('image_name = "boinc__b2d_c0ffee');
		const [row] = await (
			await project.database()
		).select(
			'SELECT rsc_memory_bound, rsc_disk_bound, delay_bound, priority, min_quorum, max_total_results, result_template_file FROM workunit WHERE batch = ? LIMIT 1',
			[batch.id],
		);
		expect(row).toEqual({
			rsc_memory_bound: 1e9,
			// A host with VirtualBox also keeps the unpacked image in the slot.
			rsc_disk_bound: machineBounds(spec).diskBytes,
			delay_bound: 604_800,
			priority: 5,
			min_quorum: 1,
			max_total_results: 5,
			result_template_file: expect.stringMatching(/^templates\/b2d_out_[0-9a-f]{32}$/) as string,
		});
	});

	test('sends nothing twice', async () => {
		await submitBatch(project, batchOf(), ctx);
		const templates = await readdir(inProject('templates'));
		const { bytesSent, id } = await submitBatch(project, batchOf(), ctx);
		expect(await readdir(inProject('templates'))).toEqual(templates);
		// The parameter table has the names of the jobs.
		const table = await stagedText((await workunits(id))[0]!, 'b2d_params_');
		expect(bytesSent).toBe(Buffer.byteLength(table));
	});

	test('many jobs come in chunks, and each finds its own line', async () => {
		const count = 510;
		const jobs = Array.from({ length: count }, (_, index) => ({ command: [`job ${String(index)}`] }));
		const { id } = await submitBatch(project, batchOf({ jobs }), ctx);
		const rows = await workunits(id);
		expect(rows).toHaveLength(count);
		const tables = new Map<string, string>();
		for (const [index, row] of rows.entries()) {
			const table = /b2d_params_[0-9a-f]{32}/.exec(row.xml_doc.toString('utf8'))![0];
			if (!tables.has(table)) {
				tables.set(table, await stagedText(row, 'b2d_params_'));
			}
			expect(tables.get(table)).toContain(`\n${row.name} A=/bin/tool A=job\\0040${String(index)}\n`);
		}
		expect(tables.size).toBe(2);
	});

	test('inputs of single jobs are theirs alone', async () => {
		const jobs = [{ inputs: [input('a', 'first')] }, { inputs: [input('a', 'second')] }];
		const { id } = await submitBatch(project, batchOf({ jobs }), ctx);
		const rows = await workunits(id);
		expect(await Promise.all(rows.map((row) => stagedText(row, 'b2d_input_')))).toEqual(['first', 'second']);
		expect(rows.map((row) => row.xml_doc.toString('utf8')).every((xml) => xml.includes('<open_name>shared/a</open_name>'))).toBe(
			true,
		);
	});

	test('two at once do not disturb each other', async () => {
		const other = await openProject(sandbox.connectLocally(), sandbox.projectRoot, ctx);
		const jobs = Array.from({ length: 40 }, () => ({}));
		const batches = await Promise.all([
			submitBatch(project, batchOf({ name: 'one', jobs }), ctx),
			submitBatch(other, batchOf({ name: 'two', jobs }), ctx),
		]);
		other.dispose();
		for (const { id } of batches) {
			expect(await workunits(id)).toHaveLength(40);
			expect((await batchRow(id)).njobs).toBe(40);
		}
	});
});

test('a saved image goes all the way: packs, inputs, numbered jobs', async () => {
	const archive = path.join(sandbox.dir, 'image.tar');
	const layer = tarOf([file('app', '#!/bin/sh\n', { mode: 0o755 })]);
	await writeFile(archive, savedImage('docker 25', [layer], { config: { Cmd: ['/app'] } }));
	const local = path.join(sandbox.dir, 'in put.txt');
	await writeFile(local, 'content of the input');
	const batch = await submitContainer(
		project,
		{
			name: 'saved',
			app: APP,
			image: { kind: 'archive', file: archive },
			inputs: [{ path: 'in put.txt', file: local }],
			count: 3,
			replication: { maxErrorResults: 0, maxTotalResults: 1 },
		},
		{ engine: undefined },
		ctx,
	);
	expect(batch.notes.join('\n')).toContain('Memory: a job may use 1.00 GB');
	const jobs = await workunits(batch.id);
	expect(await stagedText(jobs[0]!, 'b2d_input_')).toBe('content of the input');
	const table = await stagedText(jobs[2]!, 'b2d_params_');
	expect(table).toContain(`\n${jobs[2]!.name} E=B2D_INDEX=2 E=B2D_COUNT=3 A=/app\n`);
	expect(table).toContain(' I=b2d_input_0=in\\0040put.txt');
});

test('an image with nothing to run is refused before anybody is asked and anything is sent', async () => {
	const archive = path.join(sandbox.dir, 'no-command.tar');
	await writeFile(archive, savedImage('docker 25', [tarOf([file('only-data', 'sent never')])], { config: {} }));
	const sent = async (): Promise<string[]> => (await readdir(inProject('download'), { recursive: true })).sort();
	const before = await sent();
	const approve = vi.fn(() => Promise.resolve(true));
	const submitted = submitContainer(
		project,
		{ name: 'data', app: APP, image: { kind: 'archive', file: archive } },
		{ engine: undefined, approve },
		ctx,
	);
	await expect(submitted).rejects.toMatchObject({
		code: 'job-invalid',
		message: expect.stringContaining('nothing to run') as string,
	});
	expect(approve).not.toHaveBeenCalled();
	expect(await sent()).toEqual(before);
});

test('jobs with several processors have an app of their own, and count as so much more work', async () => {
	await installTestApp(sandbox, connection, 'two', { cpus: 2 });
	const one = await submitBatch(project, batchOf(), ctx);
	const two = await submitBatch(project, batchOf({ app: 'two', cpus: 2 }), ctx);
	const [estimates] = await database.select(
		'SELECT MAX(rsc_fpops_est) / MIN(rsc_fpops_est) AS n FROM workunit WHERE batch IN (?, ?)',
		[one.id, two.id],
	);
	expect(Number(estimates?.n)).toBe(2);
	const classes = await readFile(inProject('plan_class_spec.xml'), 'utf8');
	expect(classes).toMatch(/<name>docker_cpu2<\/name>\s*<docker\/>\s*<min_ncpus>2<\/min_ncpus>\s*<max_threads>2<\/max_threads>/);
	expect(classes).toContain('<name>docker</name>');
});

test('jobs with a GPU have an app of their own with a plan class that asks for it, and no virtual machine', async () => {
	const gpu = { type: 'nvidia', memoryMib: 4000, cuda: 12_040 } as const;
	await installTestApp(sandbox, connection, 'gpu', { gpu });
	const { id } = await submitBatch(project, batchOf({ app: 'gpu', gpu }), ctx);
	const [job] = await workunits(id);
	expect(await stagedText(job!, 'b2d_job_')).toContain('use_gpu = true\n');
	expect(await stagedText(job!, 'b2d_params_')).toMatch(/^\* .* G=nvidia/);
	expect(job!.xml_doc.toString()).not.toContain('vbox_job.xml');
	const classes = await readFile(inProject('plan_class_spec.xml'), 'utf8');
	expect(classes).toMatch(/<name>docker_nvidia_ram4000_cuda12040<\/name>\s*<docker\/>\s*<gpu_type>nvidia<\/gpu_type>\s*<cuda\/>/);
	await expect(submitBatch(project, batchOf({ app: 'gpu' }), ctx)).rejects.toMatchObject({ code: 'app-incomplete' });
	const other = batchOf({ app: 'gpu', gpu: { type: 'nvidia' } });
	await expect(submitBatch(project, other, ctx)).rejects.toThrow(/gives each job a GPU of NVIDIA with 4\.19 GB and CUDA 12\.4/);
});

describe('nothing is left of what cannot be', () => {
	test.each([
		['an app that is not there', { app: 'no_such_app' }, 'app-missing'],
		[
			'an image for another architecture',
			{ image: { ...sampleBatch().image, config: { ...sampleBatch().image.config, architecture: 'arm64' } } },
			'app-incomplete',
		],
		['more processors than the app gives', { cpus: 4 }, 'app-incomplete'],
		['a GPU that the app does not give', { gpu: { type: 'nvidia' } as const }, 'app-incomplete'],
		['an option that BOINC cannot carry', { boinc: { subAppname: "it's" } }, 'job-invalid'],
		['an argument that no program can be given', { jobs: [{ command: ['a\0b'] }] }, 'job-invalid'],
	])('%s', async (_, changes, code) => {
		const before = { batch: await lastBatch(), templates: await readdir(inProject('templates')) };
		await expect(submitBatch(project, batchOf(changes), ctx)).rejects.toMatchObject({
			code,
			remedy: expect.any(String) as string,
		});
		expect({ batch: await lastBatch(), templates: await readdir(inProject('templates')) }).toEqual(before);
	});

	test('a create_work that fails: the batch is marked as aborted, and the reason told', async () => {
		const restore = await inFrontOf('create_work', 'echo "can’t do it" >&2; exit 1');
		const before = await lastBatch();
		try {
			await expect(submitBatch(project, batchOf(), ctx)).rejects.toMatchObject({
				code: 'submit-failed',
				message: expect.stringContaining('can’t do it') as string,
			});
		} finally {
			await restore();
		}
		const id = await lastBatch();
		expect(id).toBe(before + 1);
		expect((await batchRow(id)).state).toBe(3);
		expect(await workunits(id)).toEqual([]);
	});

	test('a create_work that ends well without creating anything is not believed', async () => {
		const restore = await inFrontOf('create_work', 'cat >/dev/null; exit 0');
		try {
			await expect(submitBatch(project, batchOf(), ctx)).rejects.toMatchObject({ code: 'submit-failed' });
		} finally {
			await restore();
		}
	});

	test('a create_work that is not there', async () => {
		const restore = await inFrontOf('create_work', '');
		await rm(inProject('bin/create_work'));
		try {
			await expect(submitBatch(project, batchOf(), ctx)).rejects.toMatchObject({ code: 'tool-missing' });
		} finally {
			await restore();
		}
	});

	test('what one call left out is created by the next', async () => {
		// The first call does half of its jobs and fails; later ones work.
		const restore = await inFrontOf(
			'create_work',
			'if mkdir "$HERE/failed-once" 2>/dev/null; then head -n 200 | "$REAL" "$@"; echo "lost connection" >&2; exit 1; fi; exec "$REAL" "$@"',
		);
		try {
			const jobs = Array.from({ length: 510 }, () => ({}));
			const { id } = await submitBatch(project, batchOf({ jobs }), ctx);
			expect(await workunits(id)).toHaveLength(510);
			expect((await batchRow(id)).state).toBe(1);
		} finally {
			await restore();
		}
	});

	test('cancelled in the middle: the jobs made so far are cancelled', async () => {
		const restore = await inFrontOf('create_work', 'head -n 200 | "$REAL" "$@"; touch "$HERE/begun"; cat >/dev/null; sleep 60');
		const abort = new AbortController();
		try {
			const jobs = Array.from({ length: 510 }, () => ({}));
			const submitting = submitBatch(project, batchOf({ jobs }), quietContext(abort.signal));
			submitting.catch(() => undefined);
			await vi.waitUntil(() => existsSync(path.join(sandbox.dir, 'begun')), { timeout: 30_000, interval: 50 });
			abort.abort();
			await expect(submitting).rejects.toMatchObject({ name: 'AbortError' });
		} finally {
			await restore();
		}
		const id = await lastBatch();
		const jobs = await workunits(id);
		expect(jobs).toHaveLength(200);
		expect(jobs.every((job) => (job.error_mask & 16) !== 0)).toBe(true);
		expect((await batchRow(id)).state).toBe(3);
	});

	test('a template that somebody changed by hand is never used', async () => {
		const spec = batchOf({ resources: { ...sampleBatch().resources, maxOutputBytes: 54_321 } });
		await submitBatch(project, spec, ctx);
		const changed = (await readdir(inProject('templates'))).filter((name) => name.startsWith('b2d_out_'));
		const before = await lastBatch();
		for (const name of changed) {
			const file = inProject('templates', name);
			const text = await readFile(file, 'utf8');
			if (text.includes('54321')) {
				await writeFile(file, text.replace('54321', '54322'));
			}
		}
		await expect(submitBatch(project, spec, ctx)).rejects.toMatchObject({ code: 'file-collision' });
		expect(await lastBatch()).toBe(before);
	});
});

describe('a submission in parts', () => {
	const jobs = Array.from({ length: 60 }, (_, index) => ({ command: [String(index)] }));
	/** Starts a submission; the batch is there when this resolves. */
	async function start(steps: StepOptions): Promise<{ id: number; ended: Promise<unknown> }> {
		const before = await lastBatch();
		const ended = submitBatch(project, batchOf({ name: 'in parts', jobs }), ctx, submitSteps({ pollMs: 20, ...steps })).catch(
			(error: unknown) => error,
		);
		await eventually('the batch', async () => (await lastBatch()) > before);
		return { id: await lastBatch(), ended };
	}
	const made = (id: number, count: number): Promise<WorkunitRow[]> =>
		eventually(`${String(count)} jobs`, async () => {
			const rows = await workunits(id);
			return rows.length === count && rows;
		});
	const endWell = (rows: readonly WorkunitRow[]): Promise<unknown> =>
		database.execute(
			`UPDATE workunit SET canonical_resultid = id, assimilate_state = 2 WHERE id IN (${rows.map(({ id }) => String(id)).join(', ')})`,
		);

	test('one job, then ten, and the rest when they went well', async () => {
		const { id, ended } = await start({ canary: true });
		await endWell(await made(id, 1));
		await endWell(await made(id, 11));
		expect(await ended).toMatchObject({ id, jobs: 60 });
		expect(await workunits(id)).toHaveLength(60);
		expect(await batchRow(id)).toMatchObject({ state: 1, njobs: 60 });
	});

	test('stops itself when one of the first fails, and says why', async () => {
		const { id, ended } = await start({ canary: true });
		await endWell(await made(id, 1));
		const rows = await made(id, 11);
		await eventually('instances', async () => {
			const [row] = await database.select('SELECT COUNT(*) AS n FROM result WHERE batch = ?', [id]);
			return Number(row?.n) >= 10;
		});
		await database.execute(
			'UPDATE result SET server_state = 5, outcome = 3, client_state = 3, exit_status = 196 WHERE workunitid = ?',
			[rows[5]!.id],
		);
		await database.execute('UPDATE workunit SET error_mask = 2 WHERE id = ?', [rows[5]!.id]);
		const error = await ended;
		expect(error).toMatchObject({
			code: 'canary-failed',
			message: expect.stringMatching(/^1 of the first 11 jobs failed, so the rest was not submitted\..* disk/) as string,
			detail: { batch: id, jobs: 11, failed: 1 },
		});
		const masks = (await workunits(id)).map(({ error_mask }) => error_mask);
		// What failed stays failed; the others are cancelled.
		expect(masks.map((mask) => mask & 18)).toEqual([0, ...Array.from({ length: 10 }, (_, at) => (at === 4 ? 2 : 16))]);
		expect((await batchRow(id)).state).toBe(3);
	});

	test('keeps some waiting and adds more as they drain, up to the last', async () => {
		const { id, ended } = await start({ unsent: 20 });
		const sent = new Set<number>();
		let most = 0;
		for (let rows = await made(id, 20); rows.length < 60; rows = await workunits(id)) {
			const waiting = rows.filter((row) => !sent.has(row.id));
			most = Math.max(most, waiting.length);
			const { state } = await batchRow(id);
			// While a job is missing after that, the batch was not complete; at the first turn all 20 still wait.
			if ((await workunits(id)).length < 60) {
				expect(state).toBe(0);
			}
			await database.execute('UPDATE result SET server_state = 4, hostid = 1 WHERE batch = ? AND server_state = 2', [id]);
			const gone = await database.select('SELECT workunitid FROM result WHERE batch = ? AND server_state = 4', [id]);
			gone.forEach((row) => sent.add(Number(row.workunitid)));
		}
		expect(await ended).toMatchObject({ id, jobs: 60 });
		expect(most).toBeLessThanOrEqual(20);
		expect((await workunits(id)).map(({ name }) => Number(name.slice(-6)))).toEqual(jobs.map((_, index) => index));
	});

	test('ends when somebody cancels the batch meanwhile', async () => {
		const { id, ended } = await start({ unsent: 20 });
		await made(id, 20);
		await cancelBatch(project, id, ctx);
		expect(await ended).toMatchObject({ code: 'batch-missing', message: expect.stringContaining('cancelled') as string });
		expect(await workunits(id)).toHaveLength(20);
	});

	test('kept when it is stopped, it is gone on with; another one of the same jobs at the same time is refused', async () => {
		const abort = new AbortController();
		const spec = batchOf({ name: 'stopped', jobs, stopped: 'keep' });
		const first = submitBatch(project, spec, quietContext(abort.signal), submitSteps({ unsent: 20, pollMs: 20 }));
		first.catch(() => undefined);
		const id = await eventually('the batch', async () => {
			const [row] = await database.select("SELECT MAX(id) AS id FROM batch WHERE name = 'stopped'");
			return Number(row?.id) || undefined;
		});
		await made(id, 20);
		const other = await openProject(connection, sandbox.projectRoot, ctx);
		try {
			await expect(submitBatch(other, spec, ctx)).rejects.toMatchObject({ code: 'submit-running', detail: { batch: id } });
			abort.abort();
			await expect(first).rejects.toMatchObject({ name: 'AbortError' });
			expect((await batchRow(id)).state).toBe(0);
			expect(await submitBatch(other, spec, ctx)).toMatchObject({ id, jobs: 60 });
			expect(await workunits(id)).toHaveLength(60);
			expect((await workunits(id)).every((job) => job.error_mask === 0)).toBe(true);
			// Once more with `take`: the batch that is there.
			expect(await submitBatch(other, { ...spec, repeated: 'take' }, ctx)).toMatchObject({ id });
			expect((await submitBatch(other, spec, ctx)).id).toBeGreaterThan(id);
			// One that a version began which worked the digest out otherwise: told, and nothing is made.
			await database.execute("UPDATE batch SET state = 0, description = REPLACE(description, ' 2:', ' ') WHERE id = ?", [id]);
			const last = await lastBatch();
			await expect(submitBatch(other, spec, ctx)).rejects.toMatchObject({
				code: 'submit-former',
				detail: { batch: id },
				remedy: expect.stringContaining(`boinc2docker cancel ${id}`) as string,
			});
			expect(await lastBatch()).toBe(last);
			await cancelBatch(other, id, ctx);
			expect((await submitBatch(other, spec, ctx)).id).toBeGreaterThan(last);
		} finally {
			other.dispose();
		}
	});
});

describe('cancelling', () => {
	test('touches the unfinished jobs of the batch and nothing else', async () => {
		const jobs = Array.from({ length: 6 }, () => ({}));
		const [one, two] = [await submitBatch(project, batchOf({ jobs }), ctx), await submitBatch(project, batchOf({ jobs }), ctx)];
		const ids = (await workunits(one.id)).map(({ id }) => id);
		await eventually('instances', async () => {
			const [row] = await database.select('SELECT COUNT(*) AS n FROM result WHERE batch = ?', [one.id]);
			return Number(row?.n) === 6;
		});
		// Two of the jobs are over already, and one belongs to somebody else now.
		await database.execute('UPDATE workunit SET canonical_resultid = 1 WHERE id = ?', [ids[1]!]);
		await database.execute('UPDATE result SET server_state = 5, outcome = 3, exit_status = 1 WHERE workunitid = ?', [ids[2]!]);
		await database.execute('UPDATE workunit SET assimilate_state = 2, error_mask = 2 WHERE id = ?', [ids[2]!]);
		await database.execute('UPDATE workunit SET batch = 0 WHERE id = ?', [ids[4]!]);
		expect(await cancelBatch(project, one.id, ctx)).toMatchObject({ cancelled: 3 });
		const masks = await (
			await project.database()
		).select<{ bit: number }>('SELECT error_mask & 16 AS bit FROM workunit WHERE id IN (?) ORDER BY id', [ids]);
		expect(masks.map(({ bit }) => bit)).toEqual([16, 0, 0, 16, 0, 16]);
		expect((await workunits(two.id)).every((job) => (job.error_mask & 16) === 0)).toBe(true);
		expect([(await batchRow(one.id)).state, (await batchRow(two.id)).state]).toEqual([3, 1]);
	});

	test('a failed job stays failed, and its instance that still runs is called back', async () => {
		const { id } = await submitBatch(project, batchOf({ jobs: [{}, {}, {}] }), ctx);
		const instances = (state: number): Promise<boolean> =>
			database
				.select('SELECT COUNT(*) AS n FROM result WHERE batch = ? AND server_state = ?', [id, state])
				.then(([row]) => Number(row?.n) === 3);
		await eventually('instances', () => instances(2));
		const [failed, dead] = await workunits(id);
		// Two of the three have failed; the first has a second instance, which is on a host.
		await database.execute('UPDATE workunit SET max_error_results = 0, target_nresults = 2, max_total_results = 2 WHERE id = ?', [
			failed!.id,
		]);
		await database.execute('UPDATE workunit SET max_error_results = 0 WHERE id = ?', [dead!.id]);
		await database.execute('UPDATE workunit SET transition_time = UNIX_TIMESTAMP() WHERE batch = ?', [id]);
		const ofJob = async (job: number): Promise<number[]> =>
			(await database.select('SELECT id FROM result WHERE workunitid = ? ORDER BY id', [job])).map((row) => Number(row.id));
		const [first, second] = await eventually('two instances', async () => {
			const both = await ofJob(failed!.id);
			return both.length === 2 && both;
		});
		await database.execute(
			'UPDATE result SET server_state = 4, hostid = 1, report_deadline = UNIX_TIMESTAMP() + 86400 WHERE id = ?',
			[second!],
		);
		await database.execute(
			'UPDATE result SET server_state = 5, outcome = 3, exit_status = 7, client_state = 3, validate_state = 2 WHERE id IN (?, ?)',
			[first!, (await ofJob(dead!.id))[0]!],
		);
		await database.execute('UPDATE workunit SET transition_time = UNIX_TIMESTAMP() WHERE batch = ?', [id]);
		const masks = async (): Promise<number[]> => (await workunits(id)).map(({ error_mask: mask }) => mask);
		await eventually('the failure', async () => (await masks()).filter((mask) => mask !== 0).length === 2);
		const before = await masks();

		const db = await project.database();
		const states = async (): Promise<unknown[]> =>
			(await jobPage(db, id)).map(({ state, alive }) => (alive === true ? `${state} alive` : state));
		expect(await states()).toEqual(['failed alive', 'failed', 'queued']);
		expect(await failedAlive(project, { batchIds: [id] })).toBe(1);
		expect(await cancelBatch(project, id, ctx)).toEqual({ cancelled: 1, calledBack: 1, running: 1 });
		// BOINC's own bit for cancelled jobs, under which its scheduler calls instances back; the failure remains.
		expect((await masks()).map((mask, at) => mask & ~(before[at] ?? 0))).toEqual([48, 0, 16]);
		expect(await states()).toEqual(['failed', 'failed', 'cancelled']);
		expect((await countedBatch(db, id))?.counts).toMatchObject({ failed: 2, cancelled: 1, cancelling: 0 });
		expect(await tableIds(db, id, { filter: 'failed', text: '', order: 'ascending' })).toEqual([failed!.id, dead!.id]);
		expect(await explainFailure(db, { kind: 'job', id: failed!.id })).toContainEqual(
			expect.objectContaining({ kind: 'limit-of-errors' }),
		);
		expect(await failedAlive(project, { batchIds: [id] })).toBe(0);
		expect(await cancelBatch(project, id, ctx)).toEqual({ cancelled: 0, calledBack: 0, running: 1 });

		// It can be tried again, and cancelled then it says that it had failed.
		await database.execute('UPDATE result SET server_state = 5, outcome = 3, exit_status = 202 WHERE id = ?', [second!]);
		expect(await retryFailed(project, { jobIds: [failed!.id] }, {}, ctx)).toEqual({ retried: 1, left: 0 });
		await cancelJobs(project, { jobIds: [failed!.id] }, ctx);
		const [again, , third] = await jobPage(db, id);
		expect(again).toMatchObject({ state: 'cancelled', failedBefore: 7 });
		expect(third).not.toHaveProperty('failedBefore');
	});

	test('a batch that is not there, and one with nothing to cancel', async () => {
		await expect(cancelBatch(project, 999_999, ctx)).rejects.toMatchObject({ code: 'batch-missing' });
		await expect(cancelBatch(project, 0, ctx)).rejects.toMatchObject({ code: 'batch-missing' });
		const { id } = await submitBatch(project, batchOf(), ctx);
		await cancelBatch(project, id, ctx);
		expect(await cancelBatch(project, id, ctx)).toMatchObject({ cancelled: 0 });
	});

	test('a cancel_jobs that does nothing is not believed', async () => {
		const { id } = await submitBatch(project, batchOf(), ctx);
		const restore = await inFrontOf('cancel_jobs', 'exit 0');
		try {
			await expect(cancelBatch(project, id, ctx)).rejects.toMatchObject({ code: 'tool-failed' });
		} finally {
			await restore();
		}
	});
});

describe('what is done to selected jobs', () => {
	interface Limits {
		readonly error_mask: number;
		readonly max_error_results: number;
		readonly max_total_results: number;
		readonly rsc_disk_bound: number;
		readonly delay_bound: number;
		readonly priority: number;
	}
	const limits = async (batch: number): Promise<Limits[]> =>
		(await project.database()).select<Limits>(
			'SELECT error_mask, max_error_results, max_total_results, rsc_disk_bound, delay_bound, priority FROM workunit WHERE batch = ? ORDER BY id',
			[batch],
		);
	const unsent = async (batch: number): Promise<number> => {
		const [row] = await (
			await project.database()
		).select<{ n: number }>('SELECT COUNT(*) AS n FROM result WHERE batch = ? AND server_state = 2', [batch]);
		return row?.n ?? 0;
	};

	/** A batch of two jobs that have failed, by the transitioner's own decision. `before` is done when the instances exist. */
	async function failedBatch(before: (id: number) => Promise<void> = () => Promise.resolve()): Promise<number> {
		const { id } = await submitBatch(project, batchOf(), ctx);
		await eventually('instances', async () => (await unsent(id)) === 2);
		await before(id);
		await database.execute('UPDATE workunit SET max_error_results = 0 WHERE batch = ?', [id]);
		await database.execute(
			'UPDATE result SET server_state = 5, outcome = 3, exit_status = 196, client_state = 3 WHERE batch = ?',
			[id],
		);
		await database.execute('UPDATE workunit SET transition_time = UNIX_TIMESTAMP() WHERE batch = ?', [id]);
		await eventually('the failure', async () => (await workunits(id)).every(({ error_mask: mask }) => mask === 2));
		return id;
	}

	test('failed jobs of several batches are tried again, under a raised bound, by the project’s own transitioner', async () => {
		const both = [await failedBatch(), await failedBatch()];
		const [before] = await limits(both[0]!);
		const bounds = { tries: 2, diskBytes: 50e9, delayBoundSeconds: 1_000_000 };
		expect(await retryFailed(project, { batchIds: both }, bounds, ctx)).toEqual({ retried: 4, left: 0 });
		for (const id of both) {
			expect(await limits(id)).toEqual(
				[0, 1].map(() => ({
					...before,
					error_mask: 0,
					max_error_results: 2,
					rsc_disk_bound: 50e9,
					delay_bound: 1_000_000,
				})),
			);
			await eventually('new instances', async () => (await unsent(id)) === 2);
			expect((await batchRow(id)).state).toBe(1);
		}
		expect(await retryFailed(project, { batchIds: both }, {}, ctx)).toEqual({ retried: 0, left: 0 });
	});

	test('memory and time are raised in the files that the jobs travel with, and never lowered', async () => {
		const id = await failedBatch();
		interface Described {
			readonly xml_doc: Buffer;
			readonly rsc_memory_bound: number;
			readonly rsc_fpops_bound: number;
		}
		const described = async (): Promise<Described[]> =>
			(await project.database()).select<Described>(
				'SELECT xml_doc, rsc_memory_bound, rsc_fpops_bound FROM workunit WHERE batch = ? ORDER BY id',
				[id],
			);
		const inJob = ({ xml_doc: xml }: Described, kind: RegExp): { name: string; info: string } => {
			const name = kind.exec(xml.toString('utf8'))![1]!;
			const infos = xml.toString('utf8').match(/<file_info>[^]*?<\/file_info>/g)!;
			return { name, info: infos.find((info) => info.includes(`<name>${name}</name>`))! };
		};
		const PARAMS = /<file_name>(b2d_params_[0-9a-f]{32})<\/file_name>/;
		const VBOX = /<file_name>(b2d_vbox_[0-9a-f]{32}\.xml)<\/file_name>/;
		const [before] = await described();
		expect(await retryFailed(project, { batchIds: [id] }, { memoryBytes: 8e9, limitSeconds: 400_000 }, ctx)).toEqual({
			retried: 2,
			left: 0,
		});
		const after = await described();
		for (const job of after) {
			const { name, info } = inJob(job, PARAMS);
			expect(name).not.toBe(inJob(before!, PARAMS).name);
			const table = await readFile(project.downloadPath(name));
			expect(table.toString('utf8')).toMatch(/^\* .*M=8000000000 T=400000 /);
			expect(info).toContain(`<md5_cksum>${createHash('md5').update(table).digest('hex')}</md5_cksum>`);
			expect(info).toContain(`<nbytes>${table.length}</nbytes>`);
			expect(info).toContain(`/${hierarchyPath(name, project.config.uldlDirFanout)}</url>`);
			const machine = await readFile(project.downloadPath(inJob(job, VBOX).name), 'utf8');
			expect(machine).toContain(`<memory_size_mb>${160 + Math.ceil(8e9 / 2 ** 20)}</memory_size_mb>`);
			expect(job.rsc_memory_bound).toBeGreaterThanOrEqual(8e9);
			expect(job.rsc_fpops_bound).toBe(4e20);
		}
		await database.execute('UPDATE workunit SET error_mask = 2, transition_time = 2147483647 WHERE batch = ?', [id]);
		await retryFailed(project, { batchIds: [id] }, { memoryBytes: 1e9 }, ctx);
		expect((await described()).map(({ xml_doc: xml }) => xml)).toEqual(after.map(({ xml_doc: xml }) => xml));
	});

	test('limits of jobs that were not submitted by us, or whose files are gone, cannot be raised', async () => {
		const id = await failedBatch();
		const raise = (): Promise<unknown> => retryFailed(project, { batchIds: [id] }, { memoryBytes: 9e9 }, ctx);
		await database.execute("UPDATE workunit SET xml_doc = REPLACE(xml_doc, 'b2d_params_', 'other_') WHERE batch = ?", [id]);
		await expect(raise()).rejects.toMatchObject({ code: 'job-invalid', message: expect.stringContaining('not submitted by') });
		const gone = `b2d_params_${'0'.repeat(32)}`;
		await database.execute('UPDATE workunit SET xml_doc = ? WHERE batch = ?', [`<file_name>${gone}</file_name>`, id]);
		await expect(raise()).rejects.toMatchObject({ code: 'job-invalid', message: expect.stringContaining(gone) });
		expect((await workunits(id)).map(({ error_mask: mask }) => mask)).toEqual([2, 2]);
	});

	test('the whole log of a failed instance is what its host uploaded, also when BOINC has removed that', async () => {
		const instances = async (id: number): Promise<{ id: number; name: string; job: string }[]> =>
			(await project.database()).select<{ id: number; name: string; job: string }>(
				'SELECT r.id, r.name, w.name AS job FROM result r JOIN workunit w ON w.id = r.workunitid WHERE r.batch = ? ORDER BY r.id',
				[id],
			);
		const uploadOf = (name: string): string => {
			const file = `${name}_r123_0`;
			return path.join(project.config.uploadDir, hierarchyPath(file, project.config.uldlDirFanout));
		};
		const log = Buffer.from(`${'line\n'.repeat(40_000)}the end\n`);
		const id = await failedBatch(async (batch) => {
			const [first] = await instances(batch);
			await mkdir(path.dirname(uploadOf(first!.name)), { recursive: true });
			await writeFile(uploadOf(first!.name), gzipSync(tarOf([file('.b2d/log.txt', log)])));
			await database.execute('UPDATE result SET received_time = 1, xml_doc_out = ? WHERE id = ?', [
				`<file_info><name>${first!.name}_r123_0</name></file_info>`,
				first!.id,
			]);
		});
		const [first, second] = await instances(id);
		expect(await fullLog(project, first!.id)).toEqual(log);
		const [app] = await database.select('SELECT id FROM app WHERE name = ?', [APP]);
		const kept = path.join(await resultsDirectory(project, Number(app!.id)), String(id), `${first!.job}.failed`);
		await eventually('the collected log', () => Promise.resolve(existsSync(kept)));
		await rm(uploadOf(first!.name), { force: true });
		expect(await fullLog(project, first!.id)).toEqual(log);
		await expect(fullLog(project, second!.id)).rejects.toMatchObject({ code: 'result-missing' });
		await expect(fullLog(project, 99_999_999)).rejects.toMatchObject({ code: 'result-missing' });
	});

	test('a capsule holds all that a job needs, and a script that runs it', async () => {
		const { jobNames } = await submitBatch(project, batchOf(), ctx);
		const dir = path.join(sandbox.projectRoot, '..', 'a capsule');
		await makeCapsule(project, jobNames.at(1)!, dir, ctx);
		const names = await readdir(dir);
		expect(names).toEqual(
			expect.arrayContaining(['Dockerfile', 'b2d_params', 'busybox', 'init_data.xml', 'job.toml', 'run.sh', 'runner', 'shared']),
		);
		expect(names).toEqual(expect.arrayContaining(SAMPLE_PACKS.map(({ name }) => name)));
		await writeFile(path.join(dir, 'engine'), '#!/bin/sh\nfor each; do printf "[%s]" "$each"; done; echo\n', { mode: 0o755 });
		const { stdout } = await promisify(execFile)('sh', [path.join(dir, 'run.sh'), './engine']);
		const [build, run] = stdout.split('\n');
		expect(build).toMatch(/^\[build\]\[-t\]\[boinc__b2d_\w+\]\[-f\]\[Dockerfile\]\[\.\]$/);
		expect(run).toContain(`[-v][${dir}:/boinc]`);
		expect(run).toMatch(/\[--network\]\[none\]|\[--network=none\]/);
		await expect(makeCapsule(project, jobNames.at(1)!, dir, ctx)).rejects.toMatchObject({ code: 'file-in-the-way' });
		await expect(makeCapsule(project, 'b2d_0_000000', `${dir} 2`, ctx)).rejects.toMatchObject({ code: 'result-missing' });
		expect(existsSync(`${dir} 2`)).toBe(false);
	});

	test('a batch keeps its job file on the server', async () => {
		expect(await keptJobFile(project, 4711)).toBeUndefined();
		await keepJobFile(project, 4711, 'dockerfile: Dockerfile\n', ctx);
		expect(await keptJobFile(project, 4711)).toBe('dockerfile: Dockerfile\n');
	});

	test('what was cancelled or could never be sent is not tried again', async () => {
		const id = await failedBatch();
		const [first, second] = await workunits(id);
		await database.execute('UPDATE workunit SET error_mask = 3 WHERE id = ?', [first!.id]);
		await database.execute('UPDATE workunit SET error_mask = 18 WHERE id = ?', [second!.id]);
		expect(await retryFailed(project, { batchIds: [id] }, {}, ctx)).toEqual({ retried: 0, left: 1 });
		await expect(retryFailed(project, { batchIds: [999_999] }, {}, ctx)).rejects.toMatchObject({ code: 'batch-missing' });
	});

	test('priority goes to jobs and to instances that wait', async () => {
		const { id } = await submitBatch(project, batchOf(), ctx);
		await eventually('instances', async () => (await unsent(id)) === 2);
		const [first] = await workunits(id);
		expect(await setPriority(project, { jobIds: [first!.id] }, 7, ctx)).toBe(1);
		expect((await limits(id)).map(({ priority }) => priority)).toEqual([7, 0]);
		const rows = await (
			await project.database()
		).select<{ priority: number }>('SELECT priority FROM result WHERE batch = ? ORDER BY workunitid', [id]);
		expect(rows.map(({ priority }) => priority)).toEqual([7, 0]);
		await expect(setPriority(project, { batchIds: [id] }, 1.5, ctx)).rejects.toMatchObject({ code: 'job-invalid' });
	});

	test('single jobs and whole batches are cancelled in one go', async () => {
		const [one, two] = [await submitBatch(project, batchOf(), ctx), await submitBatch(project, batchOf(), ctx)];
		const [, job] = await workunits(two.id);
		expect(await cancelJobs(project, { batchIds: [one.id], jobIds: [job!.id] }, ctx)).toEqual({
			cancelled: 3,
			calledBack: 0,
			running: 0,
		});
		expect((await limits(one.id)).map(({ error_mask: mask }) => mask & 16)).toEqual([16, 16]);
		expect((await limits(two.id)).map(({ error_mask: mask }) => mask & 16)).toEqual([0, 16]);
		expect([(await batchRow(one.id)).state, (await batchRow(two.id)).state]).toEqual([3, 1]);
	});
});
