import { BoincError } from '../common/errors.js';
import { eachParallel } from '../common/parallel.js';
import { readFile } from '../connection/files.js';
import { type JobParameters, parseTable } from '../job/parameters.js';
import type { Project } from '../project/project.js';
import { parameterColumns } from './results/batchNames.js';
import type { Queries } from './rows.js';
import { jobSpans } from './stateQueries.js';

const TABLE_BYTES = 2 << 20;
/** Tables that are read at a time. */
const PARALLEL = 4;

/**
 * What each job of a batch was told, by its name, from the tables that travel with the jobs. Rejects with `file-not-found` when a table is
 * not on the server any more.
 */
export async function jobParameters(project: Project, batchId: number): Promise<Map<string, JobParameters>> {
	const names = await tableNames(await project.database(), batchId);
	const tables = new Map<string, ReadonlyMap<string, JobParameters>>();
	await eachParallel(names, PARALLEL, async (name) => {
		const bytes = await readFile(project.connection, project.downloadPath(name), { maxBytes: TABLE_BYTES });
		tables.set(name, parseTable(bytes.toString('utf8')));
	});
	return new Map(names.flatMap((name) => [...(tables.get(name) ?? [])]));
}

/** Names of the parameter tables of a batch's jobs, which stand in the XML of each: `b2d_params_` and 32 digits. */
async function tableNames(db: Queries, batchId: number): Promise<string[]> {
	const names = new Set<string>();
	for (const { first, last } of (await jobSpans(db, [batchId])).get(batchId) ?? []) {
		const rows = await db.select(
			`SELECT DISTINCT SUBSTRING(xml_doc, LOCATE('b2d_params_', xml_doc), 43) AS name FROM workunit
			WHERE id BETWEEN ? AND ? AND batch = ? AND LOCATE('b2d_params_', xml_doc) > 0`,
			[first, last, batchId],
		);
		rows.forEach(({ name }) => names.add(String(name)));
	}
	return [...names].filter((name) => /^b2d_params_[0-9a-f]{32}$/.test(name));
}

/** Larger batches are not put together by parameters: all their tables would have to be read first. */
const MOST_JOBS = 200_000;

/** The values that differ between the jobs of a batch, by label: what they can be put together by. */
export interface DifferingParameters {
	/** Those with fewest values first. */
	readonly labels: readonly string[];
	/** Job names by value, of one label; jobs that lack it are under the empty text. */
	readonly groups: (label: string) => ReadonlyMap<string, readonly string[]>;
}

/** Reads what differs between the jobs of a batch. Rejects with `job-invalid` when there are too many, or `file-not-found`. */
export async function differingParameters(
	project: Project,
	batch: { readonly id: number; readonly total: number },
): Promise<DifferingParameters> {
	if (batch.total > MOST_JOBS) {
		throw new BoincError('job-invalid', `Batch ${batch.id} has ${batch.total} jobs: too many to put together by parameters.`, {
			remedy: 'Group by state, host or exit code.',
		});
	}
	return differing(await jobParameters(project, batch.id));
}

/** Pure. */
export function differing(jobs: ReadonlyMap<string, JobParameters>): DifferingParameters {
	const values = parameterColumns(jobs);
	const groups = (label: string): Map<string, string[]> => {
		const found = new Map<string, string[]>();
		for (const [job, told] of values) {
			const value = told.get(label) ?? '';
			const members = found.get(value);
			if (members) {
				members.push(job);
			} else {
				found.set(value, [job]);
			}
		}
		const sorted = [...found].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true }));
		return new Map(sorted);
	};
	const labels = [...new Set([...values.values()].flatMap((told) => [...told.keys()]))];
	const sizes = new Map(labels.map((label) => [label, groups(label).size]));
	return { labels: labels.sort((a, b) => (sizes.get(a) ?? 0) - (sizes.get(b) ?? 0)), groups };
}
