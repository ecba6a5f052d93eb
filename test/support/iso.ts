import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { buildIso, type BuiltIso, ISO_NAME } from '../../iso/buildIso.js';
import { LockedVersionGone } from '../../iso/fetchPackages.js';
import { type Lock, readLock } from '../../iso/lock.js';
import { PACKAGE_STORE } from '../../iso/main.js';
import { mirrorOfMachine } from '../../iso/mirror.js';
import { updateLock } from '../../iso/updateLock.js';
import { takeLock } from '../../src/sandbox/fileLock.js';

// Tests and benchmarks run in the checkout's root.
const FOLDER = path.resolve('iso');

export interface TestIso {
	readonly file: string;
	/** Kernel and root file system by themselves: they boot some seconds faster than the image that has them compressed. */
	readonly kernel: string;
	readonly root: string;
}

/** The image that this checkout makes, built once for all tests. */
export async function builtIso(): Promise<TestIso> {
	const key = createHash('sha256');
	for (const name of (await readdir(FOLDER, { recursive: true })).sort()) {
		const file = path.join(FOLDER, name);
		if ((await stat(file)).isFile()) {
			key.update(`${name}\0`).update(await readFile(file));
		}
	}
	const parent = path.resolve('dist/iso-test');
	const out = path.join(parent, key.digest('hex').slice(0, 16));
	const file = path.join(out, ISO_NAME);
	// Test files run side by side: whoever makes the folder builds, and the others wait for the file.
	await mkdir(parent, { recursive: true });
	while (!existsSync(file)) {
		const lock = takeLock(`${out}.building`);
		if (!lock) {
			await new Promise((resolve) => setTimeout(resolve, 200));
			continue;
		}
		try {
			if (!existsSync(file)) {
				await rm(`${out}.part`, { recursive: true, force: true });
				await mkdir(`${out}.part`, { recursive: true });
				await buildFromLock(`${out}.part`, `${out}.part`);
				await rename(`${out}.part`, out);
			}
		} finally {
			lock.release();
		}
	}
	return { file, kernel: path.join(out, 'vmlinuz'), root: path.join(out, 'root.cpio') };
}

/**
 * Builds from the committed lock; if the mirror has dropped a version in it, from what the mirror has now: the tests are about the
 * guest, and a security update must not stop them.
 */
export async function buildFromLock(out: string, parts?: string): Promise<BuiltIso> {
	const mirror = await mirrorOfMachine();
	const build = (lock: Lock): Promise<BuiltIso> =>
		buildIso({ folder: FOLDER, lock, packages: PACKAGE_STORE, mirror }, out, parts);
	try {
		return await build(await readLock(path.join(FOLDER, 'packages.lock.json')));
	} catch (error) {
		if (!(error instanceof LockedVersionGone) || !mirror) {
			throw error;
		}
		console.warn(error.message);
		return build(await updateLock(mirror));
	}
}
