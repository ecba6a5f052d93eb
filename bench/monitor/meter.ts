import type { Queries } from '../../src/monitor/queries.js';

/** Counts statements and the time that they take. */
export class Meter implements Queries {
	readonly #select: Queries['select'];
	count = 0;
	totalMs = 0;

	constructor(select: Queries['select']) {
		this.#select = select;
	}

	reset(): void {
		this.count = 0;
		this.totalMs = 0;
	}

	select: Queries['select'] = async (sql, params = []) => {
		this.count += 1;
		const start = performance.now();
		try {
			return await this.#select(sql, params);
		} finally {
			const took = performance.now() - start;
			this.totalMs += took;
			if (process.env.BENCH_SHOW_STATEMENTS !== undefined) {
				console.error(`${took.toFixed(1)} ms ${String(params.length)} values: ${sql.replace(/\s+/g, ' ').slice(0, 160)}`);
			}
		}
	};
}
