import { contentOfBytes } from '../common/content.js';
import { entriesOf } from '../common/sequence.js';
import type { StagedFile } from '../project/types.js';
import type { WorkLine } from './createWork.js';
import { jobName, stagedName } from './names.js';
import { parameterTable } from './parameters.js';
import type { BatchPlan } from './planBatch.js';
import type { BatchSpec } from './types.js';

/** Jobs that share a parameter table: each host gets all of it, and its runner looks for one line. */
const CHUNK_JOBS = 500;
const CHUNK_BYTES = 1 << 20;
/** Tables of one call of `create_work`. The first call has one, so that what is wrong with all jobs is seen soon. */
const GROUP_CHUNKS = 10;

/** Jobs with the table that tells them apart. */
export interface JobChunk {
	readonly table: StagedFile;
	readonly lines: readonly WorkLine[];
}

/** Jobs from `from` up to but not including `to`. */
export interface JobRange {
	readonly from: number;
	readonly to: number;
}

/** Jobs that are made by one call of `create_work`, next to each other in the batch. */
export interface JobGroup extends JobRange {
	readonly tables: readonly StagedFile[];
	readonly lines: readonly WorkLine[];
}

/** The jobs of a range in chunks, one after the other. */
export function* chunksOf(
	spec: BatchSpec,
	plan: Pick<BatchPlan, 'common' | 'wordsOf'>,
	batchId: number,
	range: JobRange = { from: 0, to: spec.jobs.length },
): Generator<JobChunk> {
	let texts: string[] = [];
	let members: { name: string; inputs: readonly string[] }[] = [];
	let bytes = 0;
	const close = (): JobChunk => {
		const text = parameterTable(plan.common, texts);
		const table = { name: stagedName('params', text), content: contentOfBytes(text) };
		const lines = members.map(({ name, inputs }) => ({ name, files: [table.name, ...inputs] }));
		[texts, members, bytes] = [[], [], 0];
		return { table, lines };
	};
	for (const [index, job] of entriesOf(spec.jobs, range.from, range.to)) {
		const name = jobName(batchId, index, job.label);
		const text = `${name} ${plan.wordsOf(job)}`;
		if (members.length >= CHUNK_JOBS || (bytes > 0 && bytes + text.length > CHUNK_BYTES)) {
			yield close();
		}
		texts.push(text);
		members.push({ name, inputs: (job.inputs ?? []).map(({ file }) => file.name) });
		bytes += text.length;
	}
	if (members.length > 0) {
		yield close();
	}
}

/** The jobs of a range in groups, one after the other. */
export function* groupsOf(
	spec: BatchSpec,
	plan: Pick<BatchPlan, 'common' | 'wordsOf'>,
	batchId: number,
	range: JobRange,
): Generator<JobGroup> {
	let group: JobChunk[] = [];
	let { from } = range;
	let most = 1;
	const close = (): JobGroup => {
		const lines = group.flatMap((chunk) => chunk.lines);
		const closed = { from, to: from + lines.length, tables: group.map(({ table }) => table), lines };
		[group, from, most] = [[], closed.to, GROUP_CHUNKS];
		return closed;
	};
	for (const chunk of chunksOf(spec, plan, batchId, range)) {
		group.push(chunk);
		if (group.length >= most) {
			yield close();
		}
	}
	if (group.length > 0) {
		yield close();
	}
}
