import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/**
 * Claims a local file for this process by a lock file beside it. Returns how to let go, or undefined while another
 * download, of this process or a living other one, has it.
 */
export async function lockLocally(path: string): Promise<(() => Promise<void>) | undefined> {
	const lock = `${path}.lock`;
	const claim = async (): Promise<boolean> => {
		try {
			await writeFile(lock, String(process.pid), { flag: 'wx' });
			return true;
		} catch (error) {
			if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
				return false;
			}
			throw error;
		}
	};
	if (!(await claim())) {
		const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
		if (!Number.isInteger(holder) || holder <= 0 || isAlive(holder)) {
			return undefined;
		}
		// Only one of those who see the dead holder can rename its lock.
		const stale = `${lock}.${String(process.pid)}`;
		const won = await rename(lock, stale).then(
			() => true,
			() => false,
		);
		await rm(stale, { force: true });
		if (!won || !(await claim())) {
			return undefined;
		}
	}
	return () => rm(lock, { force: true });
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
}
