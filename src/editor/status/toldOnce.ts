import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Days after which it is forgotten that something was told; batches are told of while they are watched. */
const FORGOTTEN_AFTER_DAYS = 180;

/**
 * Remembers what was told, across restarts and among the windows of this computer: whoever makes the file tells. The windows' shared
 * storage would not do, for a window does not see at once what another one wrote.
 */
export class ToldOnce {
	readonly #folder: string;

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** Whether the caller is the first with this key. Letters, digits, `-` and `.` in the key. */
	async claim(key: string): Promise<boolean> {
		await mkdir(this.#folder, { recursive: true });
		try {
			await (await open(path.join(this.#folder, key), 'wx')).close();
			return true;
		} catch (error) {
			if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
				return false;
			}
			throw error;
		}
	}

	/** Allows it to be told again: the batch has begun anew. */
	async forget(key: string): Promise<void> {
		await rm(path.join(this.#folder, key), { force: true });
	}

	/** Removes what is so old that nobody will tell it. */
	async tidy(now: number): Promise<void> {
		for (const name of await readdir(this.#folder).catch(() => [])) {
			const file = path.join(this.#folder, name);
			const found = await stat(file).catch(() => undefined);
			if (found && now - found.mtimeMs > FORGOTTEN_AFTER_DAYS * 86_400_000) {
				await rm(file, { force: true });
			}
		}
	}
}
