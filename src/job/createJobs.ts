import { BoincError, throwIfAborted } from '../common/errors.js';
import { type OperationContext, silentProgress } from '../common/ports.js';
import type { Project } from '../project/project.js';
import { stageFiles } from '../project/staging.js';
import { createWork, type CreateWorkLines, type CreateWorkOptions, type WorkLine } from './createWork.js';
import { groupsOf, type JobGroup, type JobRange } from './jobChunks.js';
import { jobName } from './names.js';
import type { BatchPlan } from './planBatch.js';
import type { BatchSpec } from './types.js';

/** A call can fail as a whole for a passing reason: a lost session, a lock. So many in a row without any new job are the end. */
const ROUNDS = 3;
const PAUSE_MS = 1000;
/** Jobs of one call of `create_work`: many, for its start takes time; not all, so that it is seen soon whether they exist. */
const CALL_JOBS = 20_000;

/** A batch whose row is there. */
export interface OpenBatch {
	readonly spec: BatchSpec;
	readonly plan: BatchPlan;
	readonly options: CreateWorkOptions;
	/** `some`: an earlier submission may have made jobs of it. */
	readonly existing: 'none' | 'some';
}

/**
 * Makes the jobs of a range that do not exist yet: stages the parameter tables, feeds `create_work`, reads back which jobs exist
 * and makes what is missing. While the server makes jobs, the next ones are worked out and their tables sent, so memory does
 * not grow with the number of jobs. Resolves when all exist; rejects with `submit-failed` when some cannot be made. What was
 * made stays; the same call again goes on from there.
 */
export async function createJobs(
	project: Project,
	batch: OpenBatch,
	range: JobRange,
	ctx: OperationContext,
): Promise<{ readonly bytesSent: number }> {
	const groups = groupsOf(batch.spec, batch.plan, batch.options.batch, range);
	let bytesSent = 0;
	for (let made = range.from; made < range.to;) {
		const feed = new GroupFeed(project, batch, groups, ctx);
		const said = await feed.send();
		bytesSent += feed.bytesSent;
		if (feed.taken.length === 0) {
			break;
		}
		for (const group of feed.taken) {
			await completeGroup(project, batch, group, said, ctx);
			made = group.to;
		}
	}
	return { bytesSent };
}

/** Takes groups of jobs one by one, stages their tables, and gives their lines to one call of `create_work`. */
class GroupFeed {
	/** The groups whose tables are staged; their lines may have been given to the call. */
	readonly taken: JobGroup[] = [];
	bytesSent = 0;
	#pending: Promise<readonly WorkLine[] | undefined> | undefined;
	#jobs = 0;
	readonly #stop = new AbortController();

	constructor(
		readonly project: Project,
		readonly batch: OpenBatch,
		readonly groups: Iterator<JobGroup, void>,
		readonly ctx: OperationContext,
	) {}

	/** Resolves when the call has ended and nothing is being staged any more; to what `create_work` said when it failed, else empty. */
	async send(): Promise<string> {
		const lines = this.#lines();
		// Where there may be jobs already, the program is started for those that are missing only.
		const head = this.batch.existing === 'some' ? await lines.next() : undefined;
		if (head?.done === true) {
			return '';
		}
		let said: string;
		try {
			said = await createMissing(this.project, this.batch.options, head ? joined(head.value, lines) : lines, this.ctx);
		} finally {
			// The program may have ended while the next group was on its way.
			this.#stop.abort();
			await this.#pending?.catch(() => undefined);
		}
		await this.#pending;
		if (this.taken.length === 0) {
			// It ended before it was given anything.
			await this.#take();
		}
		return said;
	}

	async *#lines(): AsyncGenerator<readonly WorkLine[]> {
		while (this.#jobs < CALL_JOBS && !this.#stop.signal.aborted) {
			this.#pending = this.#take();
			const missing = await this.#pending;
			if (missing === undefined) {
				return;
			}
			if (missing.length > 0) {
				yield missing;
			}
		}
	}

	/** The jobs of the next group that do not exist; their tables are staged. `undefined`: there is no other group. */
	async #take(): Promise<readonly WorkLine[] | undefined> {
		const { project, batch, ctx } = this;
		throwIfAborted(ctx.signal);
		const next = this.groups.next();
		if (next.done === true) {
			return undefined;
		}
		const group = next.value;
		this.taken.push(group);
		this.#jobs += group.lines.length;
		const { existing, options, spec } = batch;
		const missing = existing === 'none' ? group.lines : await missingOf(project, options.batch, group, ctx.signal);
		if (missing.length > 0) {
			const { bytesSent } = await stageFiles(project, group.tables, { ...ctx, progress: silentProgress });
			this.bytesSent += bytesSent;
		}
		ctx.progress.report({ message: 'Creating jobs', current: group.from, total: spec.jobs.length, unit: 'items' });
		return missing;
	}
}

async function* joined(head: readonly WorkLine[], rest: AsyncIterable<readonly WorkLine[]>): AsyncGenerator<readonly WorkLine[]> {
	yield head;
	yield* rest;
}

/** Makes the jobs of a group that the call for many groups left out. */
async function completeGroup(
	project: Project,
	{ spec, options }: OpenBatch,
	group: JobGroup,
	saidBefore: string,
	ctx: OperationContext,
): Promise<void> {
	let said = saidBefore;
	let missing = await missingOf(project, options.batch, group, ctx.signal);
	for (let round = 1; round < ROUNDS && missing.length > 0; round++) {
		ctx.log.warn(`create_work left out ${missing.length} of ${group.lines.length} jobs (${said}); trying again`);
		await ctx.clock.sleep(PAUSE_MS * round, ctx.signal);
		said = (await createMissing(project, options, [missing], ctx)) || said;
		const left = await missingOf(project, options.batch, group, ctx.signal);
		// Wrong for all jobs, and so it will stay.
		if (left.length === group.lines.length) {
			break;
		}
		// A program of a submission that was cut off may still be making jobs; then some are refused as doubles.
		round = left.length < missing.length ? 0 : round;
		missing = left;
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
	lines: CreateWorkLines,
	ctx: OperationContext,
): Promise<string> {
	throwIfAborted(ctx.signal);
	const { code, said } = await createWork(project, options, lines, ctx.signal);
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
