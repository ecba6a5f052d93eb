import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import { plural } from '../../common/format.js';
import { type FetchReport, fetchResults } from '../../monitor/results/fetchResults.js';
import { isFinalBatchState } from '../../monitor/jobState.js';
import type { ProjectMonitor } from '../../monitor/projectMonitor.js';
import type { Batch } from '../../monitor/types.js';
import { resultsDirectory } from '../../project/resultsDirectory.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, type Session, withProject } from '../session.js';
import { printable } from '../table.js';
import { countsText, jobsWithInstances, monitorFor, parseBatch, requireBatch } from './status.js';

interface ResultsOptions extends GlobalOptions {
	readonly output: string;
	readonly job?: string[];
}

/** Fetches the results of a batch into `folder` and says what happened. */
export async function fetchBatch(
	session: Session,
	batchId: number,
	folder: string,
	jobs?: readonly string[],
): Promise<{ batch: Batch; report: FetchReport }> {
	const monitor = monitorFor(session);
	await monitor.refresh();
	const batch = requireBatch(monitor.batches(), batchId, session.project);
	if (jobs) {
		await requireJobs(session, monitor, batch, jobs);
	}
	monitor.dispose();
	const resultsDir = await resultsDirectory(session.project, batch.appId);
	const report = await fetchResults(session.connection, { resultsDir, batch, folder, ...(jobs && { jobs }) }, session.ctx);
	return { batch, report };
}

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

/** Why a batch has no results to fetch. */
function noResults(batch: Batch): string {
	if (!isFinalBatchState(batch.state)) {
		return `There are no results yet: ${countsText(batch)}.`;
	}
	return `Batch ${batch.id} has no results, and will have none: ${countsText(batch)}. What happened: boinc2docker status ${batch.id}`;
}

export function describeFetch(report: FetchReport, batch: Batch): string {
	const lines = [
		report.fetched.length === 0 && report.failed.length === 0
			? report.already.length === 0
				? noResults(batch)
				: `All ${report.already.length} results are in ${report.folder} already.`
			: `Fetched ${plural(report.fetched.length, 'result')} into ${report.folder}`,
		...report.failed.map(({ job, why }) => `Not fetched: ${job}: ${why}`),
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
		.option('--job <name...>', 'only these jobs')
		.action(async (text: string, _own: unknown, command: { optsWithGlobals(): ResultsOptions }) => {
			const options = command.optsWithGlobals();
			const id = parseBatch(text);
			setExitCode(
				await withProject(options, async (session) => {
					const { batch, report } = await fetchBatch(session, id, path.resolve(options.output), options.job);
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
