import { contentOfBytes } from '../common/content.js';
import { BoincError, throwIfAborted } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { Project } from '../project/project.js';
import { stageFiles } from '../project/staging.js';
import type { StagedFile } from '../project/types.js';
import { createWork, type CreateWorkOptions, type WorkLine } from './createWork.js';
import { jobName, stagedName } from './names.js';
import { parameterTable } from './parameters.js';
import type { BatchPlan } from './planBatch.js';
import type { BatchSpec } from './types.js';

/** Jobs that share a parameter table and a call of `create_work`: below its statement size, few enough to look up fast. */
const CHUNK_JOBS = 500;
const CHUNK_BYTES = 1 << 20;
/** A call can fail as a whole for a passing reason: a lost session, a lock. */
const ROUNDS = 3;
const PAUSE_MS = 1000;

interface Chunk {
	readonly table: StagedFile;
	readonly lines: readonly WorkLine[];
}

/** Jobs in groups, each with the parameter table that they share. */
export function chunksOf(spec: BatchSpec, plan: Pick<BatchPlan, 'common' | 'words'>, batchId: number): Chunk[] {
	const chunks: Chunk[] = [];
	let texts: string[] = [];
	let members: { name: string; inputs: readonly string[] }[] = [];
	let bytes = 0;
	const close = (): void => {
		if (members.length > 0) {
			const text = parameterTable(plan.common, texts);
			const table = { name: stagedName('params', text), content: contentOfBytes(text) };
			chunks.push({ table, lines: members.map(({ name, inputs }) => ({ name, files: [table.name, ...inputs] })) });
		}
		texts = [];
		members = [];
		bytes = 0;
	};
	for (const [index, job] of spec.jobs.entries()) {
		const name = jobName(batchId, index, job.label);
		const text = `${name} ${plan.words[index] ?? ''}`;
		if (members.length >= CHUNK_JOBS || (bytes > 0 && bytes + text.length > CHUNK_BYTES)) {
			close();
		}
		texts.push(text);
		members.push({ name, inputs: (job.inputs ?? []).map(({ file }) => file.name) });
		bytes += text.length;
	}
	close();
	return chunks;
}

/**
 * Creates the jobs of a batch: stages the parameter tables, runs `create_work`, reads back which jobs exist and creates
 * what is missing. Resolves when all exist; rejects with `submit-failed` when some cannot be created.
 */
export async function createJobs(
	project: Project,
	spec: BatchSpec,
	plan: BatchPlan,
	options: CreateWorkOptions,
	ctx: OperationContext,
): Promise<{ names: string[]; bytesSent: number }> {
	const chunks = chunksOf(spec, plan, options.batch);
	const { bytesSent } = await stageFiles(
		project,
		chunks.map(({ table }) => table),
		ctx,
	);
	const names = chunks.flatMap(({ lines }) => lines.map(({ name }) => name));
	let existing = new Set<string>();
	let said = '';
	for (let round = 0; round < ROUNDS; round++) {
		if (round > 0) {
			ctx.log.warn(`create_work left out ${names.length - existing.size} of ${names.length} jobs (${said}); trying again`);
			await ctx.clock.sleep(PAUSE_MS * round, ctx.signal);
		}
		said = (await createRound(project, chunks, existing, options, ctx)) || said;
		existing = await existingJobs(project, options.batch, ctx.signal);
		if (names.every((name) => existing.has(name))) {
			return { names, bytesSent };
		}
		// Wrong for all jobs, and so it will stay.
		if (existing.size === 0 && round > 0) {
			break;
		}
	}
	const missing = names.filter((name) => !existing.has(name)).length;
	throw new BoincError(
		'submit-failed',
		`BOINC did not create ${missing} of ${names.length} jobs on ${project.name}: ${said === '' ? 'create_work gave no reason' : said}.`,
		{
			remedy: 'Check the message; the log of the server and the doctor command tell more.',
			detail: { batch: options.batch, missing, created: existing.size },
		},
	);
}

/** One pass over the chunks; what `create_work` said when it failed, else empty. */
async function createRound(
	project: Project,
	chunks: readonly Chunk[],
	existing: ReadonlySet<string>,
	options: CreateWorkOptions,
	ctx: OperationContext,
): Promise<string> {
	const total = chunks.reduce((sum, { lines }) => sum + lines.length, 0);
	let done = existing.size;
	let problem = '';
	for (const { lines } of chunks) {
		throwIfAborted(ctx.signal);
		const missing = lines.filter(({ name }) => !existing.has(name));
		if (missing.length === 0) {
			continue;
		}
		ctx.progress.report({ message: 'Creating jobs', current: done, total, unit: 'items' });
		const { code, said } = await createWork(project, options, missing, ctx.signal);
		if (code === 127 || code === 126) {
			throw new BoincError('tool-missing', `The program bin/create_work of ${project.name} cannot be run: ${said}.`, {
				remedy: 'Check that the path is that of a BOINC project, and that your account may run its programs.',
			});
		}
		if (code !== 0) {
			problem = said === '' ? `create_work ended with code ${code}` : said;
			// The other chunks would most likely fail for the same reason; the next round tries again.
			break;
		}
		problem = said === '' ? problem : said;
		done += missing.length;
	}
	return problem;
}

async function existingJobs(project: Project, batchId: number, signal: AbortSignal | undefined): Promise<Set<string>> {
	const database = await project.database();
	const rows = await database.select<{ name: string }>('SELECT name FROM workunit WHERE batch = ?', [batchId], signal);
	return new Set(rows.map(({ name }) => name));
}
