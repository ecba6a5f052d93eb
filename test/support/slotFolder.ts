import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Project } from '../../src/project/project.js';

/** Names in the slot with the files that a client copies there, from the XML of an app version or a job. */
function copies(xml: string, mainProgram: string | undefined): Map<string, string> {
	const found = new Map<string, string>();
	for (const [, ref = ''] of xml.matchAll(/<file_ref>(.*?)<\/file_ref>/gs)) {
		const name = /<file_name>\s*(.*?)\s*<\/file_name>/.exec(ref)?.[1] ?? '';
		const openName = ref.includes('<main_program/>') ? mainProgram : /<open_name>\s*(.*?)\s*<\/open_name>/.exec(ref)?.[1];
		if (openName === undefined && mainProgram !== undefined) {
			// The program that the main program becomes: it is run from the project's folder.
			continue;
		}
		if (openName === undefined || (openName !== mainProgram && !ref.includes('<copy_file/>'))) {
			throw new Error(`The client would put no copy of this file into the slot: ${ref}`);
		}
		found.set(openName, name);
	}
	return found;
}

/**
 * Makes the slot folder of a job in `dir` as a client does that was sent the version of `planClass`: copies of the version's and
 * the job's files under their open names, and `init_data.xml`. Resolves to the names.
 */
export async function makeSlotFolder(
	project: Project,
	job: { readonly name: string; readonly planClass: string },
	dir: string,
): Promise<string[]> {
	const database = await project.database();
	const [unit] = await database.select<{ appid: number; xml_doc: Buffer | string }>(
		'SELECT appid, xml_doc FROM workunit WHERE name = ?',
		[job.name],
	);
	const [version] = await database.select<{ xml_doc: Buffer | string }>(
		'SELECT xml_doc FROM app_version WHERE appid = ? AND plan_class = ? AND deprecated = 0 ORDER BY version_num DESC LIMIT 1',
		[unit?.appid ?? 0, job.planClass],
	);
	if (!unit || !version) {
		throw new Error(`The project has no job ${job.name}, or no version of the class ${job.planClass}.`);
	}
	const files = new Map<string, string>();
	for (const [openName, name] of copies(version.xml_doc.toString(), 'wrapper')) {
		files.set(openName, `${project.config.downloadDir}/${name}`);
	}
	for (const [openName, name] of copies(unit.xml_doc.toString(), undefined)) {
		files.set(openName, project.downloadPath(name));
	}
	for (const [openName, source] of files) {
		const target = path.join(dir, openName);
		await mkdir(path.dirname(target), { recursive: true });
		await copyFile(source, target);
	}
	await writeFile(
		path.join(dir, 'init_data.xml'),
		`<app_init_data>\n<authenticator>0123456789abcdef</authenticator>\n<wu_name>${job.name}</wu_name>\n<result_name>${job.name}_0</result_name>\n</app_init_data>\n`,
	);
	return [...files.keys()].sort();
}
