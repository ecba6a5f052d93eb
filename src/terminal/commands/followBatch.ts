import path from 'node:path';

import type { ExpandedJobs } from '../../job/expandJobFile.js';
import type { Batch } from '../../monitor/types.js';
import { EXIT } from '../exitCode.js';
import { printJson } from '../register.js';
import type { Session } from '../session.js';
import type { SubmitOptions } from './jobOptions.js';
import { describeFetch, fetchBatch } from './results.js';
import { runThen } from './runThen.js';
import { batchExitCode, countsText, waitForBatch } from './status.js';

type Report = Awaited<ReturnType<typeof fetchBatch>>['report'];

/** Waits for a batch, fetches its results and runs what a job file has for its end; prints all that, with `--json` beside `said`. */
export async function followBatch(
	session: Session,
	said: object,
	{ id, then }: { readonly id: number; readonly then: ExpandedJobs['then'] },
	options: SubmitOptions,
): Promise<number> {
	const ended = await waitForBatch(session, id);
	const folder = options.fetch === undefined ? undefined : path.resolve(options.fetch);
	const report = folder === undefined ? undefined : (await fetchBatch(session, id, { folder })).report;
	session.terminal.clear();
	if (options.json !== true) {
		sayEnd(ended, report);
	}
	const thenCode = then && (await runThen(then, ended, report?.folder, options.json === true ? 'stderr' : 'stdout'));
	if (options.json === true) {
		printJson({ ...said, ended, results: report, then: thenCode });
	}
	const isIncomplete = report !== undefined && report.failed.length > 0;
	return isIncomplete || (thenCode ?? 0) !== 0 ? EXIT.failed : batchExitCode(ended);
}

function sayEnd(ended: Batch, report: Report | undefined): void {
	console.log(`Batch ${ended.id} is over: ${countsText(ended)}.`);
	if (report) {
		console.log(describeFetch(report, ended));
	} else if (ended.counts.done > 0) {
		console.log(`Fetch the results with: boinc2docker results ${ended.id}`);
	}
	if (ended.state !== 'done') {
		console.log(`What happened to each job: boinc2docker status ${ended.id}`);
		if (ended.counts.failed > 0) {
			console.log(`Why jobs failed: boinc2docker explain ${ended.id}`);
		}
	}
}
