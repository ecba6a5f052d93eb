import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import { plural } from '../../common/format.js';
import { given } from '../../common/given.js';
import type { Progress } from '../../common/ports.js';
import { isFinalBatchState } from '../../monitor/jobState.js';
import type { ProjectMonitor } from '../../monitor/projectMonitor.js';
import { BatchResults } from '../../monitor/results/batchResults.js';
import type { FetchReport } from '../../monitor/results/fetchRequest.js';
import type { Batch } from '../../monitor/types.js';
import { EXIT } from '../exitCode.js';
import { collected, printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, type Session, withProject } from '../session.js';
import { printable } from '../table.js';
import { countsText, jobsWithInstances, monitorFor, parseBatch, requireBatch } from './status.js';

/** Milliseconds between two looks for new results. */
const WATCH_MS = 2000;

interface ResultsOptions extends GlobalOptions {
	readonly output: string;
	readonly job?: string[];
	readonly watch?: boolean;
	readonly names?: string;
}

export interface FetchBatchOptions {
	readonly folder: string;
	/** Only these jobs. */
	readonly jobs?: readonly string[];
	readonly naming?: 'parameters' | 'job';
	/** Called after each pass while the batch is followed to its end; absent: one pass. */
	readonly onPass?: (report: FetchReport, batch: Batch) => void;
}

/** Fetches the results of a batch; with `onPass` again and again until the batch is over. */
export async function fetchBatch(
	session: Session,
	batchId: number,
	{ folder, jobs, naming, onPass }: FetchBatchOptions,
): Promise<{ batch: Batch; report: FetchReport }> {
	const monitor = monitorFor(session);
	try {
		await monitor.refresh();
		const first = requireBatch(monitor.batches(), batchId, session.project);
		if (jobs) {
			await requireJobs(session, monitor, first, jobs);
		}
		const results = new BatchResults(session.project, first);
		const fetched: string[] = [];
		for (;;) {
			const batch = requireBatch(monitor.batches(), batchId, session.project);
			const isFirst = fetched.length === 0;
			// What has come is told by `onPass`.
			const ctx = onPass ? { ...session.ctx, progress: withoutCounts(session.ctx.progress) } : session.ctx;
			const pass = await results.fetch({ folder, removed: isFirst ? 'restore' : 'leave', ...given({ jobs, naming }) }, ctx);
			onPass?.(pass, batch);
			fetched.push(...pass.fetched);
			if (!onPass || isFinalBatchState(batch.state)) {
				const already = pass.already.filter((job) => !fetched.includes(job));
				return { batch, report: { ...pass, fetched, already } };
			}
			session.ctx.progress.report({ message: `Batch ${batchId}: ${countsText(batch)}` });
			await session.ctx.clock.sleep(WATCH_MS, session.ctx.signal);
			await monitor.refresh();
		}
	} finally {
		monitor.dispose();
	}
}

const withoutCounts = (progress: Progress): Progress => ({
	report: (update) => {
		if (update.current === undefined) {
			progress.report(update);
		}
	},
});

/** Names of jobs that a person typed must be those of the batch. */
async function requireJobs(session: Session, monitor: ProjectMonitor, batch: Batch, names: readonly string[]): Promise<void> {
	const known = new Set((await jobsWithInstances(session, monitor, batch.id)).map(({ name }) => name));
	const missing = names.filter((name) => !known.has(name));
	if (missing.length > 0) {
		throw new BoincError('usage', `Batch ${batch.id} has no job ${missing.join(', ')}.`, {
			remedy: `For the names of its jobs: boinc2docker status ${batch.id}`,
		});
	}
}

/** How a person wants folders to be called. */
function namingOf(text: string | undefined): 'parameters' | 'job' | undefined {
	if (text !== undefined && text !== 'parameters' && text !== 'job') {
		throw new BoincError('usage', `“${text}” is no way to name folders.`, { remedy: 'Give --names parameters or --names job.' });
	}
	return text;
}

/** Why a batch has no results to fetch. */
function noResults(batch: Batch): string {
	if (!isFinalBatchState(batch.state)) {
		return `There are no results yet: ${countsText(batch)}.`;
	}
	return `Batch ${batch.id} has no results, and will have none: ${countsText(batch)}. What happened: boinc2docker status ${batch.id}`;
}

/** Jobs from which no result is to be expected. */
function withoutResult({ id, counts }: Batch): string[] {
	const { failed, cancelled } = counts;
	const parts = [failed > 0 ? `${failed} failed` : '', cancelled > 0 ? `${cancelled} cancelled` : ''].filter(
		(part) => part !== '',
	);
	return parts.length === 0 ? [] : [`No result will come of other jobs: ${parts.join(', ')}. Why: boinc2docker explain ${id}`];
}

export function describeFetch(report: FetchReport, batch: Batch): string {
	const { fetched, failed, already, folder } = report;
	const hasNone = fetched.length + failed.length + already.length === 0;
	const lines = [
		fetched.length === 0 && failed.length === 0
			? hasNone
				? noResults(batch)
				: already.length === 1
					? `The result is in ${folder} already.`
					: `All ${already.length} results are in ${folder} already.`
			: `Fetched ${plural(fetched.length, 'result')} into ${folder}`,
		...(hasNone ? [] : withoutResult(batch)),
		...failed.map(({ job, why }) => `Not fetched: ${job}: ${why}`),
		...report.refused.map((entry) => `Not unpacked: ${entry}`),
	];
	return lines.map(printable).join('\n');
}

export const resultsCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('results')
		.description('fetch the results of a batch that are not here yet')
		.argument('<batch>', 'number of the batch')
		.option('-o, --output <folder>', 'folder for the results', 'results')
		.option('--job <name>', 'only this job; may be repeated', collected)
		.option('-w, --watch', 'go on until the batch is over, and fetch results as they come')
		.option('--names <kind>', 'name folders by “parameters”, where they tell jobs apart, or by “job”', 'parameters')
		.action(async (text: string, _own: unknown, command: { optsWithGlobals(): ResultsOptions }) => {
			const options = command.optsWithGlobals();
			const id = parseBatch(text);
			setExitCode(
				await withProject(options, async (session) => {
					const say = (pass: FetchReport): void => {
						session.terminal.clear();
						pass.fetched.forEach((job) => session.terminal.line(`Fetched ${printable(job)}`));
					};
					const { batch, report } = await fetchBatch(session, id, {
						folder: path.resolve(options.output),
						...given({ jobs: options.job, naming: namingOf(options.names), onPass: options.watch === true ? say : undefined }),
					});
					session.terminal.clear();
					if (options.json === true) {
						printJson(report);
					} else {
						console.log(describeFetch(report, batch));
					}
					return report.failed.length > 0 ? EXIT.failed : EXIT.ok;
				}),
			);
		});
};
