import { BoincError, throwIfAborted } from '../common/errors.js';
import { type OperationContext, silentProgress } from '../common/ports.js';
import type { Project } from '../project/project.js';
import { stageFiles } from '../project/staging.js';
import { createWork, type CreateWorkOptions, type WorkLine } from './createWork.js';
import { groupsOf, type JobGroup, type JobRange } from './jobChunks.js';
import { jobName } from './names.js';
import type { BatchPlan } from './planBatch.js';
import type { BatchSpec } from './types.js';

/** A call can fail as a whole for a passing reason: a lost session, a lock. */
const ROUNDS = 3;
const PAUSE_MS = 1000;

/** A batch whose row is there. */
export interface OpenBatch {
	readonly spec: BatchSpec;
	readonly plan: BatchPlan;
	readonly options: CreateWorkOptions;
	/** `some`: an earlier submission may have made jobs of it. */
	readonly existing: 'none' | 'some';
}

interface Prepared {
	readonly group: JobGroup;
	/** Those that do not exist. */
	readonly missing: readonly WorkLine[];
	readonly bytesSent: number;
}

/**
 * Makes the jobs of a range that do not exist yet, group by group: stages the parameter tables, runs `create_work`, reads
 * back which jobs exist and makes what is missing. While the server makes the jobs of a group, the next one is worked out and
 * its tables sent, so memory does not grow with the number of jobs. Resolves when all exist; rejects with `submit-failed`
 * when some cannot be made. What was made stays; the same call again goes on from there.
 */
export async function createJobs(
	project: Project,
	batch: OpenBatch,
	range: JobRange,
	ctx: OperationContext,
): Promise<{ readonly bytesSent: number }> {
	const { spec, plan, options } = batch;
	const groups = groupsOf(spec, plan, options.batch, range);
	const stop = new AbortController();
	const quiet: OperationContext = {
		...ctx,
		progress: silentProgress,
		signal: ctx.signal ? AbortSignal.any([ctx.signal, stop.signal]) : stop.signal,
	};
	const next = (): Promise<Prepared | undefined> => prepare(project, batch, groups, quiet);
	let bytesSent = 0;
	let following = next();
	try {
		for (let prepared = await following; prepared; prepared = await following) {
			following = next();
			following.catch(() => undefined); // awaited in the next turn, if this one does not fail
			bytesSent += prepared.bytesSent;
			ctx.progress.report({ message: 'Creating jobs', current: prepared.group.from, total: spec.jobs.length, unit: 'items' });
			await createGroup(project, batch, prepared, ctx);
		}
		return { bytesSent };
	} finally {
		stop.abort();
		await following.catch(() => undefined);
	}
}

/** Takes the next group, and stages its tables unless all of its jobs are there. */
async function prepare(
	project: Project,
	{ options, existing }: OpenBatch,
	groups: Iterator<JobGroup, void>,
	ctx: OperationContext,
): Promise<Prepared | undefined> {
	throwIfAborted(ctx.signal);
	const next = groups.next();
	if (next.done === true) {
		return undefined;
	}
	const group = next.value;
	const missing = existing === 'none' ? group.lines : await missingOf(project, options.batch, group, ctx.signal);
	const { bytesSent } = missing.length === 0 ? { bytesSent: 0 } : await stageFiles(project, group.tables, ctx);
	return { group, missing, bytesSent };
}

async function createGroup(
	project: Project,
	{ spec, options }: OpenBatch,
	{ group, missing: wanted }: Prepared,
	ctx: OperationContext,
): Promise<void> {
	let missing = wanted;
	let said = '';
	for (let round = 0; round < ROUNDS && missing.length > 0; round++) {
		if (round > 0) {
			ctx.log.warn(`create_work left out ${missing.length} of ${group.lines.length} jobs (${said}); trying again`);
			await ctx.clock.sleep(PAUSE_MS * round, ctx.signal);
		}
		said = (await createMissing(project, options, missing, ctx)) || said;
		missing = await missingOf(project, options.batch, group, ctx.signal);
		// Wrong for all jobs, and so it will stay.
		if (missing.length === group.lines.length && round > 0) {
			break;
		}
	}
	if (missing.length > 0) {
		const left = missing.length + spec.jobs.length - group.to;
		throw new BoincError(
			'submit-failed',
			`BOINC did not create ${left} of ${spec.jobs.length} jobs on ${project.name}: ${said === '' ? 'create_work gave no reason' : said}.`,
			{
				remedy: 'Check the message; the log of the server and the doctor command tell more.',
				detail: { batch: options.batch, missing: left, created: spec.jobs.length - left },
			},
		);
	}
}

/** One call; what `create_work` said when it failed, else empty. */
async function createMissing(
	project: Project,
	options: CreateWorkOptions,
	missing: readonly WorkLine[],
	ctx: OperationContext,
): Promise<string> {
	throwIfAborted(ctx.signal);
	const { code, said } = await createWork(project, options, missing, ctx.signal);
	if (code === 127 || code === 126) {
		throw new BoincError('tool-missing', `The program bin/create_work of ${project.name} cannot be run: ${said}.`, {
			remedy: 'Check that the path is that of a BOINC project, and that your account may run its programs.',
		});
	}
	return code !== 0 && said === '' ? `create_work ended with code ${code}` : said;
}

/** The jobs of a group that are not in the database. Their names follow each other in its index. */
async function missingOf(
	project: Project,
	batchId: number,
	{ from, to, lines }: JobGroup,
	signal: AbortSignal | undefined,
): Promise<readonly WorkLine[]> {
	const database = await project.database();
	// A label behind the number sorts before a tilde.
	const bounds = [jobName(batchId, from), `${jobName(batchId, to - 1)}~`];
	const [found] = await database.select<{ n: number }>(
		'SELECT COUNT(*) AS n FROM workunit WHERE name BETWEEN ? AND ?',
		bounds,
		signal,
	);
	if (found?.n === lines.length) {
		return [];
	}
	const rows = await database.select<{ name: string }>('SELECT name FROM workunit WHERE name BETWEEN ? AND ?', bounds, signal);
	const existing = new Set(rows.map(({ name }) => name));
	return lines.filter(({ name }) => !existing.has(name));
}
