import { silentLog, systemClock } from '../../src/common/ports.js';
import { ProjectMonitor } from '../../src/monitor/projectMonitor.js';
import type { Database, Parameter } from '../../src/sandbox/database.js';
import { LARGE_BATCH, median, repeated, timed } from './figures.js';
import { Meter } from './meter.js';

const ROUNDS = 15;
const CHANGES = 100;
const HIDDEN_MS = 60_000;

/**
 * What the tree costs: the first page of the large batch, polls with and without changes, and the same without a store. `changes` is the
 * session that changes are made in, `session` the one that they are watched from.
 */
export async function pollFigures(changes: Database, session: Database): Promise<Record<string, unknown>> {
	const meter = new Meter((sql, params) => session.select(sql, params as Parameter[]));
	const monitorOf = (): ProjectMonitor =>
		new ProjectMonitor({ log: silentLog, clock: systemClock, database: () => Promise.resolve(meter) });

	const before = heapMb();
	const cold = await timed(async () => {
		const first = monitorOf();
		await first.load();
		await first.jobs(LARGE_BATCH, { limit: 201 });
	});
	const monitor = monitorOf();
	await monitor.load();
	const countMs = await timed(() => monitor.refresh());
	const memoryMb = heapMb() - before;
	const poll = async (): Promise<number> => {
		meter.reset();
		await monitor.poll();
		return meter.totalMs;
	};
	// MariaDB knows when a table was changed since it was started only from the first change on.
	await changes.execute('UPDATE workunit SET priority = 1 - priority WHERE id = 1');
	await changes.execute('UPDATE result SET priority = 1 - priority WHERE id = 1');
	await systemClock.sleep(5_000); // the last change has to be older than the overlap
	const idle = await repeated(poll);
	const idleStatements = meter.count;

	const counts = (): unknown => monitor.batch(LARGE_BATCH)?.counts;
	const doneBefore = monitor.batch(LARGE_BATCH)?.counts.done ?? 0;
	const delta: number[] = [];
	for (let n = 0; n < ROUNDS; n++) {
		await move(changes);
		delta.push(await poll());
	}
	const naive = await repeated(async () => {
		meter.reset();
		await meter.select(NAIVE, []);
		await meter.select(NAIVE_RESULTS, []);
		return meter.totalMs;
	}, 3);
	const exact = JSON.stringify(counts());
	await monitor.refresh();
	const firstPage = await repeated(() =>
		timed(async () => {
			await monitor.jobs(LARGE_BATCH, { states: ['queued'], limit: 201 });
			await monitor.jobs(LARGE_BATCH, { states: ['done'], limit: 201 });
		}),
	);
	const hidden = await hiddenQueries(monitor, meter);
	monitor.dispose();
	return {
		firstPageMs: Math.max(cold, firstPage),
		countAllMs: countMs,
		deltaPollMs: median(delta),
		deltaPollMaxMs: Math.max(...delta),
		idlePollMs: idle,
		idleStatements,
		hiddenQueries: hidden,
		memoryMb,
		changesSeen: (monitor.batch(LARGE_BATCH)?.counts.done ?? 0) - doneBefore,
		countsExact: exact === JSON.stringify(counts()),
		naiveMs: naive,
		deltaToNaive: median(delta) / naive,
		idleToNaive: idle / naive,
	};
}

/** What a tree without a store would ask each time: the states of all jobs and instances, by batch. */
const NAIVE = 'SELECT batch, canonical_resultid > 0, assimilate_state, error_mask, COUNT(*) FROM workunit GROUP BY 1, 2, 3, 4';
const NAIVE_RESULTS = 'SELECT batch, server_state, outcome, validate_state, COUNT(*) FROM result GROUP BY 1, 2, 3, 4';

/** Fifty jobs of the large batch come to a host, fifty are over, each in a transaction of its own as from the scheduler. */
async function move(db: Database): Promise<void> {
	const jobsIn = async (state: number): Promise<number[]> =>
		(
			await db.select('SELECT workunitid FROM result WHERE batch = ? AND server_state = ? ORDER BY RAND() LIMIT ?', [
				LARGE_BATCH,
				state,
				CHANGES / 2,
			])
		).map((row) => Number(row.workunitid));
	const [waiting, running] = [await jobsIn(2), await jobsIn(4)];
	for (const id of waiting) {
		await db.execute('UPDATE result SET server_state = 4, hostid = 7 WHERE workunitid = ? AND server_state = 2', [id]);
	}
	for (const id of running) {
		await db.execute(
			'UPDATE result SET server_state = 5, outcome = 1, validate_state = 1 WHERE workunitid = ? AND server_state = 4',
			[id],
		);
		await db.execute('UPDATE workunit SET canonical_resultid = id, assimilate_state = 2 WHERE id = ?', [id]);
	}
}

/** Statements in a minute in which nobody looks. */
async function hiddenQueries(monitor: ProjectMonitor, meter: Meter): Promise<number> {
	monitor.start();
	await systemClock.sleep(3_000);
	monitor.stop();
	await systemClock.sleep(500); // what was on its way
	meter.reset();
	await systemClock.sleep(HIDDEN_MS);
	return meter.count;
}

function heapMb(): number {
	globalThis.gc?.();
	const { heapUsed, external, arrayBuffers } = process.memoryUsage();
	return (heapUsed + external + arrayBuffers) / 1e6;
}
