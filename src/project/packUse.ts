import type { OperationContext } from '../common/ports.js';
import type { ProjectDatabase } from './database.js';
import type { Project } from './project.js';

/** Which jobs have a pack among their inputs. */
export interface PackUse {
	/** Ascending; without jobs that belong to no batch. */
	readonly batches: readonly number[];
	/** An unfinished job has it. */
	readonly needed: boolean;
}

/** Apps whose jobs can have packs. */
const OUR_APPS = `SELECT DISTINCT appid AS id FROM app_version WHERE plan_class LIKE '%docker%' OR plan_class LIKE '%vbox%'`;

/**
 * All jobs of a batch of ours, told by their names, have the same packs: one stands for them. Jobs of others are looked at
 * one by one (0: ours; -1: without packs).
 */
const GROUP = `CASE WHEN w.batch > 0 AND LOCATE(CONCAT('b2d_', w.batch, '_'), w.name) = 1 THEN 0
	WHEN INSTR(w.xml_doc, 'b2d_pack_') > 0 THEN w.id ELSE -1 END`;

/** A page of the jobs in one state. `wu_assim` ends with the id, as each index of InnoDB does. */
const JOBS = `
	SELECT batch, job_group, MIN(id) AS first_id, MAX(id) AS last_id, MAX(id) AS cursor_id, COUNT(*) AS n FROM (
		SELECT w.id, w.batch, ${GROUP} AS job_group FROM workunit w FORCE INDEX (wu_assim)
		WHERE w.appid = ? AND w.assimilate_state = ? AND w.id > ? ORDER BY w.id LIMIT ?
	) page GROUP BY batch, job_group`;

/** A page of the instances in one state; counted are those of jobs that `JOBS` does not find. */
const INSTANCES = `
	SELECT w.batch, IF(w.assimilate_state = 2, ${GROUP}, -1) AS job_group,
		MIN(w.id) AS first_id, MAX(w.id) AS last_id, MAX(page.id) AS cursor_id, COUNT(*) AS n
	FROM (
		SELECT r.id, r.workunitid FROM result r FORCE INDEX (res_app_state)
		WHERE r.appid = ? AND r.server_state = ? AND r.id > ? ORDER BY r.id LIMIT ?
	) page LEFT JOIN workunit w ON w.id = page.workunitid GROUP BY w.batch, job_group`;

/** One job of each batch, newest first; `wu_batch` is looked at once a batch. */
const BATCHES = 'SELECT batch, MIN(id) AS id FROM workunit WHERE batch > 0 GROUP BY batch ORDER BY batch DESC LIMIT ?';

const DOCUMENTS = 'SELECT batch, xml_doc FROM workunit FORCE INDEX (PRIMARY) WHERE id IN (?) AND appid IN (?)';

const PAGE = 20_000;
/** So many documents have at most 4 MB. */
const DOCUMENTS_AT_ONCE = 64;
/** Older batches are not told for finished jobs. */
const MOST_BATCHES = 1000;

/** `assimilate_state` before the assimilator is done. */
const UNASSIMILATED = [0, 1];
/** `server_state` of an instance that is not over: inactive, unsent, in progress, and two numbers that are unused. */
const NOT_OVER = [0, 1, 2, 3, 4];

interface Group {
	readonly batch: number | null;
	readonly job_group: number;
	readonly first_id: number | null;
	readonly last_id: number | null;
	readonly cursor_id: number;
	readonly n: number;
}

/**
 * The packs that unfinished jobs have. Unfinished is a job that the assimilator is not done with: it may get more instances, also
 * after a validator or an assimilator was set right; and a job of which an instance is not over though the job is: it was
 * cancelled, or another instance sufficed, and a host may just be downloading. A job with `assimilate_state` 2 gets no more instances.
 * Instances are asked for after the jobs, so what moves from one to the other meanwhile is seen once at least.
 */
export async function neededPacks(project: Project, ctx: OperationContext): Promise<ReadonlySet<string>> {
	return new Set((await unfinishedUse(project, await ourApps(project, ctx), ctx)).map(({ name }) => name));
}

/** Which packs the jobs in the database have: all unfinished jobs, and the finished ones of the newest batches. */
export async function packUse(project: Project, ctx: OperationContext): Promise<ReadonlyMap<string, PackUse>> {
	const apps = await ourApps(project, ctx);
	const needed = await unfinishedUse(project, apps, ctx);
	const database = await project.database();
	const batches = apps.length === 0 ? [] : await database.select<{ id: number }>(BATCHES, [MOST_BATCHES], ctx.signal);
	const all = [
		...needed,
		...(await usesOf(
			database,
			apps,
			batches.map(({ id }) => id),
			ctx,
		)),
	];
	const use = new Map<string, Set<number>>();
	for (const { name, batch } of all) {
		use.set(name, (use.get(name) ?? new Set()).add(batch));
	}
	const neededNames = new Set(needed.map(({ name }) => name));
	return new Map(
		[...use].map(([name, numbers]) => [
			name,
			{ batches: [...numbers].filter((batch) => batch > 0).sort((a, b) => a - b), needed: neededNames.has(name) },
		]),
	);
}

/** The names of packs in the XML of a job. */
export function packsInDocument(xml: Buffer | string): string[] {
	const names = xml.toString('latin1').match(/\bb2d_pack_[0-9a-f]{32}\.tar\.gz(?![\w.-])/g) ?? [];
	return [...new Set(names)];
}

async function ourApps(project: Project, ctx: OperationContext): Promise<number[]> {
	const database = await project.database();
	return (await database.select<{ id: number }>(OUR_APPS, [], ctx.signal)).map(({ id }) => id);
}

interface Use {
	readonly name: string;
	readonly batch: number;
}

async function unfinishedUse(project: Project, apps: readonly number[], ctx: OperationContext): Promise<Use[]> {
	const database = await project.database();
	const jobs = new Set<number>();
	ctx.progress.report({ message: 'Looking which packs jobs need' });
	for (const [sql, states] of [
		[JOBS, UNASSIMILATED],
		[INSTANCES, NOT_OVER],
	] as const) {
		for (const app of apps) {
			for (const state of states) {
				await addJobs(database, sql, app, state, jobs, ctx);
			}
		}
	}
	return usesOf(database, apps, [...jobs], ctx);
}

/** Adds jobs whose documents name all packs of the jobs that `sql` finds. */
async function addJobs(
	database: ProjectDatabase,
	sql: string,
	app: number,
	state: number,
	jobs: Set<number>,
	ctx: OperationContext,
): Promise<void> {
	for (let after = 0; ;) {
		const groups = await database.select<Group>(sql, [app, state, after, PAGE], ctx.signal);
		for (const { job_group, first_id, last_id } of groups) {
			if (job_group >= 0 && first_id !== null && last_id !== null) {
				jobs.add(first_id).add(last_id);
			}
		}
		if (groups.reduce((sum, { n }) => sum + n, 0) < PAGE) {
			return;
		}
		after = Math.max(...groups.map(({ cursor_id }) => cursor_id));
	}
}

async function usesOf(
	database: ProjectDatabase,
	apps: readonly number[],
	jobs: readonly number[],
	ctx: OperationContext,
): Promise<Use[]> {
	const uses: Use[] = [];
	for (let start = 0; start < jobs.length; start += DOCUMENTS_AT_ONCE) {
		const some = jobs.slice(start, start + DOCUMENTS_AT_ONCE);
		const rows = await database.select<{ batch: number; xml_doc: Buffer | null }>(DOCUMENTS, [some, apps], ctx.signal);
		for (const { batch, xml_doc } of rows) {
			uses.push(...packsInDocument(xml_doc ?? '').map((name) => ({ name, batch })));
		}
	}
	return uses;
}
