import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of manifests that are kept: about those of a hundred images of a gigabyte. */
const MOST_BYTES = 100_000_000;

/**
 * Manifests of packs on this computer, so that they need not be fetched from servers again. A pack's name stands for one
 * content, so they never become wrong. What cannot be read or written is as if it were not there.
 */
export class ManifestCache {
	/** Without a folder nothing is kept. */
	constructor(readonly folder: string | undefined) {}

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

	async put(manifests: ReadonlyMap<string, Uint8Array>): Promise<void> {
		if (this.folder === undefined || manifests.size === 0) {
			return;
		}
		try {
			await mkdir(this.folder, { recursive: true });
			for (const [name, bytes] of manifests) {
				const temporary = join(this.folder, `${name}.${String(process.pid)}`);
				await writeFile(temporary, bytes);
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
				const { size, mtimeMs } = await stat(join(folder, name));
				return { name, size, mtimeMs };
			}),
		);
		let total = 0;
		for (const { name, size } of files.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
			total += size;
			if (total > MOST_BYTES) {
				await rm(join(folder, name), { force: true });
			}
		}
	}
}
