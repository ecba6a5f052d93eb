import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { fileNameOf, type LockedPackage } from './lock.js';
import type { Mirror } from './mirror.js';

const run = promisify(execFile);
/** apt's own downloader: it knows this machine's proxies, and checks the hash. */
const HELPER = '/usr/lib/apt/apt-helper';

/** The lock names a package that the mirror does not have any more. */
export class LockedVersionGone extends Error {}

/**
 * Makes sure that all packages are in `folder`, with the right content. What is missing comes from the mirror; without one,
 * it is an error. Throws `LockedVersionGone` when the mirror has other versions.
 */
export async function fetchPackages(
	packages: readonly LockedPackage[],
	folder: string,
	mirror: Mirror | undefined,
): Promise<void> {
	await mkdir(folder, { recursive: true });
	const missing: LockedPackage[] = [];
	for (const each of packages) {
		if (!(await isThere(each, folder))) {
			missing.push(each);
		}
	}
	if (missing.length === 0) {
		return;
	}
	if (!mirror) {
		throw new Error(
			`These packages are not in ${folder}, or have another content: ${missing.map(fileNameOf).join(', ')}.\n` +
				'Put them there, or name a mirror of Debian with --mirror.',
		);
	}
	// Complete files only get their names at the end: two builds may share the folder.
	const parts = await mkdtemp(path.join(folder, '.fetch-'));
	try {
		await download(missing, parts, mirror);
		for (const each of missing) {
			if (!(await isThere(each, parts))) {
				throw new Error(`${fileNameOf(each)} came from the mirror with another content than the lock says.`);
			}
			await rename(path.join(parts, fileNameOf(each)), path.join(folder, fileNameOf(each)));
		}
	} finally {
		await rm(parts, { recursive: true, force: true });
	}
}

async function download(packages: readonly LockedPackage[], folder: string, mirror: Mirror): Promise<void> {
	const requests = packages.flatMap((each) => [
		`${mirror[each.archive]}/${each.path}`,
		path.join(folder, fileNameOf(each)),
		`SHA256:${each.sha256}`,
	]);
	try {
		await run(HELPER, ['-o', 'APT::Sandbox::User=', 'download-file', ...requests], {
			maxBuffer: 1 << 24,
			env: { ...process.env, LC_ALL: 'C' },
		});
	} catch (error) {
		const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
		const gone = packages.filter((each) => new RegExp(`${escaped(fileNameOf(each))}\\s+404`).test(output));
		if (gone.length === 0) {
			throw new Error(`The packages could not be fetched from ${mirror.debian}.\n${output}`, { cause: error });
		}
		throw new LockedVersionGone(
			`The mirror does not have these locked versions any more: ${gone.map(({ name, version }) => `${name} ${version}`).join(', ')}.\n` +
				'Debian replaces packages when it repairs them. Lock the present ones with\n\n' +
				'  npm run iso -- --update\n\n' +
				'and test the new image, or give a folder that has the locked packages with --packages.',
			{ cause: error },
		);
	}
}

async function isThere(each: LockedPackage, folder: string): Promise<boolean> {
	const bytes = await readFile(path.join(folder, fileNameOf(each))).catch(() => undefined);
	return bytes?.length === each.size && createHash('sha256').update(bytes).digest('hex') === each.sha256;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
