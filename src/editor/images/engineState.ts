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

	constructor(ports: EnginePorts) {
		this.#ports = ports;
	}

	get state(): EngineState {
		return this.#state;
	}

	/** The engine; looks for it when none is known. Rejects with `engine-missing`. */
	find(): Promise<Engine> {
		return this.#state.kind === 'ready' ? Promise.resolve(this.#state.engine) : this.findAgain();
	}

	/** Looks again, whatever was found before. */
	findAgain(): Promise<Engine> {
		this.#finding ??= this.#find().finally(() => (this.#finding = undefined));
		return this.#finding;
	}

	/** Looks again if an error may mean that the engine was stopped. */
	doubt(error: unknown): void {
		const isGone =
			BoincError.is(error, 'engine-failed', 'engine-missing') || /cannot connect|connection refused/i.test(messageOf(error));
		if (isGone) {
			void this.findAgain().catch(() => undefined);
		}
	}

	async #find(): Promise<Engine> {
		const { log, clock } = this.#ports;
		const ctx = { log, clock, progress: { report: () => undefined } };
		const command = settings.engineCommand();
		try {
			const { findEngine } = await this.#ports.core();
			const engine = await findEngine(ctx, command === undefined ? {} : { command });
			const context = await engine.contextName(ctx).catch(() => undefined);
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
