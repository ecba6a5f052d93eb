import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { quietContext } from '../../src/common/ports.js';
import { packArchive } from '../../src/image/packImage.js';
import type { PackedImage } from '../../src/image/types.js';
import { type CommonParameters, encodeWord } from '../../src/job/parameters.js';
import { RunnerSlot } from '../unit/job/runnerSlot.js';
import { directory, file, savedImage, symlink, tarOf, type TestConfig, type TestEntry } from './savedImages.js';

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
	/** A further pack, in which hard links named `root/shared` correct the times of what they lead to. */
	readonly corrections?: readonly TestEntry[];
	/** Lines that replace those of the same key in the description; `undefined` leaves them out. */
	readonly describe?: Readonly<Record<string, string | undefined>>;
}

const CORRECTIONS = 'b2d_pack_corrections.tar.gz';

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
	if (job.corrections) {
		const content = gzipSync(tarOf(job.corrections));
		await writeFile(path.join(slot.slot, CORRECTIONS), content);
		packs.push(`${createHash('sha256').update(content).digest('hex')} ${String(content.length)} ${CORRECTIONS}`);
	}
	const entries = job.image.packs.reduce((sum, pack) => sum + pack.entries, 0);
	const lines: [string, string | undefined][] = [
		['b2d_vm', '1'],
		['image', job.image.id],
		['architecture', job.image.config.architecture],
		...packs.map((pack): [string, string] => ['pack', pack]),
		...(job.corrections ? [['times', `${CORRECTIONS} root/shared`] as [string, string]] : []),
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

/** A layer with busybox and what many images have; `applets` are linked in /bin. */
export function busyboxLayer(more: readonly TestEntry[] = []): TestEntry[] {
	const applets = [
		'sh',
		'awk',
		'cat',
		'dd',
		'head',
		'id',
		'ls',
		'ln',
		'md5sum',
		'mkdir',
		'sleep',
		'stat',
		'tr',
		'touch',
		'wc',
		'wget',
		'yes',
	];
	return [
		directory('bin'),
		file('bin/busybox', readFileSync('/bin/busybox'), { mode: 0o755 }),
		...applets.map((name) => symlink(`bin/${name}`, 'busybox')),
		directory('etc'),
		file('etc/passwd', 'root:x:0:0::/root:/bin/sh\nme:x:1000:1001::/home/me:/bin/sh\n'),
		file('etc/group', 'root:x:0:\nme:x:1001:\nmusic:x:2000:me\n'),
		directory('root', { mode: 0o700 }),
		directory('tmp', { mode: 0o1777 }),
		...more,
	];
}

/** GNU tar of this machine with its libraries, as files of a layer in the folder /tar. It sees attributes, which busybox does not. */
export function gnuTarLayer(): TestEntry[] {
	const program = realpathSync('/bin/tar');
	const libraries = execFileSync('ldd', [program], { encoding: 'utf8' })
		.split('\n')
		.map((line) => /(\/\S+) \(/.exec(line)?.[1])
		.filter((library) => library !== undefined);
	return [
		directory('tar'),
		file('tar/tar', readFileSync(program), { mode: 0o755 }),
		...libraries.map((library) =>
			file(`tar/${path.basename(library).replace(/^ld-.*/, 'ld.so')}`, readFileSync(library), { mode: 0o755 }),
		),
	];
}

/** Shell text that writes the container's whole tree into an archive. */
export const LIST_TREE =
	'/tar/ld.so --library-path /tar /tar/tar -C / --xattrs "--xattrs-include=*" --format=posix --pax-option=delete=atime,delete=ctime ' +
	'--numeric-owner --exclude=./proc --exclude=./dev --exclude=./sys --exclude=./boinc --exclude=./.boinc2docker --exclude=./tar -cf ';
