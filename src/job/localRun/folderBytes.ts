import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Bytes of the files in a folder. What vanishes meanwhile or cannot be read counts nothing. */
export async function folderBytes(folder: string): Promise<number> {
	const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
	let sum = 0;
	for (const entry of entries) {
		const inside = path.join(folder, entry.name);
		if (entry.isDirectory()) {
			sum += await folderBytes(inside);
		} else if (entry.isFile()) {
			sum += await lstat(inside).then(
				({ size }) => size,
				() => 0,
			);
		}
	}
	return sum;
}
