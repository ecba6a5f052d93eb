import { BoincError } from '../common/errors.js';
import { fileExists, makeDirectory, readFile, writeFileAtomic } from '../connection/files.js';
import type { Project } from '../project/project.js';
import type { PlannedTemplate } from './planBatch.js';

/**
 * Writes a template once and for ever: its name is the hash of its text, and BOINC reads it each time that it makes an
 * instance. Reads it back, for `create_work` ends with 0 when a template is missing. Rejects with `file-collision`.
 */
export async function writeTemplate(project: Project, { path, text }: PlannedTemplate, signal?: AbortSignal): Promise<void> {
	const absolute = `${project.root}/${path}`;
	const { connection } = project;
	if (!(await fileExists(connection, absolute, signal && { signal }))) {
		await makeDirectory(connection, `${project.root}/templates`, signal && { signal });
		await writeFileAtomic(connection, absolute, Buffer.from(text), { mode: 0o644, ...(signal && { signal }) });
	}
	const found = await readFile(connection, absolute, { maxBytes: 1 << 20, ...(signal && { signal }) });
	if (found.toString('utf8') !== text) {
		throw new BoincError('file-collision', `The template ${absolute} on ${connection.name} has other text than its name says.`, {
			remedy: 'Have the administrator remove it if no job uses it: somebody changed it by hand.',
			detail: { path: absolute },
		});
	}
}
