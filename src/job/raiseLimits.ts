import { contentOfBytes } from '../common/content.js';
import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { readFile } from '../connection/files.js';
import { raiseBounds, replaceInput } from '../project/jobRows.js';
import type { Project } from '../project/project.js';
import { stageFiles } from '../project/staging.js';
import type { StagedFile } from '../project/types.js';
import { stagedName } from './names.js';
import { backstopOperations } from './resources.js';
import { machineHostMemory, machineMemory } from './virtualMachine.js';

/** Limits that the runner in the container keeps, not BOINC. Absent: as before. */
export interface RaisedLimits {
	readonly memoryBytes?: number;
	/** Seconds of a run. */
	readonly limitSeconds?: number;
}

/** The files of a job that its limits stand in, by name. Older jobs, and those of others, lack them. */
interface JobFiles {
	readonly id: number;
	readonly params: string;
	readonly vbox: string;
}

const PARAMS = /^b2d_params_[0-9a-f]{32}$/;
const VBOX = /^b2d_vbox_[0-9a-f]{32}\.xml$/;
const MOST_BYTES = 4 << 20;

/**
 * Raises the limits of jobs for the instances that are made from now on. They stand in files with content-addressed names, so new files
 * are staged and the jobs' descriptions name those. A limit that is higher already stays. Rejects with `job-invalid` for a job that
 * was not made by us or whose file is gone, and as staging does.
 */
export async function raiseLimits(
	project: Project,
	jobIds: readonly number[],
	limits: RaisedLimits,
	ctx: OperationContext,
): Promise<void> {
	const jobs = await filesOf(project, jobIds, ctx.signal);
	const groups = new Map<string, JobFiles[]>();
	for (const job of jobs) {
		const key = `${job.params} ${job.vbox}`;
		groups.set(key, [...(groups.get(key) ?? []), job]);
	}
	let done = 0;
	for (const group of groups.values()) {
		ctx.progress.report({ message: 'Raising limits', current: done, total: jobs.length, unit: 'items' });
		await raiseGroup(project, group, limits, ctx);
		done += group.length;
	}
}

async function filesOf(project: Project, ids: readonly number[], signal: AbortSignal | undefined): Promise<JobFiles[]> {
	const database = await project.database();
	const rows = await database.select<{ id: number; params: Buffer | string; vbox: Buffer | string }>(
		`SELECT id, SUBSTRING(xml_doc, LOCATE('b2d_params_', xml_doc), 43) AS params,
			IF(LOCATE('b2d_vbox_', xml_doc) > 0, SUBSTRING(xml_doc, LOCATE('b2d_vbox_', xml_doc), 45), '') AS vbox
		FROM workunit WHERE id IN (?)`,
		[ids],
		signal,
	);
	return rows.map(({ id, params, vbox }) => ({ id, params: params.toString(), vbox: vbox.toString() }));
}

async function raiseGroup(
	project: Project,
	jobs: readonly JobFiles[],
	{ memoryBytes = 0, limitSeconds = 0 }: RaisedLimits,
	ctx: OperationContext,
): Promise<void> {
	const [{ params, vbox } = { params: '', vbox: '' }] = jobs;
	const ids = jobs.map(({ id }) => id);
	if (!PARAMS.test(params)) {
		throw new BoincError(
			'job-invalid',
			`The limits of ${ids.length} jobs cannot be raised: they were not submitted by boinc2docker.`,
			{
				remedy: 'Retry them as they are.',
			},
		);
	}
	const table = await textOf(project, params, ctx);
	const raised = raisedTable(table, { memoryBytes, limitSeconds });
	const exchanged = [await exchange(project, 'params', { ids, name: params, before: table, after: raised }, ctx)];
	if (memoryBytes > 0 && VBOX.test(vbox)) {
		const machine = await textOf(project, vbox, ctx);
		const after = raisedMachine(machine, memoryBytes);
		exchanged.push(await exchange(project, 'vbox', { ids, name: vbox, before: machine, after }, ctx));
	}
	// A job that hosts may run in virtual machines needs more memory than it may use itself.
	await raiseBounds(project, ids, {
		memoryBytes,
		machineBytes: machineHostMemory(memoryBytes),
		ownMemoryBytes: Number(/ M=(\d+)/.exec(table)?.[1] ?? 0),
		operations: limitSeconds === 0 ? 0 : backstopOperations(limitSeconds),
		delayBoundSeconds: limitSeconds,
	});
	const left = (await filesOf(project, ids, ctx.signal)).filter((job) =>
		exchanged.some((name) => name === job.params || name === job.vbox),
	);
	if (left.length > 0) {
		throw new BoincError('tool-failed', `The limits of ${left.length} jobs on ${project.name} could not be raised.`, {
			remedy: 'Try again.',
		});
	}
}

async function textOf(project: Project, name: string, { signal }: OperationContext): Promise<string> {
	const options = { maxBytes: MOST_BYTES, ...(signal && { signal }) };
	return readFile(project.connection, project.downloadPath(name), options).then(
		(bytes) => bytes.toString('utf8'),
		(cause: unknown) => {
			throw BoincError.is(cause, 'file-not-found')
				? new BoincError('job-invalid', `The file ${name}, which the jobs need, is not on ${project.name} any more.`, {
						remedy: 'Submit the jobs again.',
						cause,
					})
				: cause;
		},
	);
}

/** The table with higher limits in its line for all jobs. */
export function raisedTable(table: string, { memoryBytes, limitSeconds }: Required<RaisedLimits>): string {
	const end = table.indexOf('\n');
	const raise = (line: string, kind: 'M' | 'T', least: number): string =>
		line.replace(new RegExp(` ${kind}=(\\d+)`), (word, number: string) =>
			least > Number(number) && Number(number) > 0 ? ` ${kind}=${String(Math.round(least))}` : word,
		);
	return raise(raise(table.slice(0, end), 'M', memoryBytes), 'T', limitSeconds) + table.slice(end);
}

function raisedMachine(xml: string, memoryBytes: number): string {
	return xml.replace(/<memory_size_mb>(\d+)<\/memory_size_mb>/, (element, number: string) =>
		machineMemory(memoryBytes) > Number(number) ? `<memory_size_mb>${machineMemory(memoryBytes)}</memory_size_mb>` : element,
	);
}

interface Exchange {
	readonly ids: readonly number[];
	readonly name: string;
	readonly before: string;
	readonly after: string;
}

/** Puts one file of jobs in the place of another. Resolves to the name that no job shall have any more; `undefined` when nothing changes. */
async function exchange(
	project: Project,
	kind: 'params' | 'vbox',
	{ ids, name, before, after }: Exchange,
	ctx: OperationContext,
): Promise<string | undefined> {
	if (before === after) {
		return undefined;
	}
	const file: StagedFile = { name: stagedName(kind, after), content: contentOfBytes(after) };
	await stageFiles(project, [file], ctx);
	await replaceInput(project, ids, name, { name: file.name, md5: file.content.md5, size: file.content.size });
	return name;
}
