import { describe, expect, test } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { planBatch } from '../../../src/job/planBatch.js';
import { boincBounds } from '../../../src/job/resources.js';
import type { BatchSpec } from '../../../src/job/types.js';
import { vboxElements } from '../../../src/job/vboxElements.js';
import { machineBounds, machineDescription, machineMemory, vboxJob } from '../../../src/job/virtualMachine.js';
import { childTextOf, parseWithPositions, type PositionedElement } from '../../../src/project/xmlPositions.js';
import { CONFIG, input, packOf, sampleBatch, staged } from './sampleBatch.js';

const MIB = 1 << 20;

describe('the memory of a virtual machine', () => {
	test.each([
		[100 * MIB, 512],
		[352 * MIB, 512],
		[352 * MIB + 1, 513],
		[2048 * MIB, 2208],
	])('for a program that may use %d bytes is %d MiB', (bytes, expected) => {
		expect(machineMemory(bytes)).toBe(expected);
	});
});

describe('the description for the guest', () => {
	test('lists packs in order with their SHA-256, sizes, and the environment in words', () => {
		const pack = packOf(staged('b2d_pack_1.tar.gz', 'packed'), { times: 3 });
		const { image } = sampleBatch();
		const batch = sampleBatch({
			image: { ...image, packs: [pack, image.packs[1]!], config: { ...image.config, env: ['A=x y', 'B=ü"$'], workingDir: '' } },
			inputs: [input('data', '12345')],
		});
		const written = 1e9 - pack.size - image.packs[1]!.size - 5;
		expect(machineDescription(batch).split('\n')).toEqual([
			'b2d_vm 1',
			`image ${image.id}`,
			'architecture amd64',
			`pack ${pack.sha256} 6 b2d_pack_1.tar.gz`,
			`pack ${image.packs[1]!.sha256} ${image.packs[1]!.size} b2d_pack_2.tar.gz`,
			'times b2d_pack_1.tar.gz root/shared',
			'tree 100000000 5000',
			'network none',
			`disk ${written}`,
			'env A=x\\0040y',
			'env B=\\0303\\0274\\0042\\0044',
			'dir /',
			'',
		]);
	});

	test.each([
		['none', 'none', false],
		['bridge', 'nat', true],
		['host', 'nat', true],
	] as const)('a network policy of %s becomes %s', (network, word, cable) => {
		const batch = sampleBatch({ network });
		expect(machineDescription(batch)).toContain(`\nnetwork ${word}\n`);
		expect(vboxJob(batch).includes('<enable_network/>')).toBe(cable);
	});
});

describe('vbox_job.xml', () => {
	const job = (changes: Partial<BatchSpec> = {}): PositionedElement =>
		parseWithPositions(vboxJob(sampleBatch(changes)), 'vbox_job.xml');

	test('boots the ISO with the slot folder, and never takes snapshots', () => {
		const root = job();
		expect(root.name).toBe('vbox_job');
		const names = root.children.map(({ name }) => name);
		expect(new Set(names).size).toBe(names.length);
		expect(names).toEqual(
			expect.arrayContaining([
				'enable_isocontextualization',
				'boot_iso',
				'enable_cache_disk',
				'share_slot_dir',
				'disable_automatic_checkpoints',
			]),
		);
		for (const name of ['enable_vm_savestate_usage', 'enable_shared_directory', 'share_project_dir', 'job_duration']) {
			expect(names).not.toContain(name);
		}
		expect(childTextOf(root, 'os_name')).toContain('_64');
		expect(childTextOf(root, 'memory_size_mb')).toBe('1114');
		expect(childTextOf(root, 'fraction_done_filename')).toBe('fraction_done');
	});

	test('takes further elements', () => {
		const root = job({ vboxJobXml: '<!-- more --> <vram_size_mb> 32 </vram_size_mb>\n<enable_screenshots_on_error/>' });
		expect(childTextOf(root, 'vram_size_mb')).toBe('32');
		expect(vboxElements('<port_forward><host_port>0</host_port><guest_port>80</guest_port></port_forward>')).toBe(
			'<port_forward><host_port>0</host_port><guest_port>80</guest_port></port_forward>\n',
		);
		expect(vboxElements('<intermediate_upload_file>a&amp;b</intermediate_upload_file>')).toContain('a&amp;b');
	});

	test.each([
		'<vram_size_mb>32',
		'words',
		'</vbox_job><vbox_job>',
		'</vbox_job>',
		'<vram_size_mb unit="MB">32</vram_size_mb>',
		'<enable_vm_savestate_usage/>',
		'<minimum_checkpoint_interval>1</minimum_checkpoint_interval>',
		'<completion_trigger_file>x</completion_trigger_file>',
		'<enable_shared_directory/>',
		'<share_project_dir/>',
		'<memory_size_mb>64</memory_size_mb>',
		'<job_duration>60</job_duration>',
		'<enable_floppyio/>',
		'<toString/>',
		'<vram_size>32</vram_size>',
	])('refuses %s before anything is sent', (vboxJobXml) => {
		let error: unknown;
		try {
			planBatch(sampleBatch({ vboxJobXml }), CONFIG);
		} catch (cause) {
			error = cause;
		}
		expect(BoincError.is(error, 'job-invalid')).toBe(true);
	});
});

describe('what hosts must have', () => {
	test('covers the virtual machine, its disk and the packed result', () => {
		const batch = sampleBatch();
		const { memoryBytes, diskBytes, notes } = machineBounds(batch);
		expect(memoryBytes).toBe((1114 + 200) * MIB);
		const { image, resources } = batch;
		const content = image.treeSize + image.entries * 4096 + 1e9;
		expect(diskBytes).toBeGreaterThan(1.05 * content + resources.maxOutputBytes + 80 * MIB);
		expect(diskBytes).toBeLessThan(1.2 * content + resources.maxOutputBytes + 120 * MIB);
		expect(notes.join(' ')).toMatch(/1\.38 GB of memory.*1114 MiB.*of disk/);
	});

	test('is never less than the job’s own limits', () => {
		const { resources } = sampleBatch();
		expect(boincBounds(resources, { memoryBytes: 1, diskBytes: 1 })).toEqual(boincBounds(resources));
		expect(boincBounds(resources, { memoryBytes: 2e9, diskBytes: 3e9 })).toMatchObject({
			rscMemoryBound: 2e9,
			rscDiskBound: 3e9,
		});
	});
});
