import type { Database } from '../../database.js';
import type { ServerConfig } from '../serverConfig.js';
import type { WebLog } from '../webLog.js';
import type { Capacity, HostUsage } from './capacity.js';
import type { Catalog } from './catalog.js';
import type { Account, HostRecord } from './hosts.js';
import type { PlanClassSpec } from './planClassSpec.js';
import type { Reply } from './reply.js';
import type { GpuKind, SchedulerRequest } from './request.js';

/** Everything that the steps of one scheduler request share. */
export interface Session {
	readonly database: Database;
	readonly config: ServerConfig;
	readonly log: WebLog;
	readonly request: SchedulerRequest;
	readonly reply: Reply;
	readonly account: Account;
	readonly host: HostRecord;
	readonly catalog: Catalog;
	/** Platform ids of the client that the project knows, the primary one first. */
	readonly platformIds: readonly number[];
	/** `undefined` when the project has no `plan_class_spec.xml`. */
	readonly planClasses: readonly PlanClassSpec[] | undefined;
	readonly capacity: Capacity;
	/** Seconds since the epoch. */
	readonly now: number;
}

/** What a host has left while jobs are being chosen for it. */
export class Budget {
	/** Bytes. */
	disk: number;
	readonly #wants: Record<Resource, Want>;
	/** Whether the client says for each resource what it wants; older ones do not. */
	readonly #specific: boolean;
	jobs: number;
	sent = 0;
	/** Reasons for the volunteer; shown only when nothing is sent. */
	readonly reasons = new Set<string>();

	constructor(session: Session, unfinished: number) {
		const { request, config, capacity } = session;
		const { cpuReqSeconds, cpuReqInstances } = request;
		const gpu = (type: Resource): Want => {
			const found = request.gpus.find((each) => each.type === type);
			return { seconds: found?.reqSeconds ?? 0, instances: found?.reqInstances ?? 0 };
		};
		const wants = { cpu: { seconds: cpuReqSeconds, instances: cpuReqInstances }, ...gpuWants(gpu) };
		this.#specific = Object.values(wants).some(isWanting);
		this.#wants = this.#specific ? wants : { ...wants, cpu: { seconds: request.workReqSeconds, instances: 0 } };
		this.disk = availableDisk(request);
		this.jobs = config.maxWusToSend * capacity.ncpus;
		if (config.maxWusInProgress > 0) {
			const free = config.maxWusInProgress * capacity.ncpus - unfinished;
			if (free < this.jobs) {
				this.jobs = Math.max(0, free);
				this.reasons.add('This computer has reached a limit on tasks in progress');
			}
		}
	}

	/** Whether the client wants more. */
	get wanted(): boolean {
		return this.sent < this.jobs && Object.values(this.#wants).some(isWanting);
	}

	/** Whether the client wants work for what a version uses. */
	wantsFor({ gpu }: HostUsage): boolean {
		return !this.#specific || isWanting(this.#wants[gpu?.type ?? 'cpu']);
	}

	/** Books a job that takes `seconds` and `disk` bytes; with a GPU what the client wants of that counts. */
	take(seconds: number, { avgNcpus, gpu }: HostUsage, disk: number): void {
		const want = this.#wants[this.#specific ? (gpu?.type ?? 'cpu') : 'cpu'];
		const instances = gpu?.count ?? avgNcpus;
		this.sent++;
		want.seconds -= seconds * instances;
		want.instances -= instances;
		this.disk -= disk;
	}
}

/** Seconds and instances of one resource. */
interface Want {
	seconds: number;
	instances: number;
}

type Resource = 'cpu' | GpuKind;

const isWanting = ({ seconds, instances }: Want): boolean => seconds > 0 || instances > 0;

const gpuWants = (of: (type: GpuKind) => Want): Record<GpuKind, Want> => ({
	nvidia: of('nvidia'),
	amd: of('amd'),
	intel: of('intel'),
	apple: of('apple'),
});

/** Bytes the project may still use on the host. */
export function availableDisk(request: SchedulerRequest): number {
	return request.diskShare > 0 ? request.diskShare - request.diskUsedByProject : request.host.diskFree - 1e9;
}
