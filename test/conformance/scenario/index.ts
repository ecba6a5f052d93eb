import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { contentOfBytes } from '../../../src/common/content.js';
import { BoincError } from '../../../src/common/errors.js';
import { quietContext } from '../../../src/common/ports.js';
import { listOf } from '../../../src/common/sequence.js';
import { type FlatImage, flattenImage } from '../../../src/image/flattenImage.js';
import type { ShippedImage } from '../../../src/image/types.js';
import { cancelBatch } from '../../../src/job/cancel.js';
import { ManifestCache } from '../../../src/job/manifestCache.js';
import { packBytes } from '../../../src/job/packBytes.js';
import { defaultResources } from '../../../src/job/resources.js';
import { shipImage } from '../../../src/job/shipImage.js';
import { submitBatch } from '../../../src/job/submit.js';
import type { BatchSpec, JobSpec, SubmittedBatch } from '../../../src/job/types.js';
import { instanceLog } from '../../../src/monitor/instanceLog.js';
import { ProjectMonitor } from '../../../src/monitor/projectMonitor.js';
import { fetchResults } from '../../../src/monitor/results/fetchResults.js';
import type { Batch, BatchState, JobState } from '../../../src/monitor/types.js';
import { describePlan } from '../../../src/project/install/plan.js';
import { planInstall } from '../../../src/project/install/planInstall.js';
import { openProject } from '../../../src/project/openProject.js';
import { resultsDirectory } from '../../../src/project/resultsDirectory.js';
import { stageFiles } from '../../../src/project/staging.js';
import type { StagedFile } from '../../../src/project/types.js';
import type { CheckGroup } from '../checks.js';
import type { Lab } from '../lab.js';
import { appName, complaintsOf, installedSample, projectFiles, undoOnce } from './installed.js';
import { SAMPLE_USER, writeSampleImage } from './sampleImage.js';

/** A batch runs on a client that decides itself when it asks for work. */
const BATCH_MINUTES = 15;
const BATCH_TIMEOUT_MS = BATCH_MINUTES * 60_000;

const HOSTILE = [
	'',
	' ',
	'two  words',
	"it's",
	'"quoted"',
	'`id`',
	'$(id) $HOME ${x}',
	'a;b|c&d>e<f',
	'back\\slash \\n \\0101',
	'line\nbreak\n',
	'tab\there',
	'*?[a]~!#%',
	'-n',
	'--help',
	'häß 日本 🦊',
	'\u00a0\u200b',
	"';DROP TABLE result;--",
	'<xml>&amp;</xml>',
	'\r\nend',
] as const;

const COMMON = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256));

function sampleImage(lab: Lab): Promise<ShippedImage> {
	return lab.once('image', async () => {
		const busybox = lab.target.busyboxFile ?? '/bin/busybox';
		const file = await writeSampleImage(lab.target.scratch, lab.tag, busybox);
		const open = (): Promise<FlatImage> => flattenImage({ file }, quietContext(), { tempDir: lab.target.scratch });
		return shipImage(lab.project, { key: undefined, open }, new ManifestCache(undefined), quietContext());
	});
}

const input = (text: string | Uint8Array): StagedFile => {
	const content = contentOfBytes(text);
	return { name: `b2d_input_${content.sha256.slice(0, 32)}`, content };
};

/** A batch of the sample image. A failure is final at the second try. */
async function sampleBatch(lab: Lab, name: string, jobs: readonly JobSpec[], more: Partial<BatchSpec> = {}): Promise<BatchSpec> {
	await installedSample(lab);
	const image = await sampleImage(lab);
	return {
		name: `${lab.tag} ${name}`,
		app: appName(lab),
		image,
		network: 'none',
		resources: defaultResources(
			{ packBytes: packBytes(image.packs), inputBytes: 10_000 },
			{ expectedSeconds: 30, limitSeconds: 300, delayBoundSeconds: 86_400 },
		).resources,
		replication: { minQuorum: 1, targetNresults: 1, maxErrorResults: 1, maxTotalResults: 3, maxSuccessResults: 2 },
		jobs,
		...more,
	};
}

const submit = async (lab: Lab, spec: BatchSpec): Promise<SubmittedBatch> => submitBatch(lab.project, spec, quietContext());

interface Watched {
	readonly batch: Batch;
	readonly jobStates: ReadonlySet<JobState>;
}

/** Watches batches with the monitor until all are over; nudges a client of ours every now and then. */
async function watch(lab: Lab, ids: readonly number[], signal: AbortSignal): Promise<Watched[]> {
	const monitor = new ProjectMonitor({
		log: quietContext().log,
		clock: quietContext().clock,
		database: () => lab.project.database(),
	});
	const seen = new Map(ids.map((id) => [id, new Set<JobState>()]));
	const over = (state: BatchState | undefined): boolean => state === 'done' || state === 'failed' || state === 'cancelled';
	const nudge = setInterval(() => void lab.target.nudge().catch(() => undefined), 10_000);
	try {
		return await new Promise<Watched[]>((resolve, reject) => {
			const look = (): void => {
				const batches = ids.map((id) => monitor.batch(id));
				for (const batch of batches.filter((found) => found !== undefined)) {
					for (const [state, count] of Object.entries(batch.counts) as [JobState, number][]) {
						if (count > 0) {
							seen.get(batch.id)?.add(state);
						}
					}
				}
				if (batches.every((batch) => over(batch?.state))) {
					resolve(batches.map((batch) => ({ batch: batch!, jobStates: seen.get(batch!.id)! })));
				}
			};
			monitor.onDidChange(look);
			signal.addEventListener('abort', () => {
				const states = ids.map((id) => `${id} ${JSON.stringify(monitor.batch(id)?.counts)}`);
				reject(new Error(`still waiting for batches ${states.join('; ')}`));
			});
			monitor.start();
		});
	} finally {
		clearInterval(nudge);
		monitor.dispose();
	}
}

interface MainBatch {
	readonly batch: SubmittedBatch;
	readonly spec: BatchSpec;
}

const mainBatch = (lab: Lab): Promise<MainBatch> =>
	lab.once('main batch', async () => {
		const jobs = [0, 1, 2].map((i) => ({
			command: ['write', String(i), ...HOSTILE],
			env: { HOSTILE: HOSTILE.join('\n'), B2D_INDEX: String(i), B2D_COUNT: '3', 'strange.name': 'value' },
			inputs: [{ path: 'own.txt', file: input(`own input of job ${i} of ${lab.tag}\n`) }],
		}));
		const spec = await sampleBatch(lab, 'main “batch”', jobs, {
			inputs: [{ path: 'common.bin', file: input(Buffer.concat([COMMON, Buffer.from(lab.tag)])) }],
		});
		return { batch: await submit(lab, spec), spec };
	});

const resultsFolder = (lab: Lab): string => path.join(lab.target.scratch, 'results');

async function fetchMain(lab: Lab, batch: SubmittedBatch): ReturnType<typeof fetchResults> {
	const resultsDir = await resultsDirectory(lab.project, (await installedSample(lab)).report.appId);
	return fetchResults(lab.connection, { resultsDir, batch, folder: resultsFolder(lab) }, quietContext());
}

const rowsOf = (lab: Lab, batch: number): Promise<{ name: string; error_mask: number; canonical_resultid: number }[]> =>
	lab.select('SELECT name, error_mask, canonical_resultid FROM workunit WHERE batch = ? ORDER BY id', batch);

/** The whole way of a container through our own code. */
export const scenario: readonly CheckGroup<Lab>[] = [
	{
		title: 'The whole scenario, through our own code',
		checks: [
			{
				name: 'the app is installed: rows, signed files, daemons that run',
				timeoutMs: 180_000,
				run: async (lab) => {
					const { plan, report } = await installedSample(lab);
					assert.ok(!plan.isEmpty && plan.steps.length > 0, describePlan(plan));
					assert.ok(report.versions.length > 0);
					const mine = report.daemons.filter((daemon) => daemon.command.includes(appName(lab)));
					assert.equal(mine.length, 2, JSON.stringify(report.daemons));
					assert.ok(report.daemons.filter((daemon) => daemon.condition === 'dead').length === 0, JSON.stringify(report.daemons));
					return report.versions.map((version) => `${version.platform} ${version.versionNum}`).join(', ');
				},
			},
			{
				name: 'a second plan is empty',
				run: async (lab) => {
					const { spec } = await installedSample(lab);
					const plan = await planInstall(lab.project, spec, quietContext());
					assert.ok(plan.isEmpty, describePlan(plan));
				},
			},
			{
				name: 'the doctor finds no error that was not there before',
				run: async (lab) => {
					const { complaints } = await installedSample(lab);
					const errors = await complaintsOf(lab, 'error');
					assert.deepEqual(
						errors.filter((what) => !complaints.includes(what)),
						[],
					);
					const warnings = await complaintsOf(lab, 'warning');
					return warnings.length === 0 ? undefined : warnings.join(' / ');
				},
			},
			{
				name: 'a batch with hostile arguments, variables and inputs is submitted',
				timeoutMs: 120_000,
				run: async (lab) => {
					const { batch } = await mainBatch(lab);
					assert.deepEqual(
						(await rowsOf(lab, batch.id)).map((row) => row.name),
						listOf(batch.jobNames),
					);
					const [row] = await lab.select<{ njobs: number; state: number; name: string }>(
						'SELECT njobs, state, name FROM batch WHERE id = ?',
						batch.id,
					);
					assert.deepEqual({ ...row }, { njobs: 3, state: 1, name: `${lab.tag} main “batch”` });
					return `${batch.bytesSent} bytes sent`;
				},
			},
			{
				name: 'submitted again it sends next to nothing and becomes a batch of its own, which can be cancelled',
				timeoutMs: 120_000,
				run: async (lab) => {
					const { batch, spec } = await mainBatch(lab);
					const again = await submit(lab, { ...spec, name: `${lab.tag} again` });
					const report = await cancelBatch(lab.project, again.id, quietContext());
					assert.ok(
						again.bytesSent < 100_000 && again.bytesSent < batch.bytesSent / 2,
						`${again.bytesSent} bytes were sent again`,
					);
					assert.equal(listOf(again.jobNames).filter((name) => listOf(batch.jobNames).includes(name)).length, 0);
					assert.equal(report.cancelled, 3);
					assert.ok((await rowsOf(lab, again.id)).every((row) => (row.error_mask & 16) !== 0));
					assert.ok(
						(await rowsOf(lab, batch.id)).every((row) => row.error_mask === 0),
						'it touched the other batch',
					);
					return `${again.bytesSent} bytes sent`;
				},
			},
			{
				name: 'the monitor sees the batch through to its end',
				timeoutMs: BATCH_TIMEOUT_MS,
				run: async (lab, signal) => {
					const { batch } = await mainBatch(lab);
					const [watched] = await watch(lab, [batch.id], signal);
					assert.equal(watched?.batch.state, 'done', JSON.stringify(watched?.batch));
					assert.equal(watched.batch.counts.done, 3);
					return [...watched.jobStates].join(' → ');
				},
			},
			{
				name: 'the results arrive, byte for byte',
				timeoutMs: 120_000,
				run: async (lab) => {
					const { batch } = await mainBatch(lab);
					const report = await fetchMain(lab, batch);
					assert.deepEqual([report.fetched.length, report.failed, report.refused], [3, [], []]);
					for (const [i, job] of listOf(batch.jobNames).entries()) {
						const file = (name: string): Promise<Buffer> => readFile(path.join(report.folder, job, name));
						const text = async (name: string): Promise<string> => (await file(name)).toString('utf8');
						assert.deepEqual((await text('arguments')).split('\0').slice(0, -1), ['write', String(i), ...HOSTILE]);
						assert.equal(await text('variable'), HOSTILE.join('\n'));
						assert.equal(await text('index'), `${i}/3`);
						assert.ok((await text('environment')).split('\0').includes('strange.name=value'));
						assert.equal((await text('user')).trim(), String(SAMPLE_USER));
						assert.deepEqual(await file('common.bin'), Buffer.concat([COMMON, Buffer.from(lab.tag)]));
						assert.equal(await text('own.txt'), `own input of job ${i} of ${lab.tag}\n`);
						assert.match(await text('.b2d/log.txt'), new RegExp(`the sample of ${lab.tag} is done`));
					}
				},
			},
			{
				name: 'fetched again, nothing is transferred',
				run: async (lab) => {
					const { batch } = await mainBatch(lab);
					await fetchMain(lab, batch);
					const report = await fetchMain(lab, batch);
					assert.deepEqual([report.fetched.length, report.already.length], [0, 3]);
				},
			},
			{
				name: 'the log of an instance shows what the container said',
				run: async (lab) => {
					const { batch } = await mainBatch(lab);
					const [row] = await lab.select<{ id: number }>('SELECT id FROM result WHERE name = ?', `${batch.jobNames.at(0)!}_0`);
					const log = await instanceLog(await lab.project.database(), row!.id);
					assert.match(log.container, new RegExp(`the sample of ${lab.tag} is done`), log.text);
				},
			},
			{
				name: 'a job that fails shows its exit code and what it said',
				timeoutMs: BATCH_TIMEOUT_MS,
				run: async (lab, signal) => {
					const batch = await submit(lab, await sampleBatch(lab, 'fails', [{ command: ['fail'] }]));
					const [watched] = await watch(lab, [batch.id], signal);
					assert.equal(watched?.batch.state, 'failed', JSON.stringify(watched?.batch));
					const monitor = new ProjectMonitor({ ...quietContext(), database: () => lab.project.database() });
					const [job] = await monitor.jobs(batch.id);
					assert.equal(job?.state, 'failed');
					const instances = await monitor.instances(job.id);
					monitor.dispose();
					const [instance] = instances;
					assert.deepEqual([instance?.state, instance?.exitStatus], ['failed', 37], JSON.stringify(instances));
					assert.match(instance!.explanation, /37/);
					const log = await instanceLog(await lab.project.database(), instance!.id);
					assert.match(log.container, /the sample fails as it was told/, log.text);
					return `${instances.length} instances: ${instance!.explanation}`;
				},
			},
			{
				name: 'two submissions at once, each over its own connection, come out complete',
				timeoutMs: 180_000,
				run: async (lab) => {
					const jobs = Array.from({ length: 20 }, (_, i) => ({ command: ['write', String(i)], env: { B2D_INDEX: String(i) } }));
					const file = input(`first seen by two at once, ${lab.tag}\n`);
					const specs = [await sampleBatch(lab, 'left', jobs), await sampleBatch(lab, 'right', jobs)];
					const connection = await lab.target.connectAgain();
					const other = await openProject(connection, lab.project.root, quietContext());
					try {
						const batches = await Promise.all(
							[lab.project, other].map((project, i) =>
								submitBatch(project, { ...specs[i]!, inputs: [{ path: 'common.bin', file }] }, quietContext()),
							),
						);
						for (const batch of batches) {
							assert.deepEqual(
								(await rowsOf(lab, batch.id)).map((row) => row.name),
								listOf(batch.jobNames),
							);
							assert.equal(batch.jobNames.length, 20);
						}
						assert.equal(await lab.get(lab.downloadPath(file.name)), `first seen by two at once, ${lab.tag}\n`);
						for (const batch of batches) {
							await cancelBatch(lab.project, batch.id, quietContext());
						}
					} finally {
						other.dispose();
						await connection.close();
					}
				},
			},
			{
				name: 'cancelling ends the batch’s own jobs and leaves its neighbours alone',
				timeoutMs: BATCH_TIMEOUT_MS,
				run: async (lab, signal) => {
					const keep = await submit(
						lab,
						await sampleBatch(lab, 'kept', [{ command: ['sleep', '3'] }, { command: ['sleep', '3'] }]),
					);
					const end = await submit(
						lab,
						await sampleBatch(
							lab,
							'ended',
							Array.from({ length: 6 }, () => ({ command: ['sleep', '5'] })),
						),
					);
					const report = await cancelBatch(lab.project, end.id, quietContext());
					assert.ok((await rowsOf(lab, end.id)).every((row) => row.canonical_resultid > 0 || (row.error_mask & 16) !== 0));
					const [kept, ended] = await watch(lab, [keep.id, end.id], signal);
					assert.deepEqual([kept?.batch.state, kept?.batch.counts.done, ended?.batch.state], ['done', 2, 'cancelled']);
					const again = await cancelBatch(lab.project, keep.id, quietContext());
					assert.equal(again.cancelled, 0, 'a finished job was cancelled');
					assert.ok((await rowsOf(lab, keep.id)).every((row) => row.error_mask === 0));
					return `${report.cancelled} cancelled, ${report.running} on hosts`;
				},
			},
			{
				name: 'staging a name with other content is refused, with the same content it is free',
				run: async (lab) => {
					const name = `${lab.tag}_staged.txt`;
					lab.defer(`input ${name}`, () => lab.sh('rm -f "$1" "$1.md5"', lab.downloadPath(name)));
					const first = { name, content: contentOfBytes('the first content\n') };
					const sent = await stageFiles(lab.project, [first], quietContext());
					assert.deepEqual([sent.sent, sent.reused], [[name], []]);
					assert.match(await lab.get(`${lab.downloadPath(name)}.md5`), /^[0-9a-f]{32} 18\n$/);
					const again = await stageFiles(lab.project, [first], quietContext());
					assert.deepEqual([again.bytesSent, again.reused], [0, [name]]);
					await assert.rejects(
						stageFiles(lab.project, [{ name, content: contentOfBytes('another content\n') }], quietContext()),
						(error) => BoincError.is(error, 'file-collision'),
					);
					assert.equal(await lab.get(lab.downloadPath(name)), 'the first content\n');
				},
			},
			{
				name: 'a bad batch is refused and leaves nothing',
				run: async (lab) => {
					const before = await lab.select('SELECT id FROM batch ORDER BY id');
					const good = await sampleBatch(lab, 'bad', [{ command: ['write'] }]);
					await assert.rejects(submit(lab, { ...good, app: `${lab.tag}_absent` }), (error) =>
						BoincError.is(error, 'app-missing'),
					);
					await assert.rejects(submit(lab, { ...good, jobs: [] }), (error) => BoincError.is(error, 'job-invalid'));
					await assert.rejects(submit(lab, { ...good, jobs: [{ env: { 'a=b': 'c' } }] }), (error) =>
						BoincError.is(error, 'job-invalid'),
					);
					assert.deepEqual(await lab.select('SELECT id FROM batch ORDER BY id'), before);
				},
			},
			{
				name: 'undone, the project’s files are as before and the daemons run',
				timeoutMs: 180_000,
				run: async (lab) => {
					const { report, before } = await installedSample(lab);
					assert.ok(report.backupId);
					assert.deepEqual(await undoOnce(lab, report.backupId), []);
					assert.deepEqual(await projectFiles(lab), before);
					const status = await lab.tool('status', ['-v']);
					assert.match(status.stdout, /running +locked +no +feeder/);
					assert.ok(!status.stdout.includes(appName(lab)), status.stdout);
				},
			},
		],
	},
];
