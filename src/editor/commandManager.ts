import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../common/disposable.js';
import { isAbort } from '../common/errors.js';
import type { CommandId } from '../common/ids.js';
import type { Log } from '../common/ports.js';

/** What a command gets: the services, then what VS Code passes (an item and the selection, a file, or nothing). */
export type CommandHandler<Services> = (services: Services, ...args: readonly unknown[]) => Promise<unknown>;

export interface CommandOptions {
	/** Calls with the same key share one run while it lasts. Absent: each call runs. */
	readonly singleFlight?: (args: readonly unknown[]) => string;
}

export interface CommandPorts {
	readonly log: Log;
	readonly clock: () => number;
	/** Shows an error to the person; `retry` runs the command again with the same arguments. */
	readonly showError: (error: unknown, retry: () => void) => void;
}

/**
 * The only place that registers commands. Wraps every handler: logs start and end, joins simultaneous runs, shows errors once and
 * swallows cancellation.
 */
export class CommandManager<Services> implements Disposable {
	readonly #registered = new DisposableStore();
	readonly #running = new Map<string, Promise<unknown>>();
	readonly #services: Services;
	readonly #ports: CommandPorts;

	constructor(services: Services, ports: CommandPorts) {
		this.#services = services;
		this.#ports = ports;
	}

	register(id: CommandId, load: () => Promise<CommandHandler<Services>>, options: CommandOptions = {}): void {
		const call = (...args: unknown[]): Promise<unknown> => this.#join(id, load, args, options);
		this.#registered.add(vscode.commands.registerCommand(id, call));
	}

	dispose(): void {
		this.#registered.dispose();
	}

	#join(
		id: CommandId,
		load: () => Promise<CommandHandler<Services>>,
		args: unknown[],
		options: CommandOptions,
	): Promise<unknown> {
		const key = options.singleFlight && `${id} ${options.singleFlight(args)}`;
		const running = key === undefined ? undefined : this.#running.get(key);
		if (running) {
			return running;
		}
		const run = this.#run(id, load, args, options).finally(() => key !== undefined && this.#running.delete(key));
		if (key !== undefined) {
			this.#running.set(key, run);
		}
		return run;
	}

	async #run(
		id: CommandId,
		load: () => Promise<CommandHandler<Services>>,
		args: unknown[],
		options: CommandOptions,
	): Promise<unknown> {
		const { log, clock, showError } = this.#ports;
		const started = clock();
		log.debug(`${id}: begins`);
		try {
			const handler = await load();
			const result = await handler(this.#services, ...args);
			log.info(`${id}: done in ${clock() - started} ms`);
			return result;
		} catch (error) {
			if (isAbort(error) || error instanceof vscode.CancellationError) {
				log.info(`${id}: cancelled after ${clock() - started} ms`);
			} else {
				showError(error, () => void this.#join(id, load, args, options));
			}
			return undefined;
		}
	}
}
