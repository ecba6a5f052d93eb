import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { quietContext } from '../src/common/ports.js';
import type { Argv } from '../src/connection/connection.js';
import { run as runCommand } from '../src/connection/run.js';
import { cancelBatch } from '../src/job/cancel.js';
import { createWorkArguments, type CreateWorkOptions } from '../src/job/createWork.js';
import { createBatch } from '../src/project/batches.js';
import type { Project } from '../src/project/project.js';
import { file, savedImage, tarOf } from '../test/support/savedImages.js';
import { sandboxSite, type Site, targetSite } from './submit/site.js';
import { leaveOutNativeModules } from './support/nativeModules.js';

/** Medians of so many turns, each contender once a turn; one turn for many jobs. */
const TURNS = 3;
const MANY = 50_000;
/** Jobs that are made with a process each. */
const SINGLE = 20;

interface Figures {
	readonly jobs: number;
	readonly oursSeconds: number;
	readonly rawStdinSeconds: number;
	readonly ratio: number;
	readonly jobsPerSecond: number;
	readonly onePerProcessJobsPerSecond: number;
	readonly peakMemoryMb: number;
	readonly stagedFiles: number;
}

/**
 * Submitting a sweep of three parameters on one shared image: our command line from its start to its end, against the lines that
 * it makes piped by hand into the project's own `create_work --stdin`, over a connection made for it. The image is on the
 * server already. On the sandbox, or with `--target ADDRESS` (`--identity`, `--known-hosts`, `--app`) on any project; there the
 * jobs are cancelled at the end. `--jobs 10000,100000` are the sizes. The keys at the top are those of the first size. With
 * `--ours-only` nothing is compared: what a million jobs take.
 */
export async function run(words: readonly string[]): Promise<Record<string, unknown>> {
	leaveOutNativeModules();
	const text = { type: 'string' } as const;
	const { values } = parseArgs({
		args: [...words],
		options: {
			...{ target: text, identity: text, 'known-hosts': text, app: text },
			jobs: { ...text, default: '10000,100000' },
			'ours-only': { type: 'boolean', default: false },
		},
	});
	const { target: server, identity, 'known-hosts': knownHosts, app } = values;
	const site =
		server === undefined
			? await sandboxSite()
			: await targetSite({ server, ...(identity && { identity }), ...(knownHosts && { knownHosts }), ...(app && { app }) });
	try {
		const layer = tarOf([file('app', '#!/bin/sh\n', { mode: 0o755 })]);
		await writeFile(path.join(site.dir, 'image.tar'), savedImage('docker 25', [layer], { config: { Cmd: ['/app'] } }));
		await measureOurs(site, 100); // the image, and what is read for the first time
		const runs: (Figures | OurFigures)[] = [];
		for (const jobs of values.jobs.split(',').map(Number)) {
			runs.push(values['ours-only'] ? await measureAlone(site, jobs) : await measure(site, jobs));
		}
		return { ...runs[0], runs };
	} finally {
		await site.close();
	}
}

type OurFigures = Pick<Figures, 'jobs' | 'oursSeconds' | 'jobsPerSecond' | 'peakMemoryMb' | 'stagedFiles'>;

async function measureAlone(site: Site, jobs: number): Promise<OurFigures> {
	const { seconds, peakMemoryMb, stagedFiles } = await measureOurs(site, jobs);
	return { jobs, oursSeconds: seconds, jobsPerSecond: jobs / seconds, peakMemoryMb, stagedFiles };
}

async function measure(site: Site, jobs: number): Promise<Figures> {
	const ours: { seconds: number; peakMemoryMb: number; stagedFiles: number }[] = [];
	const raw: number[] = [];
	const single: number[] = [];
	for (let turn = 0; turn < (jobs < MANY ? TURNS : 1); turn++) {
		const run = await measureOurs(site, jobs);
		ours.push(run);
		const byHand = await measureByHand(site, run.batch);
		raw.push(byHand.stdinSeconds);
		single.push(byHand.singleSeconds);
	}
	const oursSeconds = median(ours.map(({ seconds }) => seconds));
	const rawStdinSeconds = median(raw);
	return {
		jobs,
		oursSeconds,
		rawStdinSeconds,
		ratio: oursSeconds / rawStdinSeconds,
		jobsPerSecond: jobs / oursSeconds,
		onePerProcessJobsPerSecond: SINGLE / median(single),
		peakMemoryMb: Math.max(...ours.map(({ peakMemoryMb }) => peakMemoryMb)),
		stagedFiles: median(ours.map(({ stagedFiles }) => stagedFiles)),
	};
}

/** A grid of three parameters. */
async function measureOurs(
	site: Site,
	jobs: number,
): Promise<{ batch: number; seconds: number; peakMemoryMb: number; stagedFiles: number }> {
	const jobFile = path.join(site.dir, 'boinc2docker.yml');
	await writeFile(
		jobFile,
		`name: bench ${String(jobs)}
archive: image.tar
command: /app {{alpha}} {{beta}} {{gamma}}
sweep:
  grid:
    alpha: { from: 0.001, to: ${String(jobs / 100_000)}, count: ${String(jobs / 100)} }
    beta: { from: 1, to: 10, step: 1 }
    gamma: { from: 1, to: 10, step: 1 }
  most: ${String(jobs)}
`,
	);
	const before = await stagedFiles(site);
	const run = await site.submit([jobFile]);
	await site.byHand(async ({ project }) => {
		const database = await project.database();
		const [row] = await database.select<{ n: number }>('SELECT COUNT(*) AS n FROM workunit WHERE batch = ?', [run.batch]);
		if (row?.n !== jobs) {
			throw new Error(`there are ${String(row?.n)} of ${jobs} jobs`);
		}
	});
	return { ...run, stagedFiles: (await stagedFiles(site)) - before };
}

async function stagedFiles(site: Site): Promise<number> {
	let files = 0;
	await site.byHand(async ({ project }) => {
		const argv: Argv = ['find', project.config.downloadDir, '-type', 'f', '-name', 'b2d_*', '!', '-name', '*.md5'];
		const { stdout } = await runCommand(project.connection, argv, { doing: 'count files' });
		files = stdout.toString('utf8').split('\n').length - 1;
	});
	return files;
}

interface Row {
	readonly name: string;
	readonly xml_doc: Buffer;
}

/** Makes the jobs of a batch a second time, under other names, as a person would with a file of lines; cancels both batches. */
async function measureByHand(site: Site, batch: number): Promise<{ stdinSeconds: number; singleSeconds: number }> {
	let argv: Argv = ['true'];
	let lines: string[] = [];
	await site.byHand(async ({ project }) => {
		const database = await project.database();
		for (let last = ''; ;) {
			const rows = await database.select<Row>(
				'SELECT name, xml_doc FROM workunit WHERE batch = ? AND name > ? ORDER BY name LIMIT 20000',
				[batch, last],
			);
			lines = lines.concat(rows.map(({ name, xml_doc }) => `--wu_name raw_${name} ${tableOf(xml_doc)}`));
			if (rows.length === 0) {
				break;
			}
			last = rows.at(-1)?.name ?? '';
		}
		argv = await commandOf(project, batch);
	});
	const started = performance.now();
	await site.byHand(async ({ project }) => {
		const stdin = lines.map((line) => `${line}\n`).join('');
		await runCommand(project.connection, [...argv, '--stdin'], {
			cwd: project.root,
			stdin,
			timeoutMs: 3_600_000,
			doing: 'make jobs by hand',
		});
	});
	const stdinSeconds = (performance.now() - started) / 1000;
	let singleSeconds = 0;
	await site.byHand(async ({ project }) => {
		const since = performance.now();
		for (const line of lines.slice(0, SINGLE)) {
			const [, name = '', table = ''] = line.split(' ');
			await runCommand(project.connection, [...argv, '--wu_name', `one_${name}`, table], {
				cwd: project.root,
				doing: 'make a job',
			});
		}
		singleSeconds = (performance.now() - since) / 1000;
		await cancelBatch(project, batch, quietContext());
		await cancelBatch(project, Number(argv[argv.indexOf('--batch') + 1]), quietContext());
	});
	return { stdinSeconds, singleSeconds };
}

const tableOf = (xml: Buffer): string => /b2d_params_[0-9a-f]{32}/.exec(xml.toString('utf8'))?.[0] ?? '';

/** `create_work` with the templates and options of a batch, for a batch of its own. */
async function commandOf(project: Project, batch: number): Promise<Argv> {
	const database = await project.database();
	const [row] = await database.select<Record<string, number> & { app: string; result_template_file: string; appid: number }>(
		`SELECT w.*, a.name AS app FROM workunit w JOIN app a ON a.id = w.appid WHERE w.batch = ? LIMIT 1`,
		[batch],
	);
	const { stdout } = await runCommand(project.connection, ['sh', '-c', 'ls -t templates/b2d_in_* | head -n 1'], {
		cwd: project.root,
		doing: 'find the template',
	});
	const number = (column: string): number => row?.[column] ?? 0;
	const options: CreateWorkOptions = {
		appname: row?.app ?? '',
		wuTemplate: stdout.toString('utf8').trim(),
		resultTemplate: row?.result_template_file ?? '',
		batch: await createBatch(project, { name: 'bench by hand', appId: number('appid'), description: '' }),
		minQuorum: number('min_quorum'),
		targetNresults: number('target_nresults'),
		maxErrorResults: number('max_error_results'),
		maxTotalResults: number('max_total_results'),
		maxSuccessResults: number('max_success_results'),
		rscFpopsEst: number('rsc_fpops_est'),
		rscFpopsBound: number('rsc_fpops_bound'),
		rscMemoryBound: number('rsc_memory_bound'),
		rscDiskBound: number('rsc_disk_bound'),
		delayBound: number('delay_bound'),
	};
	return [project.tool('create_work'), ...createWorkArguments(options)];
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
