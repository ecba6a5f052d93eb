import { number, type Queries } from './rows.js';

/** Instances of a batch that are read in one statement: a run of ids. */
export interface InstanceBlock {
	readonly first: number;
	readonly last: number;
	/** How many of these ids are of the batch. */
	readonly count: number;
}

/** Ids in a block. A statement takes so long that others may wait for it: below a tenth of a second. */
const BLOCK = 20_000;
/** Where fewer of the ids are of the batch, looking each up by `res_batch` costs less than reading past the others. */
const DENSE = BLOCK / 8;
/** Blocks with few instances are read together, up to so many instances. */
const TOGETHER = 4_000;

/** The blocks that the instances of a batch are in, by id. Uses `res_batch` alone, without the rows. */
export async function instanceBlocks(db: Queries, batchId: number): Promise<InstanceBlock[]> {
	const rows = await db.select(
		`SELECT id DIV ${BLOCK} AS block, COUNT(*) AS n FROM result FORCE INDEX (res_batch) WHERE batch = ? GROUP BY block ORDER BY block`,
		[batchId],
	);
	const blocks: InstanceBlock[] = [];
	for (const row of rows) {
		const [first, count] = [number(row, 'block') * BLOCK, number(row, 'n')];
		const last = first + BLOCK - 1;
		const before = blocks.at(-1);
		if (before && count < DENSE && before.count + count <= TOGETHER) {
			blocks[blocks.length - 1] = { first: before.first, last, count: before.count + count };
		} else {
			blocks.push({ first, last, count });
		}
	}
	return blocks;
}

/** The instances `r` of a batch in a block, as parts of a statement, and the values of their marks. */
export function instancesIn(
	{ first, last, count }: InstanceBlock,
	batchId: number,
): { readonly from: string; readonly where: string; readonly params: number[] } {
	const index = count * BLOCK < DENSE * (last - first + 1) ? 'res_batch' : 'PRIMARY';
	return {
		from: `result r FORCE INDEX (${index})`,
		where: 'r.batch = ? AND r.id BETWEEN ? AND ?',
		params: [batchId, first, last],
	};
}
