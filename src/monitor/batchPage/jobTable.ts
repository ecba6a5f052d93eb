import { CANCELLED, GIVEN_UP } from '../../project/errorMask.js';
import { jobPage } from '../jobPages.js';
import { instancesOf, type Queries } from '../queries.js';
import type { Instance, Job } from '../types.js';

/** Which jobs of a batch a table shows, and in which order. */
export interface TableView {
	readonly filter: TableFilter;
	/** Part of a job's name; empty for all. */
	readonly text: string;
	readonly order: 'ascending' | 'descending';
}

export const TABLE_FILTERS = ['all', 'open', 'done', 'failed', 'cancelled'] as const;
export type TableFilter = (typeof TABLE_FILTERS)[number];

const CONDITIONS: Readonly<Record<TableFilter, string>> = {
	all: '',
	open: ' AND canonical_resultid = 0 AND error_mask = 0',
	done: ' AND canonical_resultid > 0',
	failed: ` AND ${GIVEN_UP}`,
	cancelled: ` AND canonical_resultid = 0 AND ${CANCELLED}`,
};

/** A job with its latest instance and how many there were. */
export interface JobRow {
	readonly job: Job;
	readonly latest: Instance | undefined;
	readonly tries: number;
}

/**
 * The ids of a batch's jobs in the order of the table, read once from the index of batches; rows are then read by range.
 * A million ids are a few megabytes, and no row is passed over again and again as `OFFSET` would.
 */
export async function tableIds(db: Queries, batchId: number, view: TableView): Promise<number[]> {
	const like = view.text === '' ? '' : " AND name LIKE ? ESCAPE '!'";
	const rows = await db.select(
		`SELECT id FROM workunit WHERE batch = ?${CONDITIONS[view.filter]}${like} ORDER BY id ${view.order === 'ascending' ? 'ASC' : 'DESC'}`,
		[batchId, ...(view.text === '' ? [] : [`%${view.text.replace(/[!%_]/g, '!$&')}%`])],
	);
	return rows.map((row) => Number(row.id));
}

/** The rows of some jobs of a batch, in the order of `ids`; jobs that were purged meanwhile are missing. */
export async function tableRows(db: Queries, batchId: number, ids: readonly number[]): Promise<JobRow[]> {
	if (ids.length === 0) {
		return [];
	}
	const [jobs, instances] = [await jobsOf(db, batchId, ids), await instancesOf(db, ids)];
	const byJob = new Map<number, Instance[]>();
	for (const instance of instances) {
		byJob.set(instance.jobId, [...(byJob.get(instance.jobId) ?? []), instance]);
	}
	return ids.flatMap((id) => {
		const job = jobs.get(id);
		const own = byJob.get(id) ?? [];
		// The one that counts: the accepted one, else the newest.
		const latest = own.find((instance) => instance.id === job?.canonicalInstanceId) ?? own.at(-1);
		return job ? [{ job, latest, tries: own.length }] : [];
	});
}

/** Neighbours in a batch are neighbours by id mostly, so the page between the smallest and the largest holds little else. */
async function jobsOf(db: Queries, batchId: number, ids: readonly number[]): Promise<Map<number, Job>> {
	const wanted = new Set(ids);
	const found = new Map<number, Job>();
	for (let rest = [...ids].sort((a, b) => a - b); rest[0] !== undefined;) {
		const page = await jobPage(db, batchId, { after: rest[0] - 1, limit: rest.length });
		for (const job of page.filter(({ id }) => wanted.has(id))) {
			found.set(job.id, job);
		}
		const last = page.at(-1)?.id ?? Infinity;
		rest = rest.filter((id) => id > last);
	}
	return found;
}
