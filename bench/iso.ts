import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type BuildInput, buildIso, withPackages, writeIso } from '../iso/buildIso.js';
import { readLock } from '../iso/lock.js';
import { PACKAGE_STORE } from '../iso/main.js';
import { mirrorOfMachine } from '../iso/mirror.js';
import type { PackedImage } from '../src/image/types.js';
import { directory, file } from '../test/support/savedImages.js';
import { Vm, type VmOutcome } from '../test/support/vm.js';
import { busyboxLayer, packLayers, vmSlot } from '../test/support/vmSlot.js';

/**
 * The image for VirtualBox: its size, how long it takes to build, and under QEMU's emulation on one processor how long the
 * boot takes and how much memory a VM needs at least.
 */
export async function run(): Promise<Record<string, unknown>> {
	const dir = await mkdtemp(path.join(tmpdir(), 'b2d-bench-iso-'));
	const images: PackedImage[] = [];
	try {
		const folder = path.resolve('iso');
		const lock = await readLock(path.join(folder, 'packages.lock.json'));
		const input: BuildInput = { folder, lock, packages: PACKAGE_STORE, mirror: await mirrorOfMachine() };
		const started = performance.now();
		const built = await buildIso(input, path.join(dir, 'iso'));
		const buildSeconds = (performance.now() - started) / 1000;
		const bare = await bareIso(input, dir);
		const small = await imageOf(1);
		const hundred = await imageOf(100);
		const threeHundred = await imageOf(300);
		images.push(small, hundred, threeHundred);
		const boots: number[] = [];
		const floors: number[] = [];
		// One after the other, so that a busy machine disturbs both.
		for (let index = 0; index < RUNS; index++) {
			floors.push(await floorSeconds(bare, dir));
			boots.push((await runImage(built.file, small, 512)).containerSeconds);
		}
		const big = await runImage(built.file, threeHundred, 512);
		const usual = await runImage(built.file, hundred, 512);
		const least = await leastMemory(built.file, hundred, 96, LIMIT * usual.seconds);
		return {
			isoBytes: built.bytes,
			initrdBytes: built.initrdBytes,
			kernelBytes: built.kernelBytes,
			buildSeconds,
			floorSeconds: median(floors),
			bootToContainerSeconds: median(boots),
			bootToContainer300MbSeconds: big.containerSeconds,
			unpackSeconds300Mb: big.unpackSeconds,
			unpackMBps: threeHundred.treeSize / 1e6 / big.unpackSeconds,
			image100MbBytes: hundred.treeSize,
			image300MbBytes: threeHundred.treeSize,
			minMemoryMb: least,
			minMemoryMb300: await leastMemory(built.file, threeHundred, least, LIMIT * big.seconds),
			originalMemoryMb: Math.round(500 + (4 * hundred.treeSize) / 1e6),
			originalMemoryMb300: Math.round(500 + (4 * threeHundred.treeSize) / 1e6),
		};
	} finally {
		await Promise.all(images.map((image) => image.dispose()));
		await rm(dir, { recursive: true, force: true });
	}
}

/** An image with as many MB that compress like programs do: to about 40 %. */
async function imageOf(megabytes: number): Promise<PackedImage> {
	let seed = 1;
	const content = Buffer.alloc(1_000_000);
	for (let index = 0; index < content.length; index++) {
		seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
		// Few different bytes, in no order.
		content[index] = (seed >>> 16) % 9;
	}
	const files = Array.from({ length: megabytes - 1 }, (_, index) => {
		content.writeUInt32LE(index, 0);
		return file(`data/${String(index)}`, Buffer.from(content));
	});
	return packLayers([busyboxLayer([directory('data'), ...files])]);
}

interface Run {
	/** From the start of the VM to that of the container, with BIOS and boot loader. */
	readonly containerSeconds: number;
	/** For making the file system and unpacking the image into it. */
	readonly unpackSeconds: number;
	/** Of the whole run. */
	readonly seconds: number;
	readonly code: number;
}

/** Runs a program that reads the whole image. */
async function runImage(iso: string, image: PackedImage, memory: number, seconds = 600): Promise<Run> {
	const slot = await vmSlot({ image, argv: ['/bin/sh', '-c', 'cat /data/* | wc -c'], disk: 10_000_000 });
	try {
		const started = performance.now();
		const vm = await Vm.start(slot.slot, { iso, memory, seconds });
		try {
			await vm.until(async () => {
				const said = await readFile(vm.console, 'latin1');
				if (/kernel panic|not enough memory/i.test(said)) {
					throw new Error(said);
				}
				return (await vm.log()).includes(STARTS);
			}, 'the container');
			const containerSeconds = (performance.now() - started) / 1000;
			const outcome = await vm.completion();
			const unpackSeconds = at(outcome, 'The image is unpacked') - at(outcome, 'The image has');
			return { containerSeconds, unpackSeconds, seconds: outcome.seconds, code: outcome.code };
		} finally {
			await vm.stop();
		}
	} finally {
		await slot.remove();
	}
}

const STARTS = 'The container starts';

/** Seconds on the guest's clock of a line in its log. */
function at({ log }: VmOutcome, text: string): number {
	const line = log.split('\n').find((each) => each.includes(text)) ?? '';
	return Number.parseFloat(line);
}

/** How often a boot is timed. */
const RUNS = 5;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** A VM that takes this many times as long as one with enough memory does not work. */
const LIMIT = 3;
const STEP = 16;

/** The least memory in MiB, in steps of 16 from `start` on, with which a VM runs the image within `seconds`. */
async function leastMemory(iso: string, image: PackedImage, start: number, seconds: number): Promise<number> {
	const works = (memory: number): Promise<boolean> =>
		runImage(iso, image, memory, seconds).then(
			({ code }) => code === 0,
			() => false,
		);
	let memory = start;
	if (await works(memory)) {
		while (await works(memory - STEP)) {
			memory -= STEP;
		}
		return memory;
	}
	do {
		memory += STEP;
	} while (!(await works(memory)));
	return memory;
}

/** An image with the same kernel and nothing but busybox: as fast as it can be. */
async function bareIso(input: BuildInput, dir: string): Promise<string> {
	const init =
		'#!/bin/sh\n/bin/busybox mount -t devtmpfs dev /dev\necho up >/dev/ttyS0\nwhile :; do /bin/busybox sleep 9; done\n';
	const { file: iso } = await withPackages(input, async (packages, work) => {
		const tree = [
			{ path: 'bin', kind: 'directory', mode: 0o755 },
			{ path: 'dev', kind: 'directory', mode: 0o755 },
			{ path: 'bin/busybox', kind: 'file', mode: 0o755, content: packages.read('busybox-static', 'usr/bin/busybox') },
			{ path: 'bin/sh', kind: 'link', target: 'busybox' },
			{ path: 'init', kind: 'file', mode: 0o755, content: Buffer.from(init) },
		] as const;
		const config = path.join(input.folder, 'isolinux.cfg');
		return writeIso({ packages, lock: input.lock, work, tree, manifest: '', config }, path.join(dir, 'bare.iso'));
	});
	return iso;
}

/** Seconds from the start of a VM to its first program. */
async function floorSeconds(iso: string, dir: string): Promise<number> {
	const slot = await mkdtemp(path.join(dir, 'slot-'));
	const started = performance.now();
	const vm = await Vm.start(slot, { iso });
	try {
		await vm.until(async () => /^up/m.test(await readFile(vm.console, 'latin1')), 'its first program');
		return (performance.now() - started) / 1000;
	} finally {
		await vm.stop();
	}
}
