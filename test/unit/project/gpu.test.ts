import { describe, expect, it, test } from 'vitest';

import { parseAppFile } from '../../../src/project/appFile.js';
import { equipmentOfApp } from '../../../src/project/apps.js';
import { editPlanClassSpec } from '../../../src/project/configEdit.js';
import { type GpuNeeds, gpuNeeds, type GpuTexts, gpuWords } from '../../../src/project/gpu.js';
import { type Equipment, equipmentOf, ownPlanClass } from '../../../src/project/ownPlanClasses.js';

const ALL: GpuNeeds = { type: 'nvidia', memoryMib: 3815, computeCapability: 705, cuda: 12_040 };

describe('what a person asks of a GPU', () => {
	it.each<[GpuTexts, GpuNeeds]>([
		[{ type: 'nvidia' }, { type: 'nvidia' }],
		[{ type: 'nvidia', memory: '4 GB', compute_capability: '7.5', cuda: '12.4' }, ALL],
		[
			{ type: 'nvidia', cuda: '11.10' },
			{ type: 'nvidia', cuda: 11_100 },
		],
	])('%j', (texts, needs) => {
		expect(gpuNeeds(texts)).toEqual(needs);
	});

	it.each([
		[{ type: 'amd' }, 'GPUs of AMD do not reach containers'],
		[{ type: 'intel' }, 'GPUs of Intel do not reach containers'],
		[{ type: 'apple' }, 'GPUs of Apple do not reach containers'],
		[{ type: 'toString' }, '“toString” is no kind of GPU'],
		[{ type: 'nvidia', cuda: '12' }, '“12” is not a version of CUDA'],
		[{ type: 'nvidia', compute_capability: '7.5.1' }, 'is not a compute capability'],
		[{ type: 'nvidia', memory: 'much' }, 'is not a size'],
	])('%j is refused', (texts, words) => {
		expect(() => gpuNeeds(texts)).toThrow(words);
	});

	it('is told in words', () => {
		expect(gpuWords(ALL)).toBe('a GPU of NVIDIA with 4.00 GB, compute capability 7.5 and CUDA 12.4');
		expect(gpuWords({ type: 'nvidia' })).toBe('a GPU of NVIDIA');
		expect(gpuWords(undefined)).toBe('no GPU');
	});

	it('is read from a file as it is from options', async () => {
		const gpuOf = async (text: string): Promise<unknown> => (await parseAppFile(`resources:\n  gpu: ${text}\n`)).gpu;
		expect(await gpuOf('nvidia')).toEqual({ type: 'nvidia' });
		expect(await gpuOf('{ type: nvidia, memory: 4 GB, compute_capability: 7.5, cuda: 12.4 }')).toEqual(ALL);
		expect((await parseAppFile('appname: a\n')).gpu).toBeUndefined();
		await expect(gpuOf('amd')).rejects.toThrow(/line 1: resources: gpu: GPUs of AMD/);
	});
});

describe('the plan class of jobs with a GPU', () => {
	it.each<[string, Equipment]>([
		['docker', { cpus: 1 }],
		['docker_cpu4', { cpus: 4 }],
		['docker_nvidia', { cpus: 1, gpu: { type: 'nvidia' } }],
		['docker_nvidia_cuda12040', { cpus: 1, gpu: { type: 'nvidia', cuda: 12_040 } }],
		['docker_nvidia_ram3815_cc705_cuda12040_cpu4', { cpus: 4, gpu: ALL }],
	])('%s says what it gives', (name, equipment) => {
		expect(ownPlanClass('docker', equipment).name).toBe(name);
		expect(equipmentOf(name)).toEqual(equipment);
	});

	it.each(['docker_gpu', 'docker_nvidia_cuda', 'docker_mt', 'vbox64_mt', 'sse2', 'docker_nvidia_cpu'])(
		'%s, which is not ours, says nothing',
		(name) => {
			expect(equipmentOf(name)).toEqual({ cpus: 1 });
		},
	);

	test('BOINC’s client and scheduler know its kind by its name', () => {
		const { name } = ownPlanClass('docker', { cpus: 2, gpu: ALL });
		// sched_util_basic.cpp, plan_class_to_proc_type; client/client_types.cpp, check_gpu_libs.
		expect(name).toMatch(/docker.*nvidia/);
		expect(name).not.toMatch(/ati|amd|opencl|__/);
	});

	test('reserves a GPU, and asks Windows hosts for CUDA in their Linux', () => {
		const { text, changes } = editPlanClassSpec(undefined, ['docker_nvidia'], ['docker'], { cpus: 2, gpu: ALL });
		expect(text.replace(/\s+/g, '')).toContain(
			'<plan_class><name>docker_nvidia_ram3815_cc705_cuda12040_cpu2</name><docker/><gpu_type>nvidia</gpu_type><cuda/>' +
				'<min_nvidia_compcap>705</min_nvidia_compcap><min_cuda_version>12040</min_cuda_version><min_gpu_ram_mb>3815</min_gpu_ram_mb>' +
				'<gpu_peak_flops_scale>0.1</gpu_peak_flops_scale><cpu_frac>0</cpu_frac><min_ncpus>2</min_ncpus><avg_ncpus>2</avg_ncpus></plan_class>',
		);
		expect(changes).toEqual(['create the file with the plan class docker_nvidia_ram3815_cc705_cuda12040_cpu2']);
		expect(editPlanClassSpec(text, [], ['docker'], { cpus: 2, gpu: ALL }).changes).toEqual([]);
	});

	test('that reserves none is not taken for ours', () => {
		const foreign = '<plan_classes><plan_class><name>docker_nvidia</name><docker/></plan_class></plan_classes>';
		expect(() => editPlanClassSpec(foreign, [], ['docker'], { cpus: 1, gpu: { type: 'nvidia' } })).toThrow(
			/does not ask for a GPU: it has no <gpu_type>nvidia<\/gpu_type>/,
		);
	});

	test('belongs to the app', () => {
		const version = {
			versionNum: 100,
			platform: 'x86_64-pc-linux-gnu',
			planClass: 'docker_nvidia_cpu2',
			runtime: 'docker' as const,
		};
		const app = { id: 1, name: 'a', friendlyName: 'A', deprecated: false, versions: [version] };
		expect(equipmentOfApp(app)).toEqual({ cpus: 2, gpu: { type: 'nvidia' } });
	});
});
