import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Files on this computer whose names stand for one content each, so that they never become wrong. Those that were used least
 * are removed when there are too many bytes. Several programs may use a folder at a time. What cannot be read or written is as
 * if it were not there; whoever reads a file checks what is in it.
 */
export class FileCache {
	/** Without a folder nothing is kept. */
	constructor(
		readonly folder: string | undefined,
		readonly mostBytes: number,
	) {}

	async get(name: string): Promise<Buffer | undefined> {
		if (this.folder === undefined) {
			return undefined;
		}
		const file = join(this.folder, name);
		const bytes = await readFile(file).catch(() => undefined);
		if (bytes) {
			const now = new Date();
			await utimes(file, now, now).catch(() => undefined);
		}
		return bytes;
	}

	async put(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
		if (this.folder === undefined || files.size === 0) {
			return;
		}
		try {
			await mkdir(this.folder, { recursive: true });
			for (const [name, bytes] of files) {
				const temporary = join(this.folder, `${name}.${randomUUID()}`);
				await writeFile(temporary, bytes, { mode: 0o600 });
				await rename(temporary, join(this.folder, name));
			}
			await this.#prune(this.folder);
		} catch {
			// A full disk or a folder of somebody else: then there is no cache.
		}
	}

	async #prune(folder: string): Promise<void> {
		const files = await Promise.all(
			(await readdir(folder)).map(async (name) => {
				// Another program may have removed it meanwhile.
				const facts = await stat(join(folder, name)).catch(() => undefined);
				return { name, size: facts?.size ?? 0, mtimeMs: facts?.mtimeMs ?? 0 };
			}),
		);
		let total = 0;
		for (const { name, size } of files.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
			total += size;
			if (total > this.mostBytes) {
				await rm(join(folder, name), { force: true });
			}
		}
	}
}
