import { BoincError, isAbort, messageOf } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { makeDirectory, readFile, writeFileAtomic } from '../connection/files.js';
import type { Project } from '../project/project.js';

const MOST_BYTES = 4 << 20;

const folderOf = (project: Project): string => `${project.root}/.boinc2docker/batches`;

/** Keeps the job file of a batch on its server, for those who look at the batch later. Does without it when that fails. */
export async function keepJobFile(project: Project, batchId: number, text: string, ctx: OperationContext): Promise<void> {
	const limits = ctx.signal ? { signal: ctx.signal } : {};
	try {
		await makeDirectory(project.connection, folderOf(project), limits);
		await writeFileAtomic(project.connection, `${folderOf(project)}/${batchId}.yml`, text, limits);
	} catch (error) {
		// The jobs exist: a cancel that comes now has nothing left to cancel.
		ctx.log.warn(`The job file of batch ${batchId} is not kept: ${isAbort(error) ? 'cancelled' : messageOf(error)}`);
	}
}

/** The job file that a batch was submitted with; `undefined` when none was kept. */
export async function keptJobFile(project: Project, batchId: number): Promise<string | undefined> {
	try {
		const bytes = await readFile(project.connection, `${folderOf(project)}/${batchId}.yml`, { maxBytes: MOST_BYTES });
		return bytes.toString('utf8');
	} catch (error) {
		if (BoincError.is(error, 'file-not-found')) {
			return undefined;
		}
		throw error;
	}
}
