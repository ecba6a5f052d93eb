import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { jobToml } from '../../../src/job/jobToml.js';
import { enginePlan } from '../../../src/job/localRun/enginePlan.js';
import { fileReferences } from '../../../src/job/localRun/fileReferences.js';
import { liveRunner } from '../../../src/job/localRun/liveRunner.js';
import { runnerScript } from '../../../src/job/runner.js';
import { NETWORK_POLICIES } from '../../../src/job/types.js';
import { RunnerSlot } from './runnerSlot.js';

describe('job.toml', () => {
	it.each(NETWORK_POLICIES)('is understood as it is written, with network %s', (network) => {
		const plan = enginePlan(jobToml('boinc__b2d_c0ffee', { network }));
		expect(plan.imageName).toBe('boinc__b2d_c0ffee');
		expect(plan.createArguments.includes('--network')).toBe(network !== 'bridge');
		expect(plan.createArguments).toContain('no-new-privileges');
	});

	it('may have options that a person added', () => {
		const plan = enginePlan(jobToml('boinc__b2d_c0ffee', { network: 'none', createArgs: '--shm-size=1g --ulimit=nofile=1:2' }));
		expect(plan.createArguments.slice(-4)).toEqual(['--shm-size', '1g', '--ulimit', 'nofile=1:2']);
	});

	it('gives the container GPUs as the wrapper does', () => {
		const plan = enginePlan(jobToml('boinc__b2d_c0ffee', { network: 'none', gpu: { type: 'nvidia', cuda: 12_040 } }));
		expect(plan.createArguments.slice(0, 2)).toEqual(['--gpus', 'all']);
		expect(enginePlan(jobToml('boinc__b2d_c0ffee', { network: 'none' })).createArguments).not.toContain('--gpus');
	});

	const own = jobToml('boinc__b2d_c0ffee', { network: 'none' });
	it.each([
		['another option', own.replace('create_args = "', 'create_args = "--privileged ')],
		['a mount of the computer', own.replace('create_args = "', 'create_args = "-v /:/host ')],
		['another capability', own.replace('CHOWN', 'SYS_ADMIN')],
		['another network', own.replace('--network none', '--network container:x')],
		['a size that is none', own.replace('create_args = "', 'create_args = "--shm-size / ')],
		['a GPU that is no flag', `${own}use_gpu = "all"\n`],
		['another key', `${own}mount = ["/:/host"]\n`],
		['another folder', own.replace('/boinc"', '/"')],
		['another image', own.replace('boinc__b2d_c0ffee', '--help')],
		['no TOML', 'workdir = '],
	])('is refused with %s', (_, text) => {
		expect(() => enginePlan(text)).toThrow(expect.objectContaining({ code: 'job-invalid' }));
	});
});

describe('the files of a job', () => {
	const ref = (name: string, open: string): string =>
		`<file_ref>\n<file_name>${name}</file_name>\n<open_name>${open}</open_name>\n<copy_file/>\n</file_ref>`;

	it('are read with their hashes', () => {
		const md5 = '0123456789abcdef0123456789abcdef';
		const xml = `<file_info>\n<name>b2d_a</name>\n<md5_cksum>${md5}</md5_cksum>\n</file_info><workunit>${ref('b2d_a', 'shared/in/a.txt')}${ref('b2d_b', 'b')}</workunit>`;
		expect(fileReferences(xml)).toEqual([
			{ name: 'b2d_a', openName: 'shared/in/a.txt', md5 },
			{ name: 'b2d_b', openName: 'b', md5: undefined },
		]);
	});

	it.each([
		['x', '../x'],
		['x', '/etc/x'],
		['x', 'C:/x'],
		['x', 'a\\..\\b'],
		['../x', 'x'],
		['', 'x'],
	])('may not lead out of the slot: %j for %j', (name, open) => {
		expect(() => fileReferences(ref(name, open))).toThrow(expect.objectContaining({ code: 'job-invalid' }));
	});
});

describe('the runner for a person who watches', () => {
	it('shows each line at once, and all of them, and keeps the log', async () => {
		const slot = await RunnerSlot.create();
		try {
			await writeFile(path.join(slot.slot, 'runner'), liveRunner(runnerScript));
			const script = `echo first; while [ ! -e ${slot.shared('go').replace(/ /g, '\\ ')} ]; do sleep 0.1; done; seq 5000`;
			await slot.write({}, ['/bin/sh', '-c', script]);
			let seen = '';
			const { end } = slot.start((text) => {
				seen += text;
			});
			await vi.waitUntil(() => seen.includes('first\n'), { timeout: 10_000, interval: 50 });
			await writeFile(slot.shared('go'), '');
			const { code, terminal } = await end;
			expect(code).toBe(0);
			expect(terminal).toContain('\n2499\n2500\n2501\n');
			expect(terminal).not.toContain('left out');
			expect((await slot.results())['.b2d/log.txt']).toMatch(/^first\n1\n2\n[^]*\n5000\n$/);
		} finally {
			await slot.remove();
		}
	});
});
