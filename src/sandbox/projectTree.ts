import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { generateBoincKeys } from '../project/boincKeys.js';
import { configXml, type ProjectDescription, projectXml, schedulersText } from './projectFiles.js';

const FOLDERS = [
	'apps',
	'bin',
	'cgi-bin',
	'download',
	'html/cache',
	'html/inc',
	'html/languages/compiled',
	'html/ops',
	'html/project',
	'html/stats',
	'html/user',
	'html/user_profile/images',
	'keys',
	'py/Boinc',
	'templates',
	'upload',
];
/** Writable for the web server, which is a member of the group, and handing the group on. */
const SHARED = ['html/cache', 'html/inc', 'html/languages', 'html/languages/compiled', 'html/user_profile/images', 'upload'];

/** Creates the folder of a project as `make_project` leaves it; its programs come from `installProgram`. */
export async function createProjectTree(project: ProjectDescription): Promise<void> {
	const at = (...parts: string[]): string => path.join(project.root, ...parts);
	for (const folder of [...FOLDERS, `log_${project.host}`]) {
		await mkdir(at(folder), { recursive: true });
	}
	for (const folder of [...SHARED, `log_${project.host}`]) {
		await chmod(at(folder), 0o2770);
	}
	await writeKeys(at('keys'));
	const files: Readonly<Record<string, string>> = {
		'config.xml': configXml(project),
		'project.xml': projectXml(),
		'html/user/schedulers.txt': schedulersText(project),
		'html/inc/dir_hier.inc': '<?php\n// The sandbox has no PHP pages.\n',
		'html/inc/util_basic.inc': '<?php\n// The sandbox has no PHP pages.\n',
		'html/ops/README': 'The sandbox has no administration pages.\n',
		'cgi-bin/cgi': '#!/bin/sh\necho "The sandbox serves this address itself." >&2\nexit 1\n',
		'cgi-bin/file_upload_handler': '#!/bin/sh\necho "The sandbox serves this address itself." >&2\nexit 1\n',
		'py/Boinc/__init__.py': '',
		'gui_urls.xml': '<gui_urls>\n</gui_urls>\n',
		db_revision: '27032\n',
		[`${project.name}.readme`]: 'A BOINC project on this machine only, for trying and for tests.\n',
	};
	for (const [file, text] of Object.entries(files)) {
		await writeFile(at(file), text, { mode: file.startsWith('cgi-bin/') ? 0o755 : 0o644 });
	}
}

async function writeKeys(folder: string): Promise<void> {
	for (const name of ['code_sign', 'upload']) {
		const { publicKey, privateKey } = await generateBoincKeys();
		await writeFile(path.join(folder, `${name}_private`), privateKey, { mode: 0o600 });
		await writeFile(path.join(folder, `${name}_public`), publicKey, { mode: 0o644 });
	}
}
