import { emptyCounts, FINAL_JOB_STATES, JOB_STATES } from './jobState.js';
import type { JobCounts, JobState } from './types.js';

const NUMBER_OF = new Map(JOB_STATES.map((state, number) => [state, number]));
const FINAL = JOB_STATES.map((state) => FINAL_JOB_STATES.includes(state));
const FIRST_ROOM = 1024;

/**
 * The state of each job of an open batch, nine bytes a job: jobs that were over when the batch was read are only counted. With it
 * counts stay exact when a few jobs change, without counting again.
 */
export class JobIndex {
	#ids = new Float64Array(FIRST_ROOM);
	#states = new Uint8Array(FIRST_ROOM);
	#size = 0;
	readonly #counts = emptyCounts();
	#unfinished = 0;
	/** Largest id that was ever in it or counted. */
	#last = 0;

	/** A copy, for it is compared with later ones. */
	get counts(): JobCounts {
		return { ...this.#counts };
	}

	get total(): number {
		return Object.values(this.#counts).reduce((sum, n) => sum + n, 0);
	}

	/** How many jobs are not over. */
	get unfinished(): number {
		return this.#unfinished;
	}

	get last(): number {
		return this.#last;
	}

	/** Counts jobs whose ids are not kept, up to the id `last`. */
	count(state: JobState, n: number): void {
		this.#counts[state] += n;
	}

	/** Says that all jobs up to this id are in it. */
	reached(id: number): void {
		this.#last = Math.max(this.#last, id);
	}

	/** The state of a job; `undefined` for one that is not in it or was over from the beginning. */
	get(id: number): JobState | undefined {
		const at = this.#find(id);
		return this.#ids[at] === id && at < this.#size ? this.#state(at) : undefined;
	}

	/** Sets a job's state; a job that is not in it is added. */
	set(id: number, state: JobState): void {
		const number = NUMBER_OF.get(state) ?? 0;
		const at = this.#find(id);
		if (at < this.#size && this.#ids[at] === id) {
			const before = this.#state(at);
			this.#counts[before] -= 1;
			this.#unfinished -= FINAL[NUMBER_OF.get(before) ?? 0] === true ? 0 : 1;
		} else {
			this.#insert(at, id);
		}
		this.#states[at] = number;
		this.#counts[state] += 1;
		this.#unfinished += FINAL[number] === true ? 0 : 1;
		this.reached(id);
	}

	/** Up to `limit` ids above `after` whose state is one of `states`, ascending. */
	idsIn(states: readonly JobState[], after = 0, limit = Infinity): number[] {
		const wanted = JOB_STATES.map((state) => states.includes(state));
		const found: number[] = [];
		for (let at = this.#find(after + 1); at < this.#size && found.length < limit; at++) {
			if (wanted[this.#states[at] ?? 0] === true) {
				found.push(this.#ids[at] ?? 0);
			}
		}
		return found;
	}

	#state(at: number): JobState {
		return JOB_STATES[this.#states[at] ?? 0] ?? 'created';
	}

	/** Where the id is or belongs. */
	#find(id: number): number {
		let [low, high] = [0, this.#size];
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#ids[middle] ?? 0) < id) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		return low;
	}

	#insert(at: number, id: number): void {
		if (this.#size === this.#ids.length) {
			const [ids, states] = [new Float64Array(this.#size * 2), new Uint8Array(this.#size * 2)];
			ids.set(this.#ids);
			states.set(this.#states);
			[this.#ids, this.#states] = [ids, states];
		}
		this.#ids.copyWithin(at + 1, at, this.#size);
		this.#states.copyWithin(at + 1, at, this.#size);
		this.#ids[at] = id;
		this.#size += 1;
	}
}
