import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { childFlag, childNumber, childOf, childrenOf, childText, type LenientElement, readLenient } from '../lenientXml.js';

/** A `<plan_class>` of `plan_class_spec.xml`: the conditions that a loopback project can meet. Numbers 0 mean "no limit". */
export interface PlanClassSpec {
	readonly name: string;
	readonly docker: boolean;
	readonly wsl: boolean;
	readonly virtualbox: boolean;
	readonly is64bit: boolean;
	/** The processor must virtualise, and nothing may have switched that off. */
	readonly vmAccelRequired: boolean;
	/** 10000 × major + 100 × minor + release. */
	readonly minVboxVersion: number;
	readonly maxVboxVersion: number;
	/** As the class names it; empty for none. */
	readonly gpuType: string;
	/** CUDA, OpenCL or CAL: each needs a GPU, and OpenCL one that has it. */
	readonly cuda: boolean;
	readonly opencl: boolean;
	readonly cal: boolean;
	/** Bytes. */
	readonly minGpuRam: number;
	readonly gpuRamUsed: number;
	readonly minComputeCapability: number;
	readonly maxComputeCapability: number;
	readonly minCudaVersion: number;
	readonly maxCudaVersion: number;
	readonly ngpus: number;
	readonly gpuFlopsScale: number;
	/** Share of the operations that the processor does. */
	readonly cpuFraction: number;
	readonly minClientVersion: number;
	readonly maxClientVersion: number;
	readonly minNcpus: number;
	readonly maxThreads: number;
	readonly avgNcpus: number;
	readonly memUsageBase: number;
	readonly memUsagePerCpu: number;
	readonly nthreadsCommandLine: boolean;
	readonly flopsScale: number;
	readonly cpuFeatures: readonly string[];
	readonly osRegex: string;
	readonly vendorRegex: string;
	readonly modelRegex: string;
	readonly userId: number;
	readonly minWuId: number;
	readonly maxWuId: number;
	readonly minBatch: number;
	readonly maxBatch: number;
}

/**
 * The classes of a project's `plan_class_spec.xml`, or `undefined` when there is no such file: only then the built-in
 * classes count. A file that nothing can be read from means "no classes at all".
 */
export async function readPlanClassSpecs(projectRoot: string): Promise<readonly PlanClassSpec[] | undefined> {
	const text = await readFile(path.join(projectRoot, 'plan_class_spec.xml'), 'utf8').catch(() => undefined);
	return text === undefined ? undefined : parsePlanClassSpecs(text);
}

/** Reads the text of a `plan_class_spec.xml`. */
export function parsePlanClassSpecs(text: string): readonly PlanClassSpec[] {
	return childrenOf(childOf(readLenient(text), 'plan_classes'), 'plan_class').map(parseSpec);
}

const MEGA = 1 << 20;

function parseSpec(element: LenientElement): PlanClassSpec {
	const flag = (name: string): boolean => childFlag(element, name);
	const number = (name: string, otherwise = 0): number => childNumber(element, name, otherwise);
	const text = (name: string): string => childText(element, name);
	return {
		name: text('name'),
		docker: flag('docker'),
		wsl: flag('wsl'),
		virtualbox: flag('virtualbox'),
		is64bit: flag('is64bit'),
		vmAccelRequired: flag('vm_accel_required'),
		minVboxVersion: number('min_vbox_version'),
		maxVboxVersion: number('max_vbox_version'),
		gpuType: text('gpu_type'),
		cuda: flag('cuda'),
		opencl: flag('opencl'),
		cal: flag('cal'),
		minGpuRam: number('min_gpu_ram_mb') * MEGA,
		gpuRamUsed: number('gpu_ram_used_mb') * MEGA,
		minComputeCapability: number('min_nvidia_compcap'),
		maxComputeCapability: number('max_nvidia_compcap'),
		minCudaVersion: number('min_cuda_version'),
		maxCudaVersion: number('max_cuda_version'),
		ngpus: number('ngpus'),
		gpuFlopsScale: number('gpu_peak_flops_scale', 1),
		cpuFraction: number('cpu_frac', 0.1),
		minClientVersion: number('min_core_client_version'),
		maxClientVersion: number('max_core_client_version'),
		minNcpus: number('min_ncpus'),
		maxThreads: number('max_threads', 1),
		avgNcpus: number('avg_ncpus'),
		memUsageBase: number('mem_usage_base_mb') * MEGA,
		memUsagePerCpu: number('mem_usage_per_cpu_mb') * MEGA,
		nthreadsCommandLine: flag('nthreads_cmdline'),
		flopsScale: number('projected_flops_scale', 1),
		cpuFeatures: childrenOf(element, 'cpu_feature').map((feature) => feature.inner.trim()),
		osRegex: text('os_regex'),
		vendorRegex: text('cpu_vendor_regex'),
		modelRegex: text('cpu_model_regex'),
		userId: number('user_id'),
		minWuId: number('min_wu_id'),
		maxWuId: number('max_wu_id'),
		minBatch: number('min_batch'),
		maxBatch: number('max_batch'),
	};
}
