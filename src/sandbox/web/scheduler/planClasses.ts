import { type Capacity, hostFlops, type HostUsage, no, type PlanClassAnswer } from './capacity.js';
import { checkGpu } from './gpuClasses.js';
import type { PlanClassSpec } from './planClassSpec.js';

/** Since this version clients report their container engine. */
const REPORTS_DOCKER = 80_100;

function usageOf(capacity: Capacity, avgNcpus: number, scale = 1, commandLine = ''): HostUsage {
	return { avgNcpus, flops: hostFlops(capacity) * avgNcpus * scale, commandLine };
}

/**
 * Whether a version of class `name` may go to the host for the given job. `specs` is the project's own list; `undefined`
 * means that the built-in classes count. A class in neither is never sent.
 */
export function checkPlanClass(
	name: string,
	specs: readonly PlanClassSpec[] | undefined,
	capacity: Capacity,
	job: { readonly workunitId: number; readonly batch: number },
): PlanClassAnswer {
	if (name === '') {
		return { fits: true, usage: usageOf(capacity, 1) };
	}
	if (!specs) {
		return checkBuiltIn(name, capacity);
	}
	const spec = specs.find((candidate) => candidate.name === name);
	return spec ? checkSpec(spec, capacity, job) : no();
}

/** The built-in classes that need no GPU. */
function checkBuiltIn(name: string, capacity: Capacity): PlanClassAnswer {
	switch (name) {
		case 'mt':
			return { fits: true, usage: usageOf(capacity, capacity.ncpus, 1, `--nthreads ${capacity.ncpus}`) };
		case 'nci':
			return { fits: true, usage: usageOf(capacity, 0.01) };
		case 'vbox32':
		case 'vbox64':
			return virtualbox(BUILT_IN_MACHINES[name], capacity) ?? { fits: true, usage: usageOf(capacity, 1) };
		case 'vbox32_mt':
		case 'vbox64_mt':
			return (
				virtualbox(BUILT_IN_MACHINES[name], capacity) ?? {
					fits: true,
					usage: usageOf(capacity, capacity.ncpus, 1, `--nthreads ${capacity.ncpus}`),
				}
			);
		default: {
			const feature = /^(sse3|avx)$/.exec(name)?.[1];
			return feature !== undefined && hasFeature(capacity, feature === 'sse3' ? 'pni' : feature)
				? { fits: true, usage: usageOf(capacity, 1) }
				: no();
		}
	}
}

/** Each condition of a class, in the order the stock scheduler checks them. */
function checkSpec(
	spec: PlanClassSpec,
	capacity: Capacity,
	job: { readonly workunitId: number; readonly batch: number },
): PlanClassAnswer {
	return (
		jobLimits(spec, job) ??
		machine(spec, capacity) ??
		(spec.virtualbox ? virtualbox(spec, capacity) : undefined) ??
		engine(spec, capacity) ??
		checkGpu(spec, capacity) ??
		usage(spec, capacity)
	);
}

function jobLimits(
	spec: PlanClassSpec,
	job: { readonly workunitId: number; readonly batch: number },
): PlanClassAnswer | undefined {
	const outside = (value: number, min: number, max: number): boolean => (min > 0 && value < min) || (max > 0 && value > max);
	return outside(job.workunitId, spec.minWuId, spec.maxWuId) || outside(job.batch, spec.minBatch, spec.maxBatch)
		? no()
		: undefined;
}

function machine(spec: PlanClassSpec, capacity: Capacity): PlanClassAnswer | undefined {
	const { host, clientVersion } = capacity.request;
	if ((spec.userId > 0 && spec.userId !== capacity.userId) || spec.minNcpus > capacity.ncpus) {
		return no();
	}
	if (clientVersion < spec.minClientVersion) {
		return no('A newer BOINC may be required for some tasks.');
	}
	if (spec.maxClientVersion > 0 && clientVersion > spec.maxClientVersion) {
		return no();
	}
	const regexes: readonly (readonly [string, string])[] = [
		[spec.osRegex, `${host.osName}\t${host.osVersion}`],
		[spec.vendorRegex, host.vendor],
		[spec.modelRegex, host.model],
	];
	if (regexes.some(([pattern, text]) => pattern !== '' && !matches(pattern, text))) {
		return no();
	}
	return spec.cpuFeatures.every((feature) => hasFeature(capacity, feature)) ? undefined : no();
}

/** A pattern that does not compile fits nothing. */
function matches(pattern: string, text: string): boolean {
	try {
		return new RegExp(pattern).test(text);
	} catch {
		return false;
	}
}

const hasFeature = (capacity: Capacity, feature: string): boolean =>
	` ${capacity.request.host.features} `.toLowerCase().includes(` ${feature.toLowerCase()} `);

type MachineNeeds = Pick<PlanClassSpec, 'is64bit' | 'vmAccelRequired' | 'minVboxVersion' | 'maxVboxVersion'>;

const BUILT_IN_32: MachineNeeds = { is64bit: false, vmAccelRequired: false, minVboxVersion: 30_200, maxVboxVersion: 0 };
const BUILT_IN_64: MachineNeeds = { ...BUILT_IN_32, is64bit: true, vmAccelRequired: true };
const BUILT_IN_MACHINES = { vbox32: BUILT_IN_32, vbox32_mt: BUILT_IN_32, vbox64: BUILT_IN_64, vbox64_mt: BUILT_IN_64 };

function virtualbox(needs: MachineNeeds, capacity: Capacity): PlanClassAnswer | undefined {
	const { host, platforms, clientVersion } = capacity.request;
	if (clientVersion < 70_000) {
		return no('BOINC client 7.0+ required for Virtualbox jobs');
	}
	if (host.virtualboxVersion === '') {
		return no('VirtualBox is not installed');
	}
	if (host.virtualboxVersion.includes('unusable')) {
		return no('VirtualBox is not usable');
	}
	const match = /^(\d+)\.(\d+)\.(\d+)/.exec(host.virtualboxVersion);
	const version = match ? 10_000 * Number(match[1]) + 100 * Number(match[2]) + Number(match[3]) : 0;
	if (!match || version < needs.minVboxVersion || (needs.maxVboxVersion > 0 && version > needs.maxVboxVersion)) {
		return no();
	}
	if (needs.vmAccelRequired && !canAccelerate(capacity)) {
		return no();
	}
	// Only the host's primary platform counts: a virtual machine of the other width would not start.
	return (platforms[0] ?? '').includes('64') === needs.is64bit ? undefined : no();
}

const canAccelerate = (capacity: Capacity): boolean =>
	(hasFeature(capacity, 'vmx') || hasFeature(capacity, 'svm')) && !capacity.request.host.vmExtensionsDisabled;

function engine(spec: PlanClassSpec, capacity: Capacity): PlanClassAnswer | undefined {
	if (!spec.docker) {
		return spec.wsl ? no('No WSL distros found') : undefined;
	}
	const { request } = capacity;
	if (request.dontUseDocker) {
		return no('Client config does not allow using Docker');
	}
	if (request.host.osName.includes('Windows')) {
		if (request.dontUseWsl) {
			return no('Client config does not allow using WSL');
		}
		return request.host.wslHasDocker ? undefined : no('No usable WSL distros found');
	}
	if (request.host.dockerVersion === '') {
		return capacity.assumeDocker && request.clientVersion < REPORTS_DOCKER ? undefined : no('Docker not present');
	}
	return request.host.osName.includes('Darwin') && request.clientVersion < 80_206
		? no('Docker jobs need 8.2.6+ client')
		: undefined;
}

function usage(spec: PlanClassSpec, capacity: Capacity): PlanClassAnswer {
	const threads = spec.virtualbox && !canAccelerate(capacity) ? 1 : spec.maxThreads;
	let avgNcpus = spec.avgNcpus || (threads > 1 ? Math.min(threads, capacity.ncpus) : 1);
	const words: string[] = [];
	if (spec.memUsagePerCpu > 0) {
		const least = Math.max(1, spec.minNcpus);
		if (spec.memUsageBase + least * spec.memUsagePerCpu > capacity.usableRam) {
			return no();
		}
		avgNcpus = Math.min(avgNcpus, Math.max(least, Math.floor((capacity.usableRam - spec.memUsageBase) / spec.memUsagePerCpu)));
		words.push(`--memory_size_mb ${Math.round((spec.memUsageBase + avgNcpus * spec.memUsagePerCpu) / (1 << 20))}`);
	}
	if (spec.nthreadsCommandLine) {
		words.push(`--nthreads ${Math.floor(avgNcpus)}`);
	}
	return { fits: true, usage: usageOf(capacity, avgNcpus, spec.flopsScale, words.join(' ')) };
}
