import { BoincError, messageOf } from '../../common/errors.js';
import type { Clock, Log } from '../../common/ports.js';
import type { Engine } from '../../image/engine.js';
import type { Core } from '../services.js';
import { settings } from '../settings.js';

/** The engine in use, or why there is none. */
export type EngineState =
	| { readonly kind: 'looking' }
	| { readonly kind: 'ready'; readonly engine: Engine; readonly context: string | undefined }
	| { readonly kind: 'missing'; readonly message: string; readonly remedy: string };

export interface EnginePorts {
	readonly log: Log;
	readonly clock: Clock;
	readonly core: () => Promise<Core>;
	readonly onChange: () => void;
}

/** Finds the engine and remembers it until it fails. Nothing of the person's set-up is changed. */
export class EngineFinder {
	readonly #ports: EnginePorts;
	#state: EngineState = { kind: 'looking' };
	#finding: Promise<Engine> | undefined;
	/** Program of the engine that was used last. */
	#last: string | undefined;

	constructor(ports: EnginePorts) {
		this.#ports = ports;
	}

	get state(): EngineState {
		return this.#state;
	}

	/** The engine; looks for the one that was used last when none is known. Rejects with `engine-missing`. */
	find(): Promise<Engine> {
		return this.#state.kind === 'ready' ? Promise.resolve(this.#state.engine) : this.#look(this.#last);
	}

	/** Looks again for any engine, whatever was found before. */
	findAgain(): Promise<Engine> {
		return this.#look(undefined);
	}

	/** Looks whether the engine that was used last has been started, or any if none was. What is wrong is in the state. */
	async lookForLast(): Promise<void> {
		await this.#look(this.#last).catch(() => undefined);
	}

	/** Looks again if an error may mean that the engine was stopped. No other takes its place: that one has none of its images. */
	doubt(error: unknown): void {
		const isGone =
			BoincError.is(error, 'engine-failed', 'engine-missing') || /cannot connect|connection refused/i.test(messageOf(error));
		if (isGone) {
			void this.lookForLast();
		}
	}

	#look(command: string | undefined): Promise<Engine> {
		this.#finding ??= this.#find(command).finally(() => (this.#finding = undefined));
		return this.#finding;
	}

	async #find(last: string | undefined): Promise<Engine> {
		const { log, clock } = this.#ports;
		const ctx = { log, clock, progress: { report: () => undefined } };
		const command = settings.engineCommand() ?? last;
		try {
			const { findEngine } = await this.#ports.core();
			const engine = await findEngine(ctx, command === undefined ? {} : { command });
			const context = await engine.contextName(ctx).catch(() => undefined);
			this.#last = engine.command;
			this.#set({ kind: 'ready', engine, context });
			return engine;
		} catch (error) {
			const remedy = BoincError.is(error) ? (error.remedy ?? '') : '';
			this.#set({ kind: 'missing', message: messageOf(error), remedy });
			throw error;
		}
	}

	#set(state: EngineState): void {
		this.#state = state;
		this.#ports.onChange();
	}
}
