import type { Connection } from '../../connection/connection.js';
import { run } from '../../connection/run.js';
import type { Project } from '../project.js';
import { type Manifest, parseManifest } from './backup.js';

/** An installation that left a backup. */
export interface Installation {
	/** What `undoInstall` is told. */
	readonly id: string;
	readonly app: string;
	/** `applying`: it was cut off, and can be taken back as well; `undone`: it was taken back. */
	readonly state: Manifest['state'];
	/** Files of the project that it changed. */
	readonly files: readonly string[];
	/** App versions that it added. */
	readonly versions: number;
}

const MAX_BYTES = 64 << 20;
const READ_ALL =
	'cd "$1" 2>/dev/null || exit 0; for f in */manifest.json; do [ ! -f "$f" ] || { cat -- "$f"; printf "\\000"; }; done';

/** All installations of a project, the latest first. Backups that cannot be read are left out. Reads only. */
export async function listInstallations(project: Project, signal?: AbortSignal): Promise<Installation[]> {
	const texts = await readManifests(project.connection, `${project.root}/.boinc2docker/backups`, signal);
	return texts
		.flatMap((text) => parseManifest(text) ?? [])
		.map(({ id, app, state, files, versions }) => ({
			id,
			app,
			state,
			files: files.map(({ name }) => name),
			versions: versions.length,
		}))
		.sort((a, b) => (a.id < b.id ? 1 : -1));
}

async function readManifests(connection: Connection, folder: string, signal: AbortSignal | undefined): Promise<string[]> {
	const { stdout } = await run(connection, ['sh', '-c', READ_ALL, 'sh', folder], {
		doing: `read the backups in ${folder}`,
		maxStdout: MAX_BYTES,
		...(signal && { signal }),
	});
	return stdout.toString('utf8').split('\0').slice(0, -1);
}
