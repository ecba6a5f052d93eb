import type { Disposable } from '../../common/disposable.js';
import { DisposableStore } from '../../common/disposable.js';
import { BoincError, isAbort, messageOf } from '../../common/errors.js';
import { Emitter, type Event } from '../../common/event.js';
import type { Clock, Log } from '../../common/ports.js';
import type { JobGroup, JobGrouping, JobPage } from '../../monitor/jobPages.js';
import type { DifferingParameters } from '../../monitor/jobParameters.js';
import type { ProjectMonitor } from '../../monitor/projectMonitor.js';
import type { Batch, Instance, Job } from '../../monitor/types.js';
import type { ProjectDatabase } from '../../project/database.js';
import type { Project } from '../../project/project.js';
import type { InstalledApp } from '../../project/types.js';
import type { Server } from './server.js';
import { untilAborted } from './untilAborted.js';

/** How a server is doing, for the tree, the status item and the log. */
export type ServerStatus =
	| { readonly kind: 'idle' }
	| { readonly kind: 'connecting' }
	| { readonly kind: 'ready' }
	| { readonly kind: 'trouble'; readonly error: unknown };

/** What changed: the whole server, or only some batches. */
export type ModelChange =
	| { readonly kind: 'server' }
	| {
			readonly kind: 'batches';
			readonly batchIds: readonly number[];
			/** Jobs that changed, or have an instance that did; also of batches that look the same. */
			readonly jobIds: readonly number[];
	  };

/** What the tree and the status item see of a server. Tests implement it plainly. */
export interface ServerView {
	readonly server: Server;
	readonly status: ServerStatus;
	readonly onDidChange: Event<ModelChange>;
	/** Connects and reads apps and batches, unless that was tried already. Never rejects: `status` tells. */
	load(): Promise<void>;
	apps(): readonly InstalledApp[];
	/** Newest first. */
	batches(appId?: number): readonly Batch[];
	jobs(batchId: number, page: JobPage): Promise<readonly Job[]>;
	/** How many jobs of a batch each host had, or failed with each exit code; the largest groups first. */
	groups(batchId: number, by: JobGrouping): Promise<readonly JobGroup[]>;
	/** What differs between the jobs of a batch. */
	parameters(batchId: number): Promise<DifferingParameters>;
	instances(jobId: number): Promise<readonly Instance[]>;
}

/** A project that is open over a connection. */
export interface OpenProject extends Disposable {
	readonly project: Project;
	/** Connects at once if the connection was lost, whenever its next try is due. Rejects with why that cannot be. */
	readonly reach: () => Promise<void>;
}

export interface ModelPorts {
	readonly log: Log;
	readonly clock: Clock;
	open(server: Server): Promise<OpenProject>;
	monitor(database: () => Promise<ProjectDatabase>): Promise<ProjectMonitor>;
	apps(project: Project): Promise<readonly InstalledApp[]>;
	parameters(project: Project, batch: Batch): Promise<DifferingParameters>;
}

/** Errors after which trying again without the person is wrong: it would lock an account or ask again and again. */
const HOPELESS = [
	'authentication-failed',
	'host-key-changed',
	'host-key-revoked',
	'host-key-unknown',
	'project-not-found',
] as const;
const LOST = ['connection-lost', 'server-unreachable', 'timeout', 'database-unreachable'] as const;

const isHopeless = (error: unknown): boolean => BoincError.is(error, ...HOPELESS);

/** One server: its connection on demand, its apps, and the monitor of its batches. */
export class ServerModel implements ServerView, Disposable {
	readonly server: Server;
	readonly #ports: ModelPorts;
	readonly #changed = new Emitter<ModelChange>();
	readonly #owned = new DisposableStore();
	#status: ServerStatus = { kind: 'idle' };
	#open: Promise<OpenProject> | undefined;
	#making: Promise<ProjectMonitor> | undefined;
	#monitor: ProjectMonitor | undefined;
	#loading: Promise<void> | undefined;
	#apps: readonly InstalledApp[] = [];
	#loaded = false;
	readonly #parameters = new Map<string, Promise<DifferingParameters>>();
	#followed: 'all' | readonly number[] = [];
	#disposed = false;

	constructor(server: Server, ports: ModelPorts) {
		this.server = server;
		this.#ports = ports;
	}

	readonly onDidChange: Event<ModelChange> = this.#changed.event;

	get status(): ServerStatus {
		return this.#status;
	}

	apps(): readonly InstalledApp[] {
		return this.#apps;
	}

	batches(appId?: number): readonly Batch[] {
		const all = this.#monitor?.batches() ?? [];
		return appId === undefined ? all : all.filter((batch) => batch.appId === appId);
	}

	/**
	 * The open project, for what a person asked for: connects when needed, and at once if the connection was lost. Simultaneous
	 * callers share one attempt, which goes on for the others when one leaves by its signal. Rejects with why it cannot be had.
	 */
	async project(signal?: AbortSignal): Promise<Project> {
		const { project, reach } = await this.#opened(signal);
		await untilAborted(reach(), signal);
		return project;
	}

	async #opened(signal?: AbortSignal): Promise<OpenProject> {
		if (this.#disposed) {
			throw new BoincError('connection-lost', `The server ${this.server.name} was removed.`);
		}
		if (!this.#open) {
			const opening = this.#ports.open(this.server);
			this.#open = opening;
			opening.catch(() => {
				if (this.#open === opening) {
					this.#open = undefined;
				}
			});
		}
		return untilAborted(this.#open, signal);
	}

	load(): Promise<void> {
		return this.#loading ?? (this.#status.kind === 'idle' ? this.refresh() : Promise.resolve());
	}

	/** Like `load`, but tries again after trouble: for what a person asked for now. */
	loadAgain(): Promise<void> {
		return this.#loading ?? (this.#status.kind === 'ready' ? Promise.resolve() : this.refresh());
	}

	/** Reads everything again. Never rejects: `status` tells. */
	refresh(): Promise<void> {
		this.#loading ??= this.#load().finally(() => {
			this.#loading = undefined;
		});
		return this.#loading;
	}

	/** Polls the state of all batches, of those with the given ids, or of none. */
	follow(what: 'all' | readonly number[]): void {
		this.#followed = what;
		if (what.length === 0) {
			this.#monitor?.stop();
		} else if (this.#status.kind === 'ready' || (this.#status.kind === 'trouble' && !isHopeless(this.#status.error))) {
			this.#monitor?.start(what === 'all' ? undefined : what);
		}
	}

	async jobs(batchId: number, page: JobPage): Promise<readonly Job[]> {
		return (await this.#ready()).jobs(batchId, page);
	}

	async groups(batchId: number, by: JobGrouping): Promise<readonly JobGroup[]> {
		return (await this.#ready()).groups(batchId, by);
	}

	/** Reads what the jobs were told once for each number of jobs: that does not change. */
	async parameters(batchId: number): Promise<DifferingParameters> {
		const batch = this.batches().find(({ id }) => id === batchId);
		if (!batch) {
			throw new BoincError('batch-missing', `${this.server.name} has no batch ${batchId}.`, { detail: { id: batchId } });
		}
		const key = `${batchId} ${batch.total}`;
		const known = this.#parameters.get(key) ?? this.project().then((project) => this.#ports.parameters(project, batch));
		this.#parameters.set(key, known);
		known.catch(() => this.#parameters.delete(key));
		return known;
	}

	/** Reads batches anew after something was done to their jobs. */
	async recount(batchIds: readonly number[]): Promise<void> {
		await (await this.#ready()).recount(batchIds);
	}

	async instances(jobId: number): Promise<readonly Instance[]> {
		return (await this.#ready()).instances(jobId);
	}

	/** Drops the connection; the next use connects again. */
	disconnect(): void {
		const open = this.#open;
		this.#open = undefined;
		open?.then(
			(opened) => opened.dispose(),
			() => undefined, // reported to whoever asked for it
		);
	}

	dispose(): void {
		this.#disposed = true;
		this.#owned.dispose();
		this.disconnect();
		this.#changed.dispose();
	}

	async #load(): Promise<void> {
		if (this.#status.kind !== 'ready') {
			this.#setStatus({ kind: 'connecting' });
		}
		try {
			this.#apps = await this.#ports.apps(await this.project());
			await (await this.#ready()).load();
			this.#loaded = true;
			this.#setStatus({ kind: 'ready' });
			this.follow(this.#followed);
			this.#count(await this.#ready());
		} catch (error) {
			this.#fail(error);
		}
	}

	/** Counts the jobs behind what is shown already. What goes wrong is told by the monitor's event. */
	#count(monitor: ProjectMonitor): void {
		monitor.refresh().catch(() => undefined);
	}

	#ready(): Promise<ProjectMonitor> {
		this.#making ??= this.#makeMonitor();
		return this.#making;
	}

	async #makeMonitor(): Promise<ProjectMonitor> {
		const monitor = this.#owned.add(await this.#ports.monitor(async () => (await this.#opened()).project.database()));
		this.#owned.add(
			monitor.onDidChange(({ batchIds, jobIds }) =>
				this.#changed.fire(
					batchIds.length === 0 && jobIds.length === 0 ? { kind: 'server' } : { kind: 'batches', batchIds, jobIds },
				),
			),
		);
		this.#owned.add(monitor.onDidChangeTrouble((error) => (error === undefined ? this.#recover() : this.#fail(error))));
		this.#monitor = monitor;
		return monitor;
	}

	/** Polling works again. What could not be read at the beginning is read now. */
	#recover(): void {
		if (this.#loading) {
			return; // it sets the status itself
		}
		if (this.#loaded) {
			this.#setStatus({ kind: 'ready' });
		} else {
			void this.refresh();
		}
	}

	#fail(error: unknown): void {
		if (this.#status.kind === 'trouble' && this.#status.error === error) {
			return; // the monitor and whoever asked it report the same
		}
		if (isAbort(error)) {
			this.#setStatus({ kind: 'idle' });
			return;
		}
		this.#ports.log.warn(`${this.server.name}: ${messageOf(error)}`);
		if (BoincError.is(error, ...LOST) || isHopeless(error)) {
			this.disconnect();
		}
		if (isHopeless(error)) {
			this.#monitor?.stop();
		}
		this.#setStatus({ kind: 'trouble', error });
	}

	#setStatus(status: ServerStatus): void {
		this.#status = status;
		if (!this.#disposed) {
			this.#changed.fire({ kind: 'server' });
		}
	}
}
