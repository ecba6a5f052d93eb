import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import type { PackedImage } from '../../../src/image/types.js';
import { file } from '../../support/savedImages.js';
import { runVm, Vm, type VmOptions, type VmOutcome, writeEmptyDisk } from '../../support/vm.js';
import { busyboxLayer, packLayers, type VmJob, vmSlot } from '../../support/vmSlot.js';
import type { RunnerSlot } from '../../unit/job/runnerSlot.js';

const shell = (script: string): string[] => ['/bin/sh', '-c', script];

let image: PackedImage;
let slot: RunnerSlot;
beforeAll(async () => {
	image = await packLayers([busyboxLayer()], { config: { Env: ['PATH=/bin'] } });
});
afterAll(() => image.dispose());
afterEach(() => slot.remove());

async function runJob(job: Partial<VmJob>, options: VmOptions = {}): Promise<VmOutcome> {
	slot = await vmSlot({ image, argv: shell('true'), ...job });
	return runVm(slot.slot, { seconds: 500, ...options });
}

describe('big', () => {
	test('an image of 300 MB that cannot be compressed runs in 512 MB after a power cut while it was unpacked, and writes a file of 700 MB', async () => {
		const big = await packLayers([
			busyboxLayer(),
			Array.from({ length: 6 }, (_, index) => file(`big/${String(index)}`, randomBytes(50_000_000))),
		]);
		slot = await vmSlot({
			image: big,
			disk: 800_000_000,
			argv: shell('cat /big/* | wc -c; dd if=/dev/zero of=/tmp/big bs=1M count=700 2>/dev/null; wc -c </tmp/big'),
		});
		const disk = path.join(slot.dir, 'vm_cache.vdi');
		await writeEmptyDisk(disk);
		const vm = await Vm.start(slot.slot, { disk, seconds: 600 });
		try {
			await vm.until(async () => (await stat(disk)).size > 100_000_000, 'a third of the image on the disk');
			expect(await vm.log()).not.toContain('The image is unpacked');
		} finally {
			await vm.stop();
		}
		const { code, message } = await runVm(slot.slot, { disk, seconds: 1200 });
		expect(message).toMatch(/^300000000\n734003200\n/);
		expect(code).toBe(0);
		await big.dispose();
	}, 1_800_000);

	test('an image with 10,000 small files that is bigger than the memory runs, and its program writes a file that is bigger, too', async () => {
		const many = Array.from({ length: 10_000 }, (_, index) =>
			file(`many/${String(index % 100)}/${String(index)}`, String(index)),
		);
		const bytes = Array.from({ length: 3 }, (_, index) => file(`big/${String(index)}`, randomBytes(44_000_000)));
		const big = await packLayers([busyboxLayer(), bytes, many], { config: { Env: ['PATH=/bin'] } });
		// Linux has 120 MB of the 160.
		const { code, message } = await runJob(
			{
				image: big,
				disk: 150_000_000,
				argv: shell(
					'busybox find /many -type f | wc -l; cat /big/2 | wc -c; dd if=/dev/zero of=/written bs=1M count=130; wc -c </written',
				),
			},
			{ memory: 160 },
		);
		expect(message).toMatch(/^10000\n44000000\n[^]*^136314880\n/m);
		expect(code).toBe(0);
		await big.dispose();
	});

	test('results of 100 MB come back', async () => {
		const { code } = await runJob({
			common: { maxOutputBytes: 200_000_000 },
			disk: 150_000_000,
			argv: shell('dd if=/dev/urandom of=/root/shared/results/big bs=1M count=100'),
		});
		expect(code).toBe(0);
		expect((await stat(slot.shared('results.tgz'))).size).toBeGreaterThan(100_000_000);
		expect((await slot.results()).big).toHaveLength(100 << 20);
	});

	test('an image that is bigger than it said ends with 196', async () => {
		const big = await packLayers([busyboxLayer(), [file('big', randomBytes(60_000_000))]]);
		const { code, message } = await runJob({ image: big, disk: 1000, describe: { tree: '1000 10' } });
		expect(message).toMatch(/^boinc2docker: The image does not fit on the disk of \d+ MiB/);
		expect(code).toBe(196);
		await big.dispose();
	});
});

describe('other hardware', () => {
	test('the network works with the adapter pcnet', async () => {
		const { code, message } = await runJob({ network: 'nat', argv: shell('cat /etc/resolv.conf') }, { adapter: 'pcnet' });
		expect(message).toContain('nameserver 10.0.2.3\n');
		expect(code).toBe(0);
	});

	test('a VM without a disk says so', async () => {
		expect(await runJob({}, { disk: 'none' })).toMatchObject({ code: 206, message: 'boinc2docker: The VM has no disk.\n' });
	});
});

describe('never a false success', () => {
	test('a kernel that panics stands still without a completion file', async () => {
		slot = await vmSlot({ image, argv: [] });
		await rm(path.join(slot.slot, 'b2d_vm'));
		await writeFile(slot.shared('boinc_app'), 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger\n');
		const vm = await Vm.start(slot.slot);
		try {
			await vm.until(async () => (await readFile(vm.console, 'latin1')).includes('end Kernel panic'), 'the panic');
			const beat = await readFile(path.join(slot.slot, 'b2d_vm_heartbeat'), 'utf8');
			await new Promise((resolve) => setTimeout(resolve, 65_000));
			expect(vm.isOn).toBe(true);
			expect(await readFile(path.join(slot.slot, 'b2d_vm_heartbeat'), 'utf8')).toBe(beat);
			expect(existsSync(path.join(slot.slot, 'b2d_vm_done'))).toBe(false);
		} finally {
			await vm.stop();
		}
	});

	test('a volunteer’s disk that is full from the start asks for a later try', async () => {
		const small = await mkdtemp(path.join(tmpdir(), 'b2d-small-'));
		slot = await vmSlot({ image, argv: shell('true') });
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10M,mode=755', 'tmpfs', small]);
		try {
			await cp(slot.slot, small, { recursive: true });
			execFileSync('sh', ['-c', 'dd if=/dev/zero of="$1/fill" bs=4096 2>/dev/null; truncate -s -12288 "$1/fill"', 'sh', small]);
			const vm = await Vm.start(small);
			try {
				await vm.until(() => existsSync(path.join(small, 'b2d_vm_later')), 'the file for a later try');
				expect(await readFile(path.join(small, 'b2d_vm_later'), 'utf8')).toMatch(/^3600\n0\nThe disk of this computer is full/);
				expect(existsSync(path.join(small, 'b2d_vm_done'))).toBe(false);
			} finally {
				await vm.stop();
			}
		} finally {
			execFileSync('umount', ['-l', small]);
			await rm(small, { recursive: true });
		}
	});

	test('a job that had ended is not run again', async () => {
		slot = await vmSlot({ image, argv: shell('echo ran >>/root/shared/runs') });
		expect((await runVm(slot.slot)).code).toBe(0);
		const vm = await Vm.start(slot.slot);
		try {
			await vm.until(async () => (await vm.log()).includes('The job had ended already.'), 'the line about it');
		} finally {
			await vm.stop();
		}
		expect(await readFile(slot.shared('runs'), 'utf8')).toBe('ran\n');
	});

	test('an unknown user of the image ends with 206', async () => {
		const { code, message } = await runJob({ common: { user: 'nobody' } });
		expect(message).toContain('The image runs as the user nobody, who is not in its /etc/passwd.');
		expect(code).toBe(206);
	});
});

test('a VM that was paused goes on, beats, and has the right time', async () => {
	slot = await vmSlot({
		image,
		argv: shell('while [ ! -f /root/shared/go ]; do sleep 1; done; busybox date +%s'),
	});
	await mkdir(slot.shared('checkpoint'));
	const vm = await Vm.start(slot.slot, { seconds: 400 });
	try {
		await vm.until(async () => (await vm.log()).includes('The container starts'), 'the container');
		await vm.pause();
		await new Promise((resolve) => setTimeout(resolve, 20_000));
		await vm.resume();
		await vm.until(
			async () => Number(await readFile(path.join(slot.slot, 'b2d_vm_heartbeat'), 'utf8')) > 60,
			'another heartbeat',
		);
		await vm.until(async () => (await vm.log()).includes('The clock was set by'), 'the right time');
		await writeFile(slot.shared('go'), '');
		const { code, message } = await vm.completion();
		const seconds = Number(/^\d{9,}$/m.exec(message)?.[0]);
		expect(Math.abs(Date.now() / 1000 - seconds)).toBeLessThan(15);
		expect(code).toBe(0);
	} finally {
		await vm.stop();
	}
});
