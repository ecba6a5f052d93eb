import type { GpuKind, SchedulerRequest } from './request.js';

/** The host as plan classes see it. */
export interface Capacity {
	readonly request: SchedulerRequest;
	readonly userId: number;
	/** Processors that tasks may use. */
	readonly ncpus: number;
	/** Bytes of memory that tasks may use. */
	readonly usableRam: number;
	/** Clients too old to report an engine count as having one. */
	readonly assumeDocker: boolean;
}

/** How much of the host a task of the class uses. */
export interface HostUsage {
	readonly avgNcpus: number;
	/** By the plan class: what versions are compared by. */
	readonly flops: number;
	readonly commandLine: string;
	/** How many GPUs of which kind, and bytes of their memory. Absent: none. */
	readonly gpu?: { readonly type: GpuKind; readonly count: number; readonly ramBytes: number };
}

export type PlanClassAnswer =
	| { readonly fits: true; readonly usage: HostUsage }
	/** `message` is for the volunteer. */
	| { readonly fits: false; readonly message?: string };

/** The answer that it may not; `message` is for the volunteer. */
export const no = (message?: string): PlanClassAnswer => ({ fits: false, ...(message !== undefined && { message }) });

/** FLOPS of a host that reports none. */
const DEFAULT_FLOPS = 1e9;

/** FLOPS of one processor. */
export const hostFlops = ({ request: { host } }: Capacity): number => (host.fpops > 0 ? host.fpops : DEFAULT_FLOPS);
