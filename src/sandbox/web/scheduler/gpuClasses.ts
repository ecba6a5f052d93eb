import { type Capacity, hostFlops, no, type PlanClassAnswer } from './capacity.js';
import type { PlanClassSpec } from './planClassSpec.js';
import type { GpuKind, RequestGpu } from './request.js';

/** FLOPS that the stock scheduler assumes of a GPU whose own figure makes no sense, and the most that it believes. */
const DEFAULT_PEAK = 100e9;
const MOST_PEAK = 1e15;

/**
 * Whether the host has the GPU that a class asks for, in the order the stock scheduler checks it, and what a task uses then. `undefined`
 * for a class that asks for none. A class with `cuda`, `opencl` or `cal` and without a kind of GPU never fits here; there the last word of
 * the stock scheduler is about OpenCL on processors.
 */
export function checkGpu(spec: PlanClassSpec, capacity: Capacity): PlanClassAnswer | undefined {
	if (spec.gpuType === '') {
		return spec.opencl || spec.cal ? no() : undefined;
	}
	const kind = kindOf(spec.gpuType);
	const gpu = capacity.request.gpus.find(({ type }) => type === kind);
	if (!kind || !gpu || !fits(spec, gpu) || !reachesWsl(spec, capacity, kind)) {
		return no();
	}
	const peak = gpu.peakFlops > 0 && gpu.peakFlops <= MOST_PEAK ? gpu.peakFlops : DEFAULT_PEAK;
	const count = spec.ngpus > 0 ? spec.ngpus : 1;
	const cpu = hostFlops(capacity);
	const speed = spec.gpuFlopsScale * count * peak;
	const divisor = spec.cpuFraction * speed + (1 - spec.cpuFraction) * cpu;
	return {
		fits: true,
		usage: {
			avgNcpus: spec.avgNcpus > 0 ? spec.avgNcpus : (spec.cpuFraction * speed) / divisor,
			flops: ((cpu * speed) / divisor) * spec.flopsScale,
			commandLine: '',
			gpu: { type: kind, count, ramBytes: spec.gpuRamUsed > 0 ? spec.gpuRamUsed : spec.minGpuRam },
		},
	};
}

/** The kind that a class means. `apple_gpu` never fits: the scheduler looks for `apple` there. */
function kindOf(gpuType: string): GpuKind | undefined {
	if (gpuType === 'nvidia' || gpuType === 'apple') {
		return gpuType;
	}
	return gpuType === 'amd' || gpuType === 'ati' ? 'amd' : gpuType.startsWith('intel') ? 'intel' : undefined;
}

function fits(spec: PlanClassSpec, gpu: RequestGpu): boolean {
	const outside = (value: number, min: number, max: number): boolean => (min > 0 && value < min) || (max > 0 && value > max);
	if (gpu.type === 'nvidia' && outside(gpu.computeCapability, spec.minComputeCapability, spec.maxComputeCapability)) {
		return false;
	}
	if (gpu.type === 'nvidia' && spec.cuda && outside(gpu.cudaVersion, spec.minCudaVersion, spec.maxCudaVersion)) {
		return false;
	}
	return (!spec.opencl || gpu.hasOpencl) && gpu.ramBytes >= spec.minGpuRam;
}

/** On Windows a distribution must say that it has CUDA for the GPU. */
const reachesWsl = (spec: PlanClassSpec, { request: { host } }: Capacity, kind: GpuKind): boolean =>
	!spec.docker || !host.osName.includes('Windows') || (spec.cuda && host.wslCuda.includes(kind));
