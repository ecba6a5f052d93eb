import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { cpioArchive, type CpioEntry } from './cpio.js';
import { fetchPackages } from './fetchPackages.js';
import type { Lock } from './lock.js';
import type { Mirror } from './mirror.js';
import { rootTree } from './rootTree.js';
import { manifestOf, sourcesOf } from './sources.js';
import { UnpackedPackages } from './unpackedPackages.js';

export interface BuiltIso {
	readonly file: string;
	readonly sha256: string;
	readonly bytes: number;
	/** Bytes of the kernel and of the compressed root file system. */
	readonly kernelBytes: number;
	readonly initrdBytes: number;
}

/** What is built from: the repository's folder `iso`, a lock, and where packages are or come from. */
export interface BuildInput {
	readonly folder: string;
	readonly lock: Lock;
	readonly packages: string;
	readonly mirror: Mirror | undefined;
}

export const ISO_NAME = 'boinc2docker.iso';

/** Builds the image into `out`, with its checksum and the lists of what it is made of. The same input gives the same bytes. `parts` is as in `IsoParts`. */
export async function buildIso(input: BuildInput, out: string, parts?: string): Promise<BuiltIso> {
	return withPackages(input, async (packages, work) => {
		const { folder, lock } = input;
		const manifest = manifestOf(lock);
		const tree = rootTree(packages, kernelOf(lock), path.join(folder, 'guest'), manifest);
		await mkdir(out, { recursive: true });
		const config = path.join(folder, 'isolinux.cfg');
		const built = await writeIso({ packages, lock, work, tree, manifest, config, parts }, path.join(out, ISO_NAME));
		await writeFile(`${built.file}.sha256`, `${built.sha256}  ${ISO_NAME}\n`);
		await writeFile(path.join(out, 'manifest'), manifest);
		await writeFile(path.join(out, 'SOURCES'), await sourcesOf(lock, packages));
		return built;
	});
}

/** Unpacks the locked packages into a temporary folder for as long as `use` takes. */
export async function withPackages<T>(
	{ lock, packages: store, mirror }: BuildInput,
	use: (packages: UnpackedPackages, work: string) => Promise<T>,
): Promise<T> {
	await fetchPackages(lock.packages, store, mirror);
	const work = await mkdtemp(path.join(tmpdir(), 'b2d-iso-'));
	try {
		return await use(await UnpackedPackages.unpack(lock, store, path.join(work, 'packages')), work);
	} finally {
		await rm(work, { recursive: true, force: true });
	}
}

const kernelOf = ({ packages }: Lock): string => packages.find(({ name }) => name.startsWith('linux-image-'))?.name ?? '';

/** What goes into an image besides the kernel and the boot loader. */
interface IsoParts {
	readonly packages: UnpackedPackages;
	readonly lock: Lock;
	/** An empty folder to work in. */
	readonly work: string;
	readonly tree: readonly CpioEntry[];
	readonly manifest: string;
	/** The boot loader's configuration. */
	readonly config: string;
	/** Folder that also gets kernel and root file system by themselves, for what boots without a boot loader. */
	readonly parts?: string | undefined;
}

/** Writes a bootable image with this root file system. */
export async function writeIso(
	{ packages, lock, work, tree, manifest, config, parts }: IsoParts,
	file: string,
): Promise<BuiltIso> {
	const kernel = kernelOf(lock);
	const boot = path.join(work, 'tree/boot');
	await mkdir(path.join(boot, 'isolinux'), { recursive: true });
	const image = (await readdir(packages.file(kernel, 'boot'))).find((name) => name.startsWith('vmlinuz-')) ?? 'vmlinuz';
	const kernelBytes = packages.read(kernel, `boot/${image}`);
	const archive = cpioArchive(tree, lock.time);
	const initrd = compress(packages, archive);
	if (parts !== undefined) {
		await writeFile(path.join(parts, 'vmlinuz'), kernelBytes);
		await writeFile(path.join(parts, 'root.cpio'), archive);
	}
	await writeFile(path.join(boot, 'vmlinuz'), kernelBytes);
	await writeFile(path.join(boot, 'initrd.img'), initrd);
	await copyFile(packages.file('isolinux', 'usr/lib/ISOLINUX/isolinux.bin'), path.join(boot, 'isolinux/isolinux.bin'));
	await copyFile(
		packages.file('syslinux-common', 'usr/lib/syslinux/modules/bios/ldlinux.c32'),
		path.join(boot, 'isolinux/ldlinux.c32'),
	);
	await copyFile(config, path.join(boot, 'isolinux/isolinux.cfg'));
	await writeFile(path.join(work, 'tree/manifest'), manifest);
	runXorriso(packages, work, lock.time);
	const bytes = await readFile(path.join(work, ISO_NAME));
	await writeFile(`${file}.part`, bytes);
	await rename(`${file}.part`, file);
	return {
		file,
		sha256: createHash('sha256').update(bytes).digest('hex'),
		bytes: bytes.length,
		kernelBytes: kernelBytes.length,
		initrdBytes: initrd.length,
	};
}

/** The kernel reads CRC32 only. A dictionary as big as the content would take as much memory at boot again. */
function compress(packages: UnpackedPackages, archive: Buffer): Buffer {
	const filters = ['--x86', '--lzma2=preset=9e,dict=16MiB'];
	return packages.runTool('xz-utils', 'usr/bin/xz', ['-c', '-T1', '--check=crc32', ...filters], { input: archive });
}

function runXorriso(packages: UnpackedPackages, work: string, time: number): void {
	const date = new Date(time * 1000).toISOString().replace(/\D/g, '').slice(0, 16);
	packages.runTool(
		'xorriso',
		'usr/bin/xorriso',
		[
			...['-as', 'mkisofs', '-quiet', '-V', 'BOINC2DOCKER', '-r', '-J', '-no-pad', `--modification-date=${date}`],
			...['--set_all_file_dates', date, '-b', 'boot/isolinux/isolinux.bin', '-c', 'boot/isolinux/boot.cat'],
			...['-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', '-o', ISO_NAME, 'tree'],
		],
		{ cwd: work },
	);
}
