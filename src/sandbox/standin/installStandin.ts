import { readFile, writeFile } from 'node:fs/promises';

/** Physical name of the stand-in in app versions: release 0, so nobody takes it for the real docker_wrapper. */
export const STANDIN_NAME = 'docker_wrapper_0_x86_64-pc-linux-gnu';

/** The BOINC interface that the stand-in speaks. Clients give message channels only to versions that name one. */
const API_VERSION = '8.3.0';

/**
 * Writes the stand-in as a program: the bundle (`standin.js` of the build) behind a line that names the interpreter and
 * one that `update_versions` finds when it looks for the interface's version. `node` is an absolute path.
 */
export async function installStandin(bundle: string, target: string, node: string = process.execPath): Promise<void> {
	const code = (await readFile(bundle, 'utf8')).replace(/^#!.*\n/, '');
	await writeFile(target, `#!${node}\n// API_VERSION_${API_VERSION}\n${code}`, { mode: 0o755 });
}
