import assert from 'node:assert/strict';

import { boincBounds, defaultResources } from '../../../src/job/resources.js';
import { editPlanClassSpec } from '../../../src/project/configEdit.js';
import { nvidia } from '../../unit/sandboxWeb/requestText.js';
import type { Check } from '../checks.js';
import type { RequestOptions } from '../fakeClient.js';
import type { Lab } from '../lab.js';
import { PROBE_PLATFORM, probeApp } from '../probe.js';
import { definePlanClass, place, probeVersion, updateVersions } from './appVersions.js';
import { sentTo, withdraw } from './machines.js';
import { newClient, readyJob } from './sentTask.js';

/** BOINC goes by the parts `docker` and `nvidia` in the name. */
const GPU_CLASS = 'b2dprobe_docker_nvidia';

/** Work for the GPU alone. */
const wanting = (change: Readonly<Record<string, number>> = {}): RequestOptions => ({ coprocs: nvidia(change, 100) });

/** Gives the probe app a version with a GPU beside the one without, with the class that Install App defines. */
function gpuVersion(lab: Lab): Promise<void> {
	return lab.once('probe version with a GPU', async () => {
		await probeVersion(lab);
		const gpu = { type: 'nvidia', memoryMib: 4000, computeCapability: 705, cuda: 12_000 } as const;
		const text = editPlanClassSpec(undefined, [], ['docker'], { cpus: 1, gpu }).text;
		const ours = /<plan_class>[^]*<\/plan_class>\n/.exec(text)?.[0] ?? '';
		await definePlanClass(lab, ours.replace(/docker_nvidia\w+/, GPU_CLASS));
		await place(lab, `1.00/${PROBE_PLATFORM}__${GPU_CLASS}`, [
			{ name: `${lab.tag}_gpu_wrapper_1`, text: '#!/bin/sh\nexit 1\n', listed: '<main_program/>', mode: '755' },
		]);
		const { stdout, stderr } = await updateVersions(lab);
		const { id } = await probeApp(lab);
		lab.defer('probe version with a GPU', () => withdraw(lab, id, GPU_CLASS));
		const rows = await lab.select('SELECT 1 FROM app_version WHERE appid = ? AND plan_class = ?', id, GPU_CLASS);
		assert.equal(rows.length, 1, `${stdout}${stderr}`);
		await lab.until('reread_db gone', async () => !(await lab.exists('reread_db')), 15);
	});
}

/** Limits that we give a job of ten hours: on a host as slow as the fake client's it has to be expected within its deadline. */
function tenHours(): readonly string[] {
	const { resources } = defaultResources({ packBytes: 0, inputBytes: 0 }, { expectedSeconds: 36_000 });
	const { rscFpopsEst, rscFpopsBound, delayBound } = boincBounds(resources, undefined, { cpus: 1, gpu: { type: 'nvidia' } });
	return Object.entries({ rsc_fpops_est: rscFpopsEst, rsc_fpops_bound: rscFpopsBound, delay_bound: delayBound }).flatMap(
		([name, value]) => [`--${name}`, String(value)],
	);
}

export const gpuChecks: readonly Check<Lab>[] = [
	{
		name: 'a host with a GPU of NVIDIA that wants work for it is sent the version with the GPU, which reserves one',
		run: async (lab) => {
			await gpuVersion(lab);
			const reply = await sentTo(lab, await readyJob(lab, 'gpu', tenHours()), wanting());
			const version = reply.one('app_version') ?? '';
			assert.ok(version.includes(`<plan_class>${GPU_CLASS}</plan_class>`), version);
			assert.match(version, /<coproc>\s*<type>NVIDIA<\/type>\s*<count>1(\.0+)?<\/count>\s*<\/coproc>/);
			assert.match(version, /<avg_ncpus>1(\.0+)?<\/avg_ncpus>/);
			// Not by the peak: as fast as ten cores of the host and one more, until there are results.
			assert.match(version, /<flops>11000000000(\.0+)?<\/flops>/);
		},
		timeoutMs: 120_000,
	},
	{
		name: 'a host without that GPU, or with one that is not as good as asked for, is sent nothing for it',
		run: async (lab) => {
			await gpuVersion(lab);
			const job = await readyJob(lab, 'nogpu');
			for (const host of [
				{ coprocs: '<coprocs></coprocs>' },
				wanting({ totalGlobalMem: 4e9 }),
				wanting({ cudaVersion: 11_080 }),
				wanting({ major: 7, minor: 0 }),
				wanting({ major: 0, minor: 0, cudaVersion: 0, have_cuda: 0 }),
				{ ...wanting(), dockerVersion: '' },
			]) {
				const reply = await (await newClient(lab)).ask(host);
				assert.equal(reply.one('result'), undefined, JSON.stringify(host));
			}
			// The job was there for the taking.
			await sentTo(lab, job, wanting());
			await withdraw(lab, (await probeApp(lab)).id, GPU_CLASS);
		},
		timeoutMs: 120_000,
	},
];
