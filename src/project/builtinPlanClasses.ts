import type { XmlNode } from './xmlEdit.js';

/**
 * BOINC's built-in plan classes as `plan_class_spec.xml` expresses them. A project without that file relies on the ones in
 * the scheduler's code (`sched/sched_customize.cpp`); the moment the file exists, none of those are consulted any more.
 */
const FIXED: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
	mt: { min_ncpus: '2', max_threads: '64', nthreads_cmdline: '1', projected_flops_scale: '.99' },
	nci: { avg_ncpus: '.01', projected_flops_scale: '1.01' },
	sse2: { cpu_feature: 'sse2', projected_flops_scale: '1.05' },
	sse3: { cpu_feature: 'pni', projected_flops_scale: '1.1' },
	wsl: { wsl: undefined },
	cuda: nvidia('100', '200', undefined, '17700', '256', '.20'),
	cuda23: nvidia('100', '200', '2030', '19038', '384', '.21'),
	cuda_fermi: nvidia('200', undefined, '3000', '19500', '384', '.22'),
	ati: amd('10000000', '.20', true),
	ati13amd: amd('10030000', '.21', true),
	ati13ati: amd('10030186', '.22', false),
	ati14: amd('10040000', '.23', false),
};

function nvidia(
	minCompcap: string,
	tooNewCompcap: string | undefined,
	minCuda: string | undefined,
	minDriver: string,
	ramMb: string,
	scale: string,
): Record<string, string | undefined> {
	return {
		gpu_type: 'nvidia',
		cuda: undefined,
		min_nvidia_compcap: minCompcap,
		...(tooNewCompcap !== undefined && { max_nvidia_compcap: String(Number(tooNewCompcap) - 1) }),
		...(minCuda !== undefined && { min_cuda_version: minCuda }),
		min_driver_version: minDriver,
		min_gpu_ram_mb: ramMb,
		gpu_ram_used_mb: ramMb,
		gpu_peak_flops_scale: scale,
		cpu_frac: '.01',
	};
}

function amd(minDriver: string, scale: string, needAmdLibs: boolean): Record<string, string | undefined> {
	return {
		gpu_type: 'amd',
		cal: undefined,
		[needAmdLibs ? 'need_amd_libs' : 'need_ati_libs']: undefined,
		min_driver_version: minDriver,
		min_gpu_ram_mb: '256',
		gpu_ram_used_mb: '256',
		gpu_peak_flops_scale: scale,
		cpu_frac: '.01',
	};
}

function opencl(gpuType: string, version: string, scale: string, cpuFrac: string): Record<string, string | undefined> {
	return {
		gpu_type: gpuType,
		opencl: undefined,
		min_opencl_version: version,
		min_gpu_ram_mb: '256',
		gpu_ram_used_mb: '256',
		gpu_peak_flops_scale: scale,
		cpu_frac: cpuFrac,
	};
}

function virtualBox(name: string): Record<string, string | undefined> {
	return {
		virtualbox: undefined,
		min_core_client_version: '70000',
		min_vbox_version: '30200',
		...(name.includes('64') && { is64bit: undefined }),
		...((name.includes('64') || name.includes('hwaccel')) && { vm_accel_required: undefined }),
		...(name.includes('mt') && { min_ncpus: '1', max_threads: '64', nthreads_cmdline: '1', projected_flops_scale: '.99' }),
	};
}

function definition(name: string): Readonly<Record<string, string | undefined>> | undefined {
	const fixed = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
	if (fixed) {
		return fixed;
	}
	const gpu = /^opencl_(nvidia|ati|amd|intel_gpu)(?:_[a-z]+)*_(\d+)$/.exec(name);
	if (gpu) {
		const vendor = gpu[1] ?? '';
		return vendor === 'intel_gpu'
			? opencl('intel_gpu', gpu[2] ?? '', '.2', '.1')
			: opencl(vendor === 'nvidia' ? 'nvidia' : 'amd', gpu[2] ?? '', '.14', '.01');
	}
	return /^vbox(_?(32|64))?(_(mt|hwaccel))*$/.test(name) ? virtualBox(name) : undefined;
}

/** The `<plan_class>` element that does what the built-in class of that name does; `undefined` for names we do not know. */
export function builtinPlanClass(name: string): XmlNode | undefined {
	const found = definition(name);
	return (
		found && {
			name: 'plan_class',
			children: [
				{ name: 'name', text: name },
				...Object.entries(found).map(([element, text]) => ({ name: element, ...(text !== undefined && { text }) })),
			],
		}
	);
}
