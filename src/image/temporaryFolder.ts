import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Folders of this program in `parent`; containers that share the folder have process numbers of their own. */
const prefix = (): string => `b2d-image-${hostname().replaceAll(/[^A-Za-z0-9]/g, '')}-`;

/**
 * Makes a folder for files as big as an image. What an earlier run left because it was killed is removed: nobody else does.
 * The caller removes the new one.
 */
export async function temporaryFolder(parent: string): Promise<string> {
	const start = prefix();
	for (const name of await readdir(parent).catch(() => [])) {
		const pid = name.startsWith(start) ? /^(\d+)-\w+$/.exec(name.slice(start.length))?.[1] : undefined;
		if (pid !== undefined && !runs(Number(pid))) {
			// Another account's folder stays.
			await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
		}
	}
	return mkdtemp(join(parent, `${start}${String(process.pid)}-`));
}

function runs(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
	}
}
