import { BoincError } from '../../common/errors.js';
import { countedBatch } from '../batchStore.js';
import { jobPage } from '../jobPages.js';
import { emptyCounts } from '../jobState.js';
import type { Queries } from '../queries.js';
import type { Batch, JobState } from '../types.js';
import type { Subject } from './explanation.js';

/** The jobs that a question is about. */
export interface JobFacts {
	/** The batch's id; 0 for a job without one. */
	readonly batchId: number;
	readonly appId: number;
	/** For one job: its id. */
	readonly jobId: number | undefined;
	readonly jobName: string;
	readonly counts: Readonly<Record<JobState, number>>;
	readonly total: number;
	/** The batch is still being submitted, or its submission was interrupted. */
	readonly preparing: boolean;
}

/** Reads what a subject is about. Rejects with `batch-missing` or `result-missing` when it is gone. */
export async function factsOf(db: Queries, subject: Subject): Promise<JobFacts> {
	if (subject.kind === 'batch') {
		const batch = await oneBatch(db, subject.id);
		return {
			batchId: batch.id,
			appId: batch.appId,
			jobId: undefined,
			jobName: '',
			counts: batch.counts,
			total: batch.total,
			preparing: batch.state === 'preparing',
		};
	}
	const [row] = await db.select(
		subject.kind === 'job'
			? 'SELECT id, name, batch, appid FROM workunit WHERE id = ?'
			: 'SELECT w.id, w.name, w.batch, w.appid FROM result r JOIN workunit w ON w.id = r.workunitid WHERE r.id = ?',
		[subject.id],
	);
	if (!row) {
		throw new BoincError('result-missing', `The ${subject.kind} ${subject.id} is no longer in the project's database.`, {
			remedy: 'The project has purged it. Refresh the view.',
		});
	}
	const jobId = Number(row.id);
	const batchId = Number(row.batch);
	const [job] = await jobPage(db, batchId, { after: jobId - 1, limit: 1 });
	return {
		batchId,
		appId: Number(row.appid),
		jobId,
		jobName: String(row.name),
		counts: { ...emptyCounts(), [job?.id === jobId ? job.state : 'created']: 1 },
		total: 1,
		preparing: false,
	};
}

async function oneBatch(db: Queries, id: number): Promise<Batch> {
	const batch = await countedBatch(db, id);
	if (!batch) {
		throw new BoincError('batch-missing', `The project’s database has no batch ${id}, or has it no longer.`, {
			remedy: 'Run the status command for the batches that there are.',
			detail: { id },
		});
	}
	return batch;
}
