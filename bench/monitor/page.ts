import { BatchReader } from '../../src/monitor/batchPage/summary.js';
import { countedBatch } from '../../src/monitor/batchStore.js';
import type { Queries } from '../../src/monitor/queries.js';
import type { Database, Parameter } from '../../src/sandbox/database.js';
import { LARGE_BATCH, repeated, timed } from './figures.js';
import { Meter } from './meter.js';

const READINGS = 5;

/** What the page of the large batch costs: reading all of it for the first time, and again while it goes on. */
export async function pageFigures(session: Database): Promise<Record<string, unknown>> {
	const meter = new Meter((sql, params) => session.select(sql, params as Parameter[]));
	const queries: Queries = meter;
	const reader = new BatchReader(LARGE_BATCH);
	const batch = await countedBatch(queries, LARGE_BATCH);
	const read = (): Promise<number> => timed(() => reader.read(queries, batch));
	return { batchPageFirstMs: await read(), batchPageMs: await repeated(read, READINGS) };
}
