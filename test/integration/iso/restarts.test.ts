import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { PackedImage } from '../../../src/image/types.js';
import { runVm, Vm, type VmOptions, type VmOutcome, writeEmptyDisk } from '../../support/vm.js';
import { busyboxLayer, packLayers, vmSlot } from '../../support/vmSlot.js';
import type { RunnerSlot } from '../../unit/job/runnerSlot.js';

describe('two VMs with one image side by side, of which one loses its power', () => {
	let server: Server;
	let image: PackedImage;
	let cut: RunnerSlot;
	let other: RunnerSlot;
	let again: VmOutcome;
	let beside: VmOutcome;

	beforeAll(async () => {
		server = createServer((_, response) => response.end('from the host'));
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = `http://10.0.2.2:${String((server.address() as AddressInfo).port)}/`;
		image = await packLayers([busyboxLayer()]);
		const slotOf = (script: string): Promise<RunnerSlot> =>
			vmSlot({ image, network: 'nat', argv: ['/bin/sh', '-c', `cd /root/shared\n${script}\n`] });
		cut = await slotOf(`
			cat /etc/resolv.conf
			if [ -f checkpoint/half ]; then cat checkpoint/half >results/out; ls results /left 2>&1; exit 0; fi
			echo lost >results/early; echo lost >/left; echo half >checkpoint/half.new; busybox mv checkpoint/half.new checkpoint/half
			while :; do sleep 1; done`);
		other = await slotOf(`wget -q -O results/page ${address}; cat /etc/resolv.conf; ls checkpoint results`);
		[again, beside] = await Promise.all([
			cutAndRunAgain(cut, { adapter: 'virtio-net-pci' }),
			runVm(other.slot, { adapter: 'e1000' }),
		]);
	});
	afterAll(async () => {
		await new Promise((resolve) => server.close(resolve));
		await Promise.all([cut.remove(), other.remove(), image.dispose()]);
	});

	async function cutAndRunAgain(job: RunnerSlot, options: VmOptions): Promise<VmOutcome> {
		const disk = path.join(job.dir, 'vm_cache.vdi');
		await writeEmptyDisk(disk);
		const vm = await Vm.start(job.slot, { ...options, disk });
		try {
			await vm.until(() => existsSync(job.shared('checkpoint/half')), 'the checkpoint');
			// The client's pause goes before.
			await vm.pause();
			await vm.resume();
			expect(Number(await readFile(path.join(job.slot, 'b2d_vm_heartbeat'), 'utf8'))).toBeGreaterThan(0);
		} finally {
			await vm.stop();
		}
		return runVm(job.slot, { ...options, disk });
	}

	test('the one goes on from its checkpoint when it starts again', async () => {
		expect(again.code).toBe(0);
		expect((await cut.results()).out).toBe('half\n');
	});

	test('and keeps nothing else of the first try', async () => {
		expect(again.message).toMatch(/^nameserver 10\.0\.2\.3\n/);
		expect(again.message).toContain('out\n');
		expect(again.message).toMatch(/\/left: No such file/);
		expect(Object.keys(await cut.results())).not.toContain('early');
	});

	test('the other is not disturbed, and reaches the network that it asked for', async () => {
		expect(beside).toMatchObject({ code: 0, message: expect.stringContaining('nameserver 10.0.2.3\n') as string });
		expect(beside.message).toMatch(/^checkpoint:\n\nresults:\npage\n/m);
		expect((await other.results()).page).toBe('from the host');
	});
});
