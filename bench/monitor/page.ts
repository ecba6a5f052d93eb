import { tableIds, tableRows } from '../../src/monitor/batchPage/jobTable.js';
import { BatchReader } from '../../src/monitor/batchPage/summary.js';
import { countedBatch } from '../../src/monitor/batchStore.js';
import type { Database, Parameter } from '../../src/sandbox/database.js';
import { LARGE_BATCH, repeated, timed } from './figures.js';
import { Meter } from './meter.js';

const READINGS = 5;
/** Rows of the table on a screen. */
const SCREEN = 40;

/**
 * What the page of the large batch costs: until it shows counts and the first rows, until all charts are drawn, and reading all again while
 * the batch goes on.
 */
export async function pageFigures(session: Database): Promise<Record<string, unknown>> {
	const meter = new Meter((sql, params) => session.select(sql, params as Parameter[]));
	const batch = await countedBatch(meter, LARGE_BATCH); // the tree knows it
	const reader = new BatchReader(LARGE_BATCH);
	const shown = await timed(async () => {
		await reader.outline(meter, batch);
		const ids = await tableIds(meter, LARGE_BATCH, { filter: 'all', text: '', order: 'ascending' });
		await tableRows(meter, LARGE_BATCH, ids.slice(0, SCREEN));
	});
	const read = (): Promise<number> => timed(() => reader.read(meter, batch));
	return { batchPageShownMs: shown, batchPageFirstMs: shown + (await read()), batchPageMs: await repeated(read, READINGS) };
}
