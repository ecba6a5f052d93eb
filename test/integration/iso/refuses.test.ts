import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import type { PackedImage } from '../../../src/image/types.js';
import { runVm, type VmOptions, type VmOutcome } from '../../support/vm.js';
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
	return runVm(slot.slot, options);
}

test('a slot without a description ends the job', async () => {
	slot = await vmSlot({ image, argv: [] });
	await rm(path.join(slot.slot, 'b2d_vm'));
	expect(await runVm(slot.slot, { disk: 'none' })).toMatchObject({
		code: 206,
		message: 'boinc2docker: The file b2d_vm, which tells the VM what to run, is missing.\n',
	});
});

test('a damaged pack ends the job before anything of it runs', async () => {
	slot = await vmSlot({ image, argv: shell('echo ran') });
	const file = await open(path.join(slot.slot, image.packs[0]?.name ?? ''), 'r+');
	const { size } = await file.stat();
	await file.write(Buffer.from('damage'), 0, 6, Math.floor(size / 2));
	await file.close();
	const { code, message } = await runVm(slot.slot);
	expect(code).toBe(206);
	expect(message).toMatch(/^boinc2docker: The pack b2d_pack_\S+ of the image is damaged: its SHA-256 is /);
	expect(message).not.toContain('ran');
});

test('a program that the image does not have ends with 127', async () => {
	expect(await runJob({ argv: ['no-such-program'] })).toMatchObject({
		code: 127,
		message: expect.stringContaining('boinc2docker: The command "no-such-program" is not in the image.\n') as string,
	});
});

test('a program that uses up the memory ends with 205, and the VM lives on', async () => {
	const { code, message } = await runJob(
		{ argv: shell('exec awk \'BEGIN { s = "x"; while (1) s = s s }\''), common: { memoryBytes: 4_000_000_000 } },
		{ memory: 192 },
	);
	expect(message).toMatch(/The VM's memory was used up, and the kernel ended the program awk\. The job's exit code was 137\./);
	expect(code).toBe(205);
	expect(Object.keys(await slot.results())).toContain('.b2d/job.json');
});

test('a program that writes more than it may ends with 196', async () => {
	const { code, message } = await runJob({
		disk: 20_000_000,
		argv: shell('echo kept >/root/shared/results/early; dd if=/dev/zero of=/big bs=1M count=200 || exit 9'),
	});
	expect(message).toContain('The program failed with exit code 9, and the disk is full');
	expect(code).toBe(196);
	expect(await slot.results()).toMatchObject({
		early: 'kept\n',
		'.b2d/job.json': expect.stringContaining('"exitCode":9') as string,
	});
});

test('results that the volunteer’s disk has no room for end with 196, and that is told', async () => {
	const small = await mkdtemp(path.join(tmpdir(), 'b2d-small-'));
	slot = await vmSlot({
		image,
		argv: shell(
			'dd if=/dev/urandom of=/root/shared/results/big bs=1M count=12; dd if=/dev/zero of=/root/shared/fill bs=1M count=50; true',
		),
	});
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10M,mode=755', 'tmpfs', small]);
	try {
		await cp(slot.slot, small, { recursive: true });
		const { code, message } = await runVm(small);
		expect(message).toContain('The results could not be packed completely, so they are dropped. Is the disk full?');
		expect(code).toBe(196);
		expect((await stat(path.join(small, 'b2d_vm_done'))).size).toBeGreaterThan(100);
	} finally {
		execFileSync('umount', ['-l', small]);
		await rm(small, { recursive: true });
	}
	expect(existsSync(slot.shared('results.tgz'))).toBe(false);
});
