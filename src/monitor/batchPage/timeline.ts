import type { Queries } from '../queries.js';

/** How a batch went on, in equal steps of time. Counts are of instances. */
export interface Timeline {
	/** UNIX seconds of the first step's beginning, and the length of a step. */
	readonly start: number;
	readonly step: number;
	/** Reported in each step: with success, and not. */
	readonly succeeded: readonly number[];
	readonly failed: readonly number[];
	/** On hosts at the end of each step. */
	readonly running: readonly number[];
}

const STEPS = 96;
/** Steps are whole numbers of these, so that the axis has round times. */
const ROUND = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800] as const;

const stepFor = (seconds: number): number => ROUND.find((step) => step * STEPS >= seconds) ?? Math.ceil(seconds / STEPS);

type Row = Readonly<Record<string, unknown>>;
const number = (row: Row | undefined, column: string): number => Number(row?.[column] ?? 0) || 0;

/** Reads the timeline of a batch; `undefined` before anything was sent. Two statements on the index of batches. */
export async function batchTimeline(db: Queries, batchId: number, now: number): Promise<Timeline | undefined> {
	const [range] = await db.select(
		`SELECT MIN(IF(sent_time > 0, sent_time, NULL)) AS first, MAX(GREATEST(received_time, sent_time)) AS last,
			MAX(server_state = 4) AS open FROM result WHERE batch = ?`,
		[batchId],
	);
	const first = number(range, 'first');
	if (first === 0) {
		return undefined;
	}
	const last = Math.max(first + 1, number(range, 'open') > 0 ? now : number(range, 'last'));
	const step = stepFor(last - first);
	const start = Math.floor(first / step) * step;
	const rows = await db.select(
		`SELECT FLOOR((at - ?) / ?) AS bin, what, COUNT(*) AS n FROM (
			SELECT sent_time AS at, 'sent' AS what FROM result WHERE batch = ? AND sent_time > 0
			UNION ALL SELECT received_time, IF(outcome = 1, 'good', 'bad') FROM result
				WHERE batch = ? AND server_state = 5 AND sent_time > 0 AND received_time > 0
			UNION ALL SELECT report_deadline, 'bad' FROM result
				WHERE batch = ? AND server_state = 5 AND sent_time > 0 AND received_time = 0
		) events GROUP BY bin, what`,
		[start, step, batchId, batchId, batchId],
	);
	const length = Math.min(2 * STEPS, Math.floor((last - start) / step) + 1);
	const binned = (what: string): number[] => {
		const counts = new Array<number>(length).fill(0);
		for (const row of rows.filter((one) => one.what === what)) {
			const bin = Math.min(length - 1, Math.max(0, number(row, 'bin')));
			counts[bin] = (counts[bin] ?? 0) + number(row, 'n');
		}
		return counts;
	};
	const [sent, succeeded, failed] = [binned('sent'), binned('good'), binned('bad')];
	let out = 0;
	const running = sent.map((n, bin) => (out += n - (succeeded[bin] ?? 0) - (failed[bin] ?? 0)));
	return { start, step, succeeded, failed, running };
}
