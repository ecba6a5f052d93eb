import type { Database } from '../../database.js';
import type { ServerConfig } from '../serverConfig.js';
import type { WebLog } from '../webLog.js';
import type { Catalog } from './catalog.js';
import type { Account, HostRecord } from './hosts.js';
import type { Capacity } from './planClasses.js';
import type { PlanClassSpec } from './planClassSpec.js';
import type { Reply } from './reply.js';
import type { SchedulerRequest } from './request.js';

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
	seconds: number;
	instances: number;
	jobs: number;
	sent = 0;
	/** Reasons for the volunteer; shown only when nothing is sent. */
	readonly reasons = new Set<string>();

	constructor(session: Session, unfinished: number) {
		const { request, config, capacity } = session;
		const specific = request.cpuReqSeconds > 0 || request.cpuReqInstances > 0;
		this.seconds = specific ? request.cpuReqSeconds : request.workReqSeconds;
		this.instances = request.cpuReqInstances;
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
		return this.sent < this.jobs && (this.seconds > 0 || this.instances > 0);
	}

	/** Books a job that takes `seconds` on `ncpus` processors and `disk` bytes. */
	take(seconds: number, ncpus: number, disk: number): void {
		this.sent++;
		this.seconds -= seconds * ncpus;
		this.instances -= ncpus;
		this.disk -= disk;
	}
}

/** Bytes the project may still use on the host. */
export function availableDisk(request: SchedulerRequest): number {
	return request.diskShare > 0 ? request.diskShare - request.diskUsedByProject : request.host.diskFree - 1e9;
}
