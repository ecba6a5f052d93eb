import path from 'node:path';

import { plural } from '../../common/format.js';
import { type FetchReport, fetchResults } from '../../monitor/fetchResults.js';
import { resultsDirectory } from '../../project/resultsDirectory.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, type Session, withProject } from '../session.js';
import { printable } from '../table.js';
import { monitorFor, parseBatch, requireBatch } from './status.js';

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
): Promise<FetchReport> {
	const monitor = monitorFor(session);
	await monitor.refresh();
	const batch = requireBatch(monitor.batches(), batchId, session.project);
	monitor.dispose();
	const resultsDir = await resultsDirectory(session.project, batch.appId);
	return fetchResults(session.connection, { resultsDir, batch, folder, ...(jobs && { jobs }) }, session.ctx);
}

export function describeFetch(report: FetchReport): string {
	const lines = [
		report.fetched.length === 0 && report.failed.length === 0
			? report.already.length === 0
				? 'There are no results yet.'
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
					const report = await fetchBatch(session, id, path.resolve(options.output), options.job);
					session.terminal.clear();
					if (options.json === true) {
						printJson(report);
					} else {
						console.log(describeFetch(report));
					}
					return report.failed.length > 0 ? EXIT.failed : EXIT.ok;
				}),
			);
		});
};
