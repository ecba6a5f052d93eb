import { childFlag, childNumber, childOf, childrenOf, childText, type LenientElement, readLenient } from '../lenientXml.js';

/** A finished task in a request. */
export interface Report {
	readonly name: string;
	readonly clientState: number;
	readonly exitStatus: number;
	readonly cpuTime: number;
	readonly elapsedTime: number;
	readonly peakWorkingSetSize: number;
	readonly peakSwapSize: number;
	readonly peakDiskUsage: number;
	readonly appVersionNum: number;
	/** As sent, with its CDATA section: the database keeps exactly that. */
	readonly stderrOut: string;
	/** The `<file_info>` blocks of the outputs. */
	readonly xmlDocOut: string;
}

/** What a client says about its machine. */
export interface HostInfo {
	readonly timezone: number;
	readonly domainName: string;
	readonly ipAddress: string;
	readonly hostCpid: string;
	readonly ncpus: number;
	readonly vendor: string;
	readonly model: string;
	readonly features: string;
	readonly fpops: number;
	readonly iops: number;
	readonly membw: number;
	readonly ramBytes: number;
	readonly cacheBytes: number;
	readonly swapBytes: number;
	readonly diskTotal: number;
	readonly diskFree: number;
	readonly osName: string;
	readonly osVersion: string;
	readonly productName: string;
	readonly virtualboxVersion: string;
	/** The client has seen that the BIOS or another program keeps virtual machines from the processor. */
	readonly vmExtensionsDisabled: boolean;
	/** Empty when the client reports no engine. */
	readonly dockerVersion: string;
	/** 1 Docker, 2 Podman, 0 unknown. */
	readonly dockerType: number;
	/** Whether one of the reported WSL distributions has an engine. */
	readonly wslHasDocker: boolean;
	/** GPUs that the reported WSL distributions have CUDA for. */
	readonly wslCuda: readonly string[];
}

/** GPUs of one kind, and the work that the client wants for them. */
export interface RequestGpu {
	readonly type: GpuKind;
	readonly model: string;
	readonly count: number;
	/** Bytes; 0 when not reported. */
	readonly ramBytes: number;
	/** FLOPS that the client computed; 0 when not reported. */
	readonly peakFlops: number;
	/** 100 × major + minor; 0 without CUDA. */
	readonly computeCapability: number;
	/** 1000 × major + 10 × minor; 0 without CUDA. */
	readonly cudaVersion: number;
	readonly driverVersion: string;
	readonly hasOpencl: boolean;
	readonly reqSeconds: number;
	readonly reqInstances: number;
}

/** As `gpu_type` of a plan class has them, and `host.misc`. */
export type GpuKind = 'nvidia' | 'amd' | 'intel' | 'apple';

export interface SchedulerRequest {
	readonly authenticator: string;
	readonly hostId: number;
	readonly rpcSeqno: number;
	/** 100 · major + minor, then · 100 + release: 72005. */
	readonly clientVersion: number;
	readonly clientVersionText: string;
	readonly platforms: readonly string[];
	readonly workReqSeconds: number;
	readonly cpuReqSeconds: number;
	readonly cpuReqInstances: number;
	readonly codeSignKey: string;
	readonly allowMultipleClients: boolean;
	readonly dontSendWork: boolean;
	readonly dontUseDocker: boolean;
	readonly dontUseWsl: boolean;
	readonly reports: readonly Report[];
	/** Names of the tasks on the host; `undefined` when the client sent no list. */
	readonly otherResults: readonly string[] | undefined;
	readonly host: HostInfo;
	/** One entry for each kind. */
	readonly gpus: readonly RequestGpu[];
	readonly onFraction: number;
	readonly activeFraction: number;
	/** Bytes the project may use in all; 0 when the client did not say. */
	readonly diskShare: number;
	readonly diskUsedByProject: number;
	/** Share of the memory that tasks may use, 0…1. */
	readonly ramFraction: number;
	/** Share of the processors that tasks may use, 0…1. */
	readonly cpuFraction: number;
}

/** Reads the body of a scheduler request; `undefined` when it is none. */
export function parseRequest(xml: string): SchedulerRequest | undefined {
	const request = childOf(readLenient(xml), 'scheduler_request');
	if (!request) {
		return undefined;
	}
	const number = (name: string): number => childNumber(request, name);
	const version = [
		number('core_client_major_version'),
		number('core_client_minor_version'),
		number('core_client_release'),
	] as const;
	const others = childOf(request, 'other_results');
	const times = childOf(request, 'time_stats');
	const disk = childOf(request, 'disk_usage');
	const preferences = childOf(childOf(request, 'working_global_preferences'), 'global_preferences');
	return {
		authenticator: childText(request, 'authenticator'),
		hostId: number('hostid'),
		rpcSeqno: number('rpc_seqno'),
		clientVersion: version[0] * 10_000 + version[1] * 100 + version[2],
		clientVersionText: version.join('.'),
		platforms: [
			childText(request, 'platform_name'),
			...childrenOf(request, 'alt_platform').map((platform) => childText(platform, 'name')),
		].filter((name) => name !== ''),
		workReqSeconds: number('work_req_seconds'),
		cpuReqSeconds: number('cpu_req_secs'),
		cpuReqInstances: number('cpu_req_instances'),
		codeSignKey: childText(request, 'code_sign_key'),
		allowMultipleClients: childFlag(request, 'allow_multiple_clients'),
		dontSendWork: childFlag(request, 'dont_send_work'),
		dontUseDocker: childFlag(request, 'dont_use_docker'),
		dontUseWsl: childFlag(request, 'dont_use_wsl'),
		reports: childrenOf(request, 'result').map(parseReport),
		otherResults: others && childrenOf(others, 'other_result').map((other) => childText(other, 'name')),
		host: parseHost(childOf(request, 'host_info')),
		gpus: parseGpus(childOf(request, 'coprocs')),
		onFraction: fraction(childNumber(times, 'on_frac', 1)),
		activeFraction: fraction(childNumber(times, 'active_frac', 1)),
		diskShare: childNumber(disk, 'd_project_share'),
		diskUsedByProject: childNumber(disk, 'd_boinc_used_project'),
		ramFraction:
			Math.max(childNumber(preferences, 'ram_max_used_busy_pct', 50), childNumber(preferences, 'ram_max_used_idle_pct', 90)) /
			100,
		cpuFraction: fraction(childNumber(preferences, 'max_ncpus_pct', 100) / 100),
	};
}

/** Shares that make no sense count as "always". */
const fraction = (value: number): number => (value > 0 && value <= 1 ? value : 1);

const GPU_ELEMENTS: readonly (readonly [string, GpuKind])[] = [
	['coproc_cuda', 'nvidia'],
	['coproc_ati', 'amd'],
	['coproc_intel_gpu', 'intel'],
	['coproc_apple_gpu', 'apple'],
];

function parseGpus(coprocs: LenientElement | undefined): RequestGpu[] {
	return GPU_ELEMENTS.flatMap(([element, type]) => {
		const found = childOf(coprocs, element);
		const number = (name: string): number => childNumber(found, name);
		const opencl = childOf(found, 'coproc_opencl');
		const gpu: RequestGpu = {
			type,
			model: childText(found, 'name'),
			count: number('count'),
			ramBytes: number('totalGlobalMem') || childNumber(opencl, 'global_mem_size'),
			peakFlops: number('peak_flops'),
			computeCapability: 100 * number('major') + number('minor'),
			cudaVersion: number('cudaVersion'),
			driverVersion: childText(found, 'drvVersion'),
			hasOpencl: childFlag(found, 'have_opencl'),
			reqSeconds: number('req_secs'),
			reqInstances: number('req_instances'),
		};
		return gpu.count > 0 ? [gpu] : [];
	});
}

function parseReport(result: LenientElement): Report {
	const number = (name: string): number => childNumber(result, name);
	return {
		name: childText(result, 'name'),
		clientState: number('state'),
		exitStatus: number('exit_status'),
		cpuTime: number('final_cpu_time'),
		elapsedTime: number('final_elapsed_time'),
		peakWorkingSetSize: number('final_peak_working_set_size'),
		peakSwapSize: number('final_peak_swap_size'),
		peakDiskUsage: number('final_peak_disk_usage'),
		appVersionNum: number('app_version_num') || number('version_num'),
		stderrOut: childOf(result, 'stderr_out')?.inner ?? '',
		xmlDocOut: childrenOf(result, 'file_info')
			.map((file) => `<file_info>${file.inner}</file_info>\n`)
			.join(''),
	};
}

function parseHost(info: LenientElement | undefined): HostInfo {
	const text = (name: string): string => childText(info, name);
	const number = (name: string): number => childNumber(info, name);
	const distributions = childrenOf(childOf(info, 'wsl'), 'distro');
	return {
		timezone: number('timezone'),
		domainName: text('domain_name'),
		ipAddress: text('ip_addr'),
		hostCpid: text('host_cpid'),
		ncpus: Math.max(1, Math.floor(number('p_ncpus'))),
		vendor: text('p_vendor'),
		model: text('p_model'),
		features: text('p_features'),
		fpops: number('p_fpops'),
		iops: number('p_iops'),
		membw: number('p_membw'),
		ramBytes: number('m_nbytes'),
		cacheBytes: number('m_cache'),
		swapBytes: number('m_swap'),
		diskTotal: number('d_total'),
		diskFree: number('d_free'),
		osName: text('os_name'),
		osVersion: text('os_version'),
		productName: text('product_name'),
		virtualboxVersion: text('virtualbox_version'),
		vmExtensionsDisabled: number('p_vm_extensions_disabled') !== 0,
		dockerVersion: text('docker_version'),
		dockerType: number('docker_type'),
		wslHasDocker: distributions.some((distro) => childText(distro, 'docker_version') !== '' && !childFlag(distro, 'disallowed')),
		wslCuda: distributions
			.flatMap((distro) => childrenOf(distro, 'wsl_gpu'))
			.filter((gpu) => childFlag(gpu, 'has_cuda'))
			.map((gpu) => childText(gpu, 'name')),
	};
}
