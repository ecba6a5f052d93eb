import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { type Database, openDatabase } from '../src/sandbox/database.js';
import { startMariadb } from '../src/sandbox/mariadb.js';
import { measureFetch } from './monitor/fetch.js';
import { fill, openBatches, type ProjectSize, projectSize, resultsIn } from './monitor/fill.js';
import { lagFigures } from './monitor/lag.js';
import { pageFigures } from './monitor/page.js';
import { pollFigures } from './monitor/polls.js';

const PARTS = ['poll', 'page', 'lag', 'fetch'] as const;
type Part = (typeof PARTS)[number];

/**
 * Watching a project of a million results in 200 batches, of which four are open, one with 100,000 jobs. Milliseconds are those of the
 * statements as a client on the same computer sees them, medians. Arguments:
 *
 *   --only PART    poll, page, lag or fetch; may be repeated. All by default.
 *   --batches N    fewer batches
 *   --jobs N       jobs of the large batch; the others shrink with it
 *   FOLDER         keeps the filled database there, for the next time
 */
export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: { only: { type: 'string', multiple: true }, batches: { type: 'string' }, jobs: { type: 'string' } },
	});
	const parts = new Set(values.only?.map(partOf) ?? PARTS);
	const fetch = async (): Promise<Record<string, unknown>> => (parts.has('fetch') ? { fetch: await measureFetch() } : {});
	if (parts.size === 1 && parts.has('fetch')) {
		return fetch();
	}
	const size = projectSize({
		...(values.batches !== undefined && { batches: wholeOf(values.batches) }),
		...(values.jobs !== undefined && { jobs: wholeOf(values.jobs) }),
	});
	return { ...(await onDatabase(size, parts, positionals[0])), ...(await fetch()) };
}

/** The figures of all parts that need a filled database. */
async function onDatabase(size: ProjectSize, parts: ReadonlySet<Part>, kept?: string): Promise<Record<string, unknown>> {
	const dir = kept ?? (await mkdtemp(path.join(os.tmpdir(), 'b2d-bench-')));
	const server = await startMariadb({ dir: path.join(dir, 'db') });
	try {
		const db = await openDatabase(server);
		const tables = await db.select('SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()');
		if (tables.length === 0) {
			await fill(db, size);
		}
		await requireSize(db, size, dir);
		await db.execute('SET GLOBAL innodb_buffer_pool_size = 2147483648');
		const session = async (): Promise<Database> => {
			const opened = await openDatabase(server);
			await opened.execute("SET time_zone = '+00:00'");
			return opened;
		};
		const figures = {
			results: resultsIn(size),
			batches: size.batches,
			open: openBatches(size).length,
			...(parts.has('poll') && (await pollFigures(db, await session()))),
			...(parts.has('page') && (await pageFigures(await session()))),
			...(parts.has('lag') && (await lagFigures(server, db, { dir, jobs: size.large }))),
		};
		await db.end();
		return figures;
	} finally {
		await server.stop();
		if (kept === undefined) {
			await rm(dir, { recursive: true, force: true });
		}
	}
}

/** A database that was kept may be of another size, or its filling was interrupted. */
async function requireSize(db: Database, size: ProjectSize, dir: string): Promise<void> {
	const [row] = await db.select('SELECT COUNT(*) AS results, COUNT(DISTINCT batch) AS batches FROM result');
	if (Number(row?.results) !== resultsIn(size) || Number(row?.batches) !== size.batches) {
		throw new Error(
			`The database in ${dir} has not the ${resultsIn(size)} results in ${size.batches} batches that were asked for`,
		);
	}
}

function partOf(text: string): Part {
	const part = PARTS.find((one) => one === text);
	if (part === undefined) {
		throw new Error(`There is no part “${text}”: ${PARTS.join(', ')}`);
	}
	return part;
}

function wholeOf(text: string): number {
	const value = Number(text);
	if (!Number.isSafeInteger(value) || value < 1) {
		throw new Error(`“${text}” is not a whole number above 0`);
	}
	return value;
}
