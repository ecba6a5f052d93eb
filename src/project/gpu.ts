import { BoincError } from '../common/errors.js';
import { formatBytes } from '../common/format.js';
import { parseBytes } from '../common/parseUnits.js';

/**
 * What a job asks of a GPU. Each job gets one: BOINC's scheduler does not compare a number with what a host has. Only NVIDIA's:
 * docker_wrapper gives a container GPUs by `--gpus all`, which most engines have for these alone.
 */
export interface GpuNeeds {
	readonly type: GpuType;
	/** MiB of its own memory, of which it must have as much; absent: any. */
	readonly memoryMib?: number;
	/** Least compute capability, as BOINC counts: 100 × major + minor. */
	readonly computeCapability?: number;
	/** Least version of CUDA that its driver knows, as BOINC counts: 1000 × major + 10 × minor. */
	readonly cuda?: number;
}

export const GPU_TYPES = ['nvidia'] as const;
export type GpuType = (typeof GPU_TYPES)[number];

const FLAG_ONLY =
	'docker_wrapper can only say --gpus all to the engine, which is for GPUs of NVIDIA in most versions of Docker and Podman.';
/** GPUs that BOINC knows and containers on volunteers' hosts do not get, and why. */
export const REFUSED_GPUS: Readonly<Record<string, string>> = {
	amd: `GPUs of AMD do not reach containers: ${FLAG_ONLY}`,
	ati: `GPUs of AMD do not reach containers: ${FLAG_ONLY}`,
	intel: `GPUs of Intel do not reach containers: ${FLAG_ONLY}`,
	intel_gpu: `GPUs of Intel do not reach containers: ${FLAG_ONLY}`,
	apple: 'GPUs of Apple do not reach containers: on macOS these run in a Linux machine that has none.',
	apple_gpu: 'GPUs of Apple do not reach containers: on macOS these run in a Linux machine that has none.',
};
export const GPU_REMEDY = 'Ask for nvidia, or leave gpu out and let the program use the processor.';

/** `7.5` */
export const DOTTED = /^(\d{1,2})\.(\d{1,2})$/;

/** The needs as a person writes them. */
export interface GpuTexts {
	readonly type: string;
	/** A size with its unit. */
	readonly memory?: string | undefined;
	/** `7.5` */
	readonly compute_capability?: string | undefined;
	/** `12.4` */
	readonly cuda?: string | undefined;
}

export const GPU_TEXTS = ['type', 'memory', 'compute_capability', 'cuda'] as const;

const MIB = 1 << 20;

/** Reads what a person wrote. Throws `usage` for what cannot be asked for. */
export function gpuNeeds({ type, memory, compute_capability: capability, cuda }: GpuTexts): GpuNeeds {
	const known = GPU_TYPES.find((each) => each === type);
	if (!known) {
		const reason = Object.hasOwn(REFUSED_GPUS, type) ? REFUSED_GPUS[type] : `“${type}” is no kind of GPU that is known.`;
		throw new BoincError('usage', reason ?? '', { remedy: GPU_REMEDY, detail: { gpu: type } });
	}
	return {
		type: known,
		...(memory !== undefined && { memoryMib: Math.ceil(parseBytes(memory) / MIB) }),
		...(capability !== undefined && { computeCapability: dotted('compute capability', capability, 100, 1) }),
		...(cuda !== undefined && { cuda: dotted('version of CUDA', cuda, 1000, 10) }),
	};
}

function dotted(what: string, text: string, major: number, minor: number): number {
	const match = DOTTED.exec(text);
	if (!match) {
		throw new BoincError('usage', `“${text}” is not a ${what}.`, { remedy: 'Write it with one dot, such as 7.5.' });
	}
	return major * Number(match[1]) + minor * Number(match[2]);
}

/** Whether both ask for the same; absent: no GPU. */
export const sameGpu = (a: GpuNeeds | undefined, b: GpuNeeds | undefined): boolean =>
	a?.type === b?.type && a?.memoryMib === b?.memoryMib && a?.computeCapability === b?.computeCapability && a?.cuda === b?.cuda;

/** `a GPU of NVIDIA with 4 GiB, compute capability 7.5 and CUDA 12.4`, or `no GPU`. */
export function gpuWords(gpu: GpuNeeds | undefined): string {
	if (!gpu) {
		return 'no GPU';
	}
	const asked = [
		...(gpu.memoryMib === undefined ? [] : [formatBytes(gpu.memoryMib * MIB)]),
		...(gpu.computeCapability === undefined
			? []
			: [`compute capability ${Math.floor(gpu.computeCapability / 100)}.${gpu.computeCapability % 100}`]),
		...(gpu.cuda === undefined ? [] : [`CUDA ${Math.floor(gpu.cuda / 1000)}.${Math.floor((gpu.cuda % 1000) / 10)}`]),
	];
	return `a GPU of NVIDIA${asked.length === 0 ? '' : ` with ${asked.join(', ').replace(/, ([^,]*)$/, ' and $1')}`}`;
}

/** What such a GPU adds to the name of a plan class; equal needs have equal names. */
export function gpuSuffix({ type, memoryMib, computeCapability, cuda }: GpuNeeds): string {
	return [
		`_${type}`,
		...(memoryMib === undefined ? [] : [`_ram${memoryMib}`]),
		...(computeCapability === undefined ? [] : [`_cc${computeCapability}`]),
		...(cuda === undefined ? [] : [`_cuda${cuda}`]),
	].join('');
}

/** The needs that `gpuSuffix` put into a name. */
export function gpuOfSuffix(suffix: string): GpuNeeds | undefined {
	const [, type, ram, capability, cuda] = /^_(nvidia)(?:_ram(\d+))?(?:_cc(\d+))?(?:_cuda(\d+))?$/.exec(suffix) ?? [];
	return type === undefined
		? undefined
		: {
				type: 'nvidia',
				...(ram !== undefined && { memoryMib: Number(ram) }),
				...(capability !== undefined && { computeCapability: Number(capability) }),
				...(cuda !== undefined && { cuda: Number(cuda) }),
			};
}

/** Share of a GPU's peak that BOINC is told to expect when it compares versions. */
const GPU_FLOPS_SCALE = 0.1;

/**
 * Elements of a plan class for the needs. Without a least compute capability the scheduler would take a GPU that has no CUDA at all.
 * On Windows it asks the client's Linux distribution for CUDA, where the class has `<cuda/>`. The speed by which the scheduler chooses
 * among versions is a tenth of the peak that the client computes, which few programs come near; how long a job takes it counts
 * differently (`expectedCores` of `src/job/resources.ts`).
 */
export function gpuElements({
	type,
	memoryMib,
	computeCapability,
	cuda,
}: GpuNeeds): Readonly<Record<string, string | undefined>> {
	return {
		gpu_type: type,
		cuda: undefined,
		min_nvidia_compcap: String(computeCapability ?? 100),
		...(cuda !== undefined && { min_cuda_version: String(cuda) }),
		...(memoryMib !== undefined && { min_gpu_ram_mb: String(memoryMib) }),
		gpu_peak_flops_scale: String(GPU_FLOPS_SCALE),
		cpu_frac: '0',
	};
}
