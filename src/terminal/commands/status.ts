import { BoincError, isAbort } from '../../common/errors.js';
import { formatSeconds, plural } from '../../common/format.js';
import { systemClock } from '../../common/ports.js';
import { missingBatch } from '../../job/selectJobs.js';
import type { Eta } from '../../monitor/eta/estimate.js';
import { batchEta } from '../../monitor/eta/history.js';
import { explainErrorMask } from '../../monitor/exitStatus.js';
import { isFinalBatchState } from '../../monitor/jobState.js';
import { ProjectMonitor } from '../../monitor/projectMonitor.js';
import { instancesOf, serverTime } from '../../monitor/queries.js';
import type { Batch, Instance, Job } from '../../monitor/types.js';
import { claimantIdle } from '../../project/batches.js';
import type { Project } from '../../project/project.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, type Session, withProject } from '../session.js';
import { printable, table } from '../table.js';

interface StatusOptions extends GlobalOptions {
	readonly wait?: boolean;
	readonly jobs?: boolean;
}

export function monitorFor(session: Session): ProjectMonitor {
	return new ProjectMonitor({ log: session.ctx.log, clock: systemClock, database: () => session.project.database() });
}

/** `3 running, 1 queued` without the states that no job is in. */
export function countsText(batch: Batch): string {
	const parts = Object.entries(batch.counts).filter(([, n]) => n > 0);
	return parts.length === 0 ? 'no jobs' : parts.map(([state, n]) => `${n} ${state}`).join(', ');
}

/** A batch that is being submitted gains jobs all the time; after this long without one, nobody is at work on it. */
const SUBMISSION_STALLED_MS = 600_000;

/**
 * Waits until nothing in the batch will change any more, showing the counts meanwhile. Rejects with `submit-incomplete`
 * for a batch whose submission has stopped half-way.
 */
export async function waitForBatch(session: Session, batchId: number): Promise<Batch> {
	const monitor = monitorFor(session);
	const { clock } = session.ctx;
	let [total, grownAt] = [-1, 0];
	try {
		for (;;) {
			await monitor.poll();
			const batch = requireBatch(monitor.batches(), batchId, session.project);
			if (isFinalBatchState(batch.state)) {
				return batch;
			}
			if (batch.state !== 'preparing' || batch.total !== total) {
				[total, grownAt] = [batch.total, clock.now()];
			} else if ((await claimantIdle(session.project, batchId)) !== undefined) {
				grownAt = clock.now(); // it is filled up as jobs drain
			} else if (clock.now() - grownAt > SUBMISSION_STALLED_MS) {
				throw new BoincError(
					'submit-incomplete',
					`The submission of batch ${batchId} was interrupted: no job was added for ${formatSeconds(SUBMISSION_STALLED_MS / 1000)}.`,
					{
						remedy: `Complete it by the command that began it, or take it back with: boinc2docker cancel ${batchId}`,
						detail: { batch: batchId, jobs: batch.total },
					},
				);
			}
			session.ctx.progress.report({ message: `Batch ${batchId}: ${countsText(batch)}` });
			await clock.sleep(1_000, session.ctx.signal);
		}
	} catch (error) {
		if (isAbort(error)) {
			session.terminal.line(
				`Waiting has stopped; batch ${batchId} goes on. Follow it with “boinc2docker status ${batchId} --wait”, end it with “boinc2docker cancel ${batchId}”.`,
			);
		}
		throw error;
	} finally {
		monitor.dispose();
	}
}

export function requireBatch(batches: readonly Batch[], id: number, project: Project): Batch {
	const batch = batches.find((candidate) => candidate.id === id);
	if (!batch) {
		throw missingBatch(project, id);
	}
	return batch;
}

/** The exit code that a batch's end means for scripts. */
export function batchExitCode(batch: Batch): number {
	return batch.state === 'failed' || batch.state === 'cancelled' ? EXIT.jobsFailed : EXIT.ok;
}

/** All jobs of a batch with their instances. */
export async function jobsWithInstances(
	session: Session,
	monitor: ProjectMonitor,
	batchId: number,
): Promise<(Job & { instances: Instance[] })[]> {
	const all: (Job & { instances: Instance[] })[] = [];
	for (let after = 0; ;) {
		const page = await monitor.jobs(batchId, { after, limit: 500 });
		const last = page.at(-1);
		if (!last) {
			return all;
		}
		const instances = await instancesOf(
			await session.project.database(),
			page.map(({ id }) => id),
		);
		all.push(...page.map((job) => ({ ...job, instances: instances.filter(({ jobId }) => jobId === job.id) })));
		after = last.id;
	}
}

async function listBatches(session: Session, options: StatusOptions): Promise<number> {
	const monitor = monitorFor(session);
	await monitor.refresh();
	const batches = monitor.batches();
	monitor.dispose();
	if (options.json === true) {
		printJson({ batches });
	} else if (batches.length === 0) {
		console.log('No batches yet. Submit a Dockerfile with: boinc2docker submit Dockerfile');
	} else {
		const now = Date.now() / 1000;
		console.log(
			table(
				['batch', 'name', 'state', 'jobs', 'age'],
				batches.map((b) => [b.id, b.name, b.state, countsText(b), formatSeconds(now - b.createTime)]),
			),
		);
	}
	return EXIT.ok;
}

const BASIS: Readonly<Record<Eta['basis'], string>> = {
	history: '',
	earlier: ' (from earlier jobs like these)',
	records: ' (from the hosts’ records and the time that a job may take)',
};

async function showBatch(session: Session, batchId: number, options: StatusOptions): Promise<number> {
	if (options.wait === true) {
		await waitForBatch(session, batchId);
	}
	const monitor = monitorFor(session);
	await monitor.refresh();
	const batch = requireBatch(monitor.batches(), batchId, session.project);
	const jobs = await jobsWithInstances(session, monitor, batchId);
	monitor.dispose();
	const db = await session.project.database();
	const eta = await batchEta(db, batch);
	if (options.json === true) {
		printJson({ batch, jobs, ...(eta && { eta }) });
		return batchExitCode(batch);
	}
	session.terminal.clear();
	console.log(
		`Batch ${batch.id} “${printable(batch.name)}”: ${batch.state} — ${plural(batch.total, 'job')}: ${countsText(batch)}\n`,
	);
	if (eta) {
		const now = await serverTime(db);
		const after = (time: number): string => formatSeconds(Math.max(60, Math.round((time - now) / 60) * 60));
		console.log(`Expected end in ${after(eta.p50)}, with 90 % certainty in ${after(eta.p90)}${BASIS[eta.basis]}.\n`);
	}
	if (batch.state === 'preparing') {
		console.log(
			`It is being submitted at this moment, or its submission was interrupted; then complete it by the command that began it, or take it back with: boinc2docker cancel ${batch.id}\n`,
		);
	}
	const rows = jobs.map((job) => [
		job.name,
		job.state,
		job.instances.length,
		job.instances.at(-1)?.explanation ?? '',
		explainErrorMask(job.errorMask),
	]);
	console.log(table(['job', 'state', 'instances', 'latest instance', 'why it failed'], rows));
	return batchExitCode(batch);
}

export const statusCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('status')
		.description('list the batches, or the jobs of one batch')
		.argument('[batch]', 'number of the batch')
		.option('-w, --wait', 'wait until the batch is over')
		.action(async (batch: string | undefined, _own: unknown, command: { optsWithGlobals(): StatusOptions }) => {
			const options = command.optsWithGlobals();
			const id = batch === undefined ? undefined : parseBatch(batch);
			setExitCode(
				await withProject(options, (session) =>
					id === undefined ? listBatches(session, options) : showBatch(session, id, options),
				),
			);
		});
};

/** The number of a batch as typed. Throws `usage` for anything else. */
export function parseBatch(text: string): number {
	const id = /^\d{1,15}$/.test(text) ? Number(text) : 0;
	const [, batch] = /^b2d_(\d+)_\d{6}(?:_\d+)?$/.exec(text) ?? [];
	if (batch !== undefined) {
		throw new BoincError('usage', `“${text}” is the name of a job, not the number of a batch.`, {
			remedy: `How it stands: boinc2docker explain ${text}. What it said: boinc2docker log ${text}. Its batch: ${batch}.`,
		});
	}
	if (id === 0) {
		throw new BoincError('usage', `“${text}” is not the number of a batch.`, { remedy: 'Run: boinc2docker status' });
	}
	return id;
}
