import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { PackedImage } from '../../../src/image/types.js';
import { runVm, type VmOutcome } from '../../support/vm.js';
import { busyboxLayer, packLayers, type VmJob, vmSlot } from '../../support/vmSlot.js';
import type { RunnerSlot } from '../../unit/job/runnerSlot.js';

const shell = (script: string): string[] => ['/bin/sh', '-c', script];

const slots: RunnerSlot[] = [];
let image: PackedImage;
beforeAll(async () => {
	image = await packLayers([busyboxLayer()], { config: { Env: ['PATH=/bin'] } });
});
afterAll(async () => {
	await Promise.all(slots.map((slot) => slot.remove()));
	await image.dispose();
});

async function slotOf(job: Partial<VmJob>): Promise<RunnerSlot> {
	const slot = await vmSlot({ image, argv: shell('true'), ...job });
	slots.push(slot);
	return slot;
}

test('a slot without a description ends the job', async () => {
	const { slot } = await slotOf({});
	await rm(path.join(slot, 'b2d_vm'));
	expect(await runVm(slot, { disk: 'none' })).toMatchObject({
		code: 206,
		message: 'boinc2docker: The file b2d_vm, which tells the VM what to run, is missing.\n',
	});
});

test('results that the volunteer’s disk has no room for end with 196, and that is told', async () => {
	const small = await mkdtemp(path.join(tmpdir(), 'b2d-small-'));
	const { slot } = await slotOf({
		argv: shell(
			'dd if=/dev/urandom of=/root/shared/results/big bs=1M count=12; dd if=/dev/zero of=/root/shared/fill bs=1M count=50; true',
		),
	});
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10M,mode=755', 'tmpfs', small]);
	try {
		await cp(slot, small, { recursive: true });
		const { code, message } = await runVm(small);
		expect(message).toContain('The results could not be packed completely, so they are dropped. Is the disk full?');
		expect(code).toBe(196);
		expect((await stat(path.join(small, 'b2d_vm_done'))).size).toBeGreaterThan(100);
		// There was not even room for one with the report alone.
		expect(existsSync(path.join(small, 'shared/results.tgz'))).toBe(false);
	} finally {
		execFileSync('umount', ['-l', small]);
		await rm(small, { recursive: true });
	}
});

/** Runs the jobs one after the other, and keeps what each said, its exit code, its sentences, and its results. */
const ORIGINAL_SCRIPT = `pwd
for job in $(cat order); do
	printf '\\n== %s\\n' $job
	cp jobs/$job/b2d_params /boinc/b2d_params
	: >/run/b2d/sentences
	b2d-run jobs/$job/b2d_vm
	echo "code $?"
	cat /run/b2d/sentences
	[ ! -f results.tgz ] || mv results.tgz jobs/$job/
done
: >/run/b2d/sentences
rm -rf results
mkdir results
echo own >results/own
exit 5
`;

describe('the original’s boinc_app runs images one after the other', () => {
	const jobs: Readonly<Record<string, Partial<VmJob>>> = {
		damaged: { argv: shell('echo ran') },
		absent: { argv: ['no-such-program'] },
		memory: { argv: shell('exec awk \'BEGIN { s = "x"; while (1) s = s s }\''), common: { memoryBytes: 4_000_000_000 } },
		disk: {
			disk: 20_000_000,
			argv: shell('echo kept >/root/shared/results/early; dd if=/dev/zero of=/big bs=1M count=200 || exit 9'),
		},
		// Ends with the code that a killed program has.
		fine: {
			network: 'nat',
			argv: shell('ls /big; head -c 16 /dev/random | wc -c; echo from the image >/root/shared/results/out; exit 137'),
		},
	};
	const said = new Map<string, string>();
	let outcome: VmOutcome;
	let main: RunnerSlot;

	beforeAll(async () => {
		main = await slotOf({});
		await rm(path.join(main.slot, 'b2d_vm'));
		for (const [name, job] of Object.entries(jobs)) {
			const { slot } = await slotOf(job);
			await mkdir(main.shared('jobs', name), { recursive: true });
			for (const file of ['b2d_vm', 'b2d_params', ...image.packs.map((pack) => pack.name)]) {
				await rename(path.join(slot, file), main.shared('jobs', name, file));
			}
		}
		const pack = await open(main.shared('jobs/damaged', image.packs[0]?.name ?? ''), 'r+');
		await pack.write(Buffer.from('damage'), 0, 6, Math.floor((await pack.stat()).size / 2));
		await pack.close();
		await writeFile(main.shared('order'), Object.keys(jobs).join('\n'));
		await writeFile(main.shared('boinc_app'), ORIGINAL_SCRIPT);
		// An old processor without random numbers.
		outcome = await runVm(main.slot, { memory: 192, cpu: 'qemu64' });
		for (const part of outcome.message.split('\n== ').slice(1)) {
			const end = part.indexOf('\n');
			said.set(part.slice(0, end), part.slice(end + 1));
		}
	});

	async function resultsOf(name: string): Promise<Record<string, string>> {
		await rename(main.shared('jobs', name, 'results.tgz'), main.shared('results.tgz'));
		return main.results();
	}

	test('in /root/shared, and its own code and results count', async () => {
		expect(outcome).toMatchObject({ code: 5, message: expect.stringMatching(/^\/root\/shared\n/m) as string });
		expect(await main.results()).toEqual({ own: 'own\n' });
	});

	test('a damaged pack ends the job before anything of it runs', () => {
		expect(said.get('damaged')).toMatch(
			/^code 206\nboinc2docker: The pack b2d_pack_\S+ of the image is damaged: its SHA-256 is [0-9a-f]{64} instead of [0-9a-f]{64}\.\n$/,
		);
	});

	test('a program that the image does not have ends with 127', async () => {
		expect(said.get('absent')).toMatch(
			/^boinc2docker: The command "no-such-program" is not in the image\.\nboinc2docker: The program ended with exit code 127 .*\ncode 127\n$/,
		);
		expect(Object.keys(await resultsOf('absent'))).toContain('.b2d/job.json');
	});

	test('a program that uses up the memory ends with 205, and the VM lives on', async () => {
		expect(said.get('memory')).toMatch(
			/\ncode 205\nboinc2docker: The VM's memory was used up, and the kernel ended the program awk\. The job's exit code was 137\.\n$/,
		);
		expect(Object.keys(await resultsOf('memory'))).toContain('.b2d/job.json');
	});

	test('a program that writes more than it may ends with 196', async () => {
		expect(said.get('disk')).toMatch(/\ncode 196\nboinc2docker: The program failed with exit code 9, and the disk is full: /);
		expect(await resultsOf('disk')).toMatchObject({
			early: 'kept\n',
			'.b2d/job.json': expect.stringContaining('"exitCode":9') as string,
		});
	});

	test('a job has nothing of those before it, and runs without the network that it asked for where there is none', async () => {
		expect(said.get('fine')).toMatch(/\/big: No such file or directory\n16\n/);
		expect(said.get('fine')).toMatch(
			/\ncode 137\nboinc2docker: The VM has got no network address; the program starts without\.\n$/,
		);
		const results = await resultsOf('fine');
		expect(results).toMatchObject({ out: 'from the image\n' });
		expect(results.early).toBeUndefined();
	});

	test('and the log has their ends', () => {
		expect(outcome.guestLog).toContain('boinc2docker: The container ended with exit code 137.\n');
		expect(outcome.log).toContain('The script boinc_app ended with exit code 5.');
	});
});
