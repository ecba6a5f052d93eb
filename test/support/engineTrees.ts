import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { TestEngine } from './engines.js';
import { listTar, type TreeListing } from './fileTrees.js';
import { engineRun } from './images.js';

const runProgram = promisify(execFile);

/**
 * Lists the file tree of an image as the engine's storage has it, attributes included. GNU tar does the looking, so
 * nothing of ours has touched the tree. Needs root.
 */
export async function listImage(engine: TestEngine, image: string): Promise<TreeListing> {
	if (engine.kind === 'podman') {
		const { stdout } = await engineRun(engine, ['image', 'mount', image]);
		try {
			return await listFolder(stdout.trim());
		} finally {
			await engineRun(engine, ['image', 'umount', image]);
		}
	}
	const { stdout } = await engineRun(engine, ['image', 'inspect', '--format', '{{json .GraphDriver.Data}}', image]);
	const { LowerDir: lower, UpperDir: upper } = JSON.parse(stdout) as { LowerDir?: string; UpperDir: string };
	if (lower === undefined) {
		return listFolder(upper);
	}
	const mountPoint = await mkdtemp(join(tmpdir(), 'b2d-mount-'));
	try {
		await runProgram('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${upper}:${lower}`, mountPoint]);
		try {
			return await listFolder(mountPoint);
		} finally {
			await runProgram('umount', [mountPoint]);
		}
	} finally {
		await rm(mountPoint, { recursive: true, force: true });
	}
}

/** Lists a local folder with everything that tar can see of it. */
export async function listFolder(folder: string): Promise<TreeListing> {
	const options = [
		'--xattrs',
		'--xattrs-include=*',
		'--format=posix',
		'--pax-option=delete=atime,delete=ctime',
		'--numeric-owner',
		'--sort=name',
	];
	const { stdout } = await runProgram('tar', ['-C', folder, ...options, '-cf', '-', '.'], {
		encoding: 'buffer',
		maxBuffer: 256 << 20,
	});
	return listTar(stdout);
}
