import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { quietContext } from '../../src/common/ports.js';
import { packArchive } from '../../src/image/packImage.js';
import type { PackedImage } from '../../src/image/types.js';
import { type CommonParameters, encodeWord } from '../../src/job/parameters.js';
import { RunnerSlot } from '../unit/job/runnerSlot.js';
import { savedImage, tarOf, type TestConfig, type TestEntry } from './savedImages.js';

/** Packs an image made of these layers. The caller disposes it. */
export async function packLayers(layers: readonly (readonly TestEntry[])[], config: TestConfig = {}): Promise<PackedImage> {
	const dir = await mkdtemp(path.join(tmpdir(), 'b2d-vmimage-'));
	try {
		const saved = path.join(dir, 'image.tar');
		await writeFile(saved, savedImage('docker before 25', layers.map(tarOf), config));
		return await packArchive({ file: saved }, quietContext());
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}

export interface VmJob {
	readonly image: PackedImage;
	readonly argv: readonly string[];
	readonly common?: Partial<CommonParameters>;
	readonly network?: 'none' | 'nat';
	/** Bytes that the program may write. */
	readonly disk?: number;
	/** Lines that replace those of the same key in the description; `undefined` leaves them out. */
	readonly describe?: Readonly<Record<string, string | undefined>>;
}

/** A slot folder with the staged files of a job, as the client leaves it for the wrapper. */
export async function vmSlot(job: VmJob): Promise<RunnerSlot> {
	const slot = await RunnerSlot.create();
	const { env, workingDir, user } = job.image.config;
	await slot.write({ env, workingDir, user, ...job.common }, job.argv);
	const packs: string[] = [];
	for (const { name, content } of job.image.packs) {
		await writeFile(path.join(slot.slot, name), content.open(0));
		packs.push(`${content.sha256} ${String(content.size)} ${name}`);
	}
	const entries = job.image.packs.reduce((sum, pack) => sum + pack.entries, 0);
	const lines: [string, string | undefined][] = [
		['b2d_vm', '1'],
		['image', job.image.id],
		['architecture', job.image.config.architecture],
		...packs.map((pack): [string, string] => ['pack', pack]),
		['tree', `${String(job.image.treeSize)} ${String(entries)}`],
		['network', job.network ?? 'none'],
		['disk', String(job.disk ?? 50_000_000)],
		...env.map((pair): [string, string] => ['env', encodeWord(pair)]),
		['dir', encodeWord(workingDir)],
	];
	const text = lines
		.map(([key, value]) => [key, job.describe && key in job.describe ? job.describe[key] : value])
		.filter(([, value]) => value !== undefined)
		.map(([key, value]) => `${key ?? ''} ${value ?? ''}\n`)
		.join('');
	await writeFile(path.join(slot.slot, 'b2d_vm'), text);
	return slot;
}
