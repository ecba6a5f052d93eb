import { formatBytes, plural } from '../../common/format.js';
import type { PlanClassConditions } from '../../project/planClassFile.js';
import type { Requirements, UsableVersion } from './hostConditions.js';
import type { HostGpu, HostRecord } from './hostRecord.js';

const MIB = 1 << 20;

/** Classes say `ati` and `intel_gpu` for what rows of hosts call `amd` and `intel`. */
const isOfType = ({ type }: HostGpu, wanted: string): boolean =>
	wanted === 'any' || (wanted === 'ati' ? type === 'amd' : type === wanted.replace(/^(intel|apple)_gpu$/, '$1'));

/** Whether the host has the GPU that a class asks for, as far as its row tells. */
export function hasGpu({ gpus }: HostRecord, conditions: PlanClassConditions | undefined): boolean {
	const { gpuType, minGpuRam = 0 } = conditions ?? {};
	return gpuType === undefined || gpus.some((gpu) => isOfType(gpu, gpuType) && gpu.ramMib >= minGpuRam);
}

/** GPUs of a kind that the host has. */
export const gpusFor = ({ gpus }: HostRecord, gpuType: string): number =>
	gpus.filter((gpu) => isOfType(gpu, gpuType)).reduce((sum, { count }) => sum + count, 0);

/** `GPU of nvidia with 4.3 GB`: what the classes of an app ask for. */
export function gpuClassWords(versions: readonly UsableVersion[]): string {
	const asked = versions.flatMap(({ conditions }) => {
		const { gpuType, minGpuRam = 0 } = conditions ?? {};
		const ram = minGpuRam > 0 ? ` with ${formatBytes(minGpuRam * MIB)}` : '';
		return gpuType === undefined ? [] : [`${gpuType === 'any' ? '' : `${gpuType.toUpperCase()} `}GPU${ram}`];
	});
	return [...new Set(asked)].join(' or ');
}

/** The first Podman that gives containers GPUs for `--gpus`; 4.3 does not know the option. */
const GPU_PODMAN = 5;

/**
 * What the person must know before jobs with a GPU are sent: whether an engine gives containers the GPU is not reported by clients.
 * @param fit hosts that may get the jobs
 */
export function gpuWarnings(fit: readonly HostRecord[], { versions }: Requirements): string[] {
	const old = fit.filter(
		({ engine, engineKind, os }) => os !== 'windows' && engineKind === 'podman' && Number.parseInt(engine, 10) < GPU_PODMAN,
	);
	const details = versions.some(({ conditions }) => conditions?.gpuDetails === true);
	const share = Math.round((100 * (fit.length - old.length)) / Math.max(1, fit.length));
	return [
		'No client reports whether its engine gives containers the GPU: jobs fail on hosts without the NVIDIA Container Toolkit, and are tried elsewhere. Allow enough retries, and submit with a canary first.',
		...(old.length > 0
			? [
					`${plural(old.length, 'host')} of the ${fit.length} that may get the jobs ${old.length === 1 ? 'has' : 'have'} a Podman before ${GPU_PODMAN}, which cannot give containers a GPU: the jobs fail there. ${share} % are left.`,
				]
			: []),
		...(fit.length > 0 && details
			? [
					'The project does not keep which compute capability and which CUDA its hosts have, so fewer of these may get the jobs: BOINC looks at it when a host asks for work.',
				]
			: []),
	];
}
