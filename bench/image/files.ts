import { cp, mkdir, readdir, stat, utimes } from 'node:fs/promises';
import path from 'node:path';

/** Copies files of this machine, which compress like those of images do, until there are so many bytes. */
export async function fill(target: string, sources: readonly string[], bytes: number): Promise<void> {
	let left = bytes;
	const copy = async (source: string, to: string): Promise<void> => {
		for (const entry of (await readdir(source, { withFileTypes: true }).catch(() => [])).toSorted((a, b) =>
			a.name < b.name ? -1 : 1,
		)) {
			const from = path.join(source, entry.name);
			if (left <= 0) {
				return;
			}
			if (entry.isDirectory()) {
				await copy(from, path.join(to, entry.name));
			} else if (entry.isFile()) {
				const { size } = await stat(from);
				if (size <= left) {
					await mkdir(to, { recursive: true });
					await cp(from, path.join(to, entry.name), { preserveTimestamps: true });
					left -= size;
				}
			}
		}
	};
	for (const source of sources) {
		await copy(source, path.join(target, source));
	}
}

/** Gives every file and folder the present time, as a build from nothing does. */
export async function touchAll(folder: string): Promise<void> {
	const now = new Date();
	for (const entry of await readdir(folder, { withFileTypes: true })) {
		const full = path.join(folder, entry.name);
		if (entry.isDirectory()) {
			await touchAll(full);
		}
		await utimes(full, now, now);
	}
}
