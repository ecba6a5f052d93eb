import { readable } from '../../common/readableText.js';
import { type StepEvent, stepEvent } from './stepEvents.js';

export type StepState = 'running' | 'cached' | 'done' | 'failed' | 'cancelled';

/** A step of a build with the end of what it printed. */
export interface BuildStep {
	/** Stays the same during a build. */
	readonly id: string;
	/** The instruction, or what the builder does by itself. */
	readonly title: string;
	readonly state: StepState;
	/** Milliseconds since the epoch. */
	readonly startedAt: number;
	readonly endedAt: number | undefined;
	/** The last lines, without control characters. */
	readonly lines: readonly string[];
	/** Lines that are not kept. */
	readonly dropped: number;
}

type OpenStep = { -readonly [K in keyof BuildStep]: BuildStep[K] } & { lines: string[] };

const MOST_STEPS = 300;
const KEPT_LINES = 200;
const KEPT_LENGTH = 1000;
/** Characters of all lines together: a build may print gigabytes. */
const KEPT_CHARACTERS = 2_000_000;

/** Reads what an engine prints while it builds, and keeps the steps with the last lines of each: bounded, whatever comes. */
export class BuildLog {
	readonly #now: () => number;
	readonly #steps: OpenStep[] = [];
	readonly #byKey = new Map<string, OpenStep>();
	#current: OpenStep | undefined;
	#characters = 0;
	#last = '';
	/** BuildKit names the step in front of each line; what has none is a summary that repeats what was said. */
	#isKeyed = false;

	constructor(now: () => number) {
		this.#now = now;
	}

	get steps(): readonly BuildStep[] {
		return this.#steps;
	}

	/** A line of the engine's output. */
	add(line: string): void {
		const text = readable(line.slice(0, 4 * KEPT_LENGTH));
		const event = stepEvent(text, this.#last);
		if (event.kind === 'begins' && event.number !== undefined) {
			this.#last = event.number;
		}
		this.#isKeyed ||= 'key' in event && event.kind !== 'begins';
		this.#apply(event, text);
	}

	/** The build is over: steps that still run end with it. */
	finish(state: 'done' | 'failed' | 'cancelled'): void {
		const running = this.#steps.filter((step) => step.state === 'running');
		// Of several the last is the one that failed, if the engine did not say which.
		const alone = this.#steps.some((step) => step.state === 'failed') ? undefined : running.at(-1);
		for (const step of running) {
			this.#end(step, state === 'failed' && step !== alone ? 'cancelled' : state);
		}
	}

	#apply(event: StepEvent, text: string): void {
		switch (event.kind) {
			case 'begins':
				this.#begin(event);
				break;
			case 'ends': {
				const step = event.key === undefined ? this.#current : this.#byKey.get(event.key);
				if (step && step.state !== 'failed') {
					this.#end(step, event.state);
				}
				if (event.state === 'failed') {
					this.#keep(step, text);
				}
				break;
			}
			case 'prints':
				if (event.key !== undefined || !this.#isKeyed) {
					this.#keep(event.key === undefined ? this.#current : (this.#byKey.get(event.key) ?? this.#current), event.text);
				}
				break;
			case 'nothing':
				break;
		}
	}

	#begin({ key, title, isNext }: Extract<StepEvent, { kind: 'begins' }>): void {
		const known = this.#byKey.get(key);
		if (known) {
			this.#current = known; // BuildKit names a step again when it goes on
			return;
		}
		if (isNext && this.#current?.state === 'running') {
			this.#end(this.#current, 'done');
		}
		if (this.#steps.length >= MOST_STEPS) {
			return;
		}
		const step: OpenStep = {
			id: String(this.#steps.length),
			title: title.slice(0, KEPT_LENGTH),
			state: 'running',
			startedAt: this.#now(),
			endedAt: undefined,
			lines: [],
			dropped: 0,
		};
		this.#steps.push(step);
		this.#byKey.set(key, step);
		this.#current = step;
	}

	#end(step: OpenStep, state: StepState): void {
		step.state = state;
		step.endedAt ??= this.#now();
	}

	#keep(step: OpenStep | undefined, line: string): void {
		if (!step) {
			return;
		}
		const text = line.slice(0, KEPT_LENGTH);
		step.lines.push(text);
		this.#characters += text.length;
		if (step.lines.length > KEPT_LINES) {
			this.#drop(step);
		}
		for (const other of this.#steps) {
			while (this.#characters > KEPT_CHARACTERS && other.lines.length > 0) {
				this.#drop(other);
			}
			if (this.#characters <= KEPT_CHARACTERS) {
				break;
			}
		}
	}

	#drop(step: OpenStep): void {
		this.#characters -= step.lines.shift()?.length ?? 0;
		step.dropped += 1;
	}
}
