import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import { Gate } from '../../common/gate.js';
import { eachParallel } from '../../common/parallel.js';
import type { OperationContext } from '../../common/ports.js';
import type { Connection } from '../../connection/connection.js';
import { Fetching, type SharedWork } from './batchFetching.js';
import { folderName } from './batchNames.js';
import type { FetchReport, FetchRequest } from './fetchRequest.js';
import { ResultFolder } from './resultFolder.js';
import { type ArrivedFile, streamFiles } from './resultStream.js';
import { createUnpacker, inThisThread } from './unpacker.js';

/** Results being unpacked at a time, and bytes of them in memory. */
const PARALLEL = 40;
const IN_FLIGHT = 64 * 2 ** 20;
const MANY = 50;

/**
 * Fetches the results that are not there yet, each into a folder of its own. Small ones come in one stream and are unpacked as they
 * arrive; large ones by themselves, so that a cut link costs no more than it must. A result is compared with the
 * MD5 that its host reported, unpacked under a temporary name, and renamed. A job that fails does not stop the others.
 * Rejects with `file-in-the-way` when the batch's folder exists and is not ours; never overwrites what a person put there.
 */
export async function fetchResults(connection: Connection, request: FetchRequest, ctx: OperationContext): Promise<FetchReport> {
	const [report] = await fetchBatches(connection, [request], ctx);
	if (!report) {
		throw new Error('one request has one report');
	}
	return report;
}

/** The same for several batches of a server, whose small results come in one stream too. The reports are in the order of the requests. */
export async function fetchBatches(
	connection: Connection,
	requests: readonly FetchRequest[],
	ctx: OperationContext,
): Promise<FetchReport[]> {
	const all: Fetching[] = [];
	const work: SharedWork = { connection, ctx, gate: new Gate(PARALLEL, IN_FLIGHT), total: 0, done: 0, unpacker: inThisThread };
	try {
		for (const request of requests) {
			all.push(new Fetching(await openFolder(request, ctx), request, work));
		}
		for (const fetching of all) {
			await fetching.plan();
		}
		// A thread costs a moment, which few results are not worth.
		work.unpacker = work.total < MANY ? inThisThread : createUnpacker(requests[0]?.programs);
		try {
			await run(all, work);
		} finally {
			await work.unpacker.close();
		}
		const reports: FetchReport[] = [];
		for (const fetching of all) {
			reports.push(await fetching.report());
		}
		return reports;
	} finally {
		for (const { folder } of all) {
			await folder.close();
		}
	}
}

/** Milliseconds between two looks whether another window is done. */
const LOOK_AGAIN = 500;

/** Opens the folder of a batch; waits while another window or command puts results into it, if that is wanted. */
async function openFolder({ folder, batch, patience = 0 }: FetchRequest, ctx: OperationContext): Promise<ResultFolder> {
	const until = ctx.clock.now() + patience * 1000;
	for (;;) {
		try {
			return await ResultFolder.open(path.join(folder, folderName(batch)), batch.id);
		} catch (error) {
			const isBusy = BoincError.is(error, 'file-in-the-way') && error.detail.busy === true;
			if (!isBusy || ctx.clock.now() >= until) {
				throw error;
			}
		}
		ctx.progress.report({ message: 'Waiting for another window that fetches the same results' });
		await ctx.clock.sleep(LOOK_AGAIN, ctx.signal);
	}
}

/** Small results in one stream for each folder with results on the server, then the others one by one. */
async function run(all: readonly Fetching[], work: SharedWork): Promise<void> {
	for (const resultsDir of new Set(all.map(({ request }) => request.resultsDir))) {
		await streamSmall(
			resultsDir,
			all.filter(({ request }) => request.resultsDir === resultsDir),
			work,
		);
	}
	const large = all.flatMap((fetching) => fetching.large.map((entry) => ({ fetching, entry })));
	await eachParallel(large, 2, ({ fetching, entry }) => fetching.fetchLarge(entry));
}

async function streamSmall(
	resultsDir: string,
	all: readonly Fetching[],
	{ connection, ctx, gate, unpacker }: SharedWork,
): Promise<void> {
	const wanted = new Map(
		all.flatMap((fetching) => fetching.small.map((entry) => [fetching.streamName(entry), { fetching, entry }] as const)),
	);
	if (wanted.size === 0) {
		return;
	}
	const missing = new Set(wanted.values());
	let trouble: unknown;
	const take = ({ name, bytes }: ArrivedFile): void | Promise<void> => {
		const found = wanted.get(name);
		if (!found || !missing.delete(found)) {
			return;
		}
		if (trouble !== undefined) {
			throw trouble as Error;
		}
		return gate.enter(
			bytes.length,
			() => found.fetching.keep(found.entry, bytes),
			(error) => (trouble ??= error),
		);
	};
	try {
		await streamFiles(connection, resultsDir, [...wanted.keys()], { room: (size) => unpacker.room(size), take }, ctx.signal);
	} finally {
		await gate.empty();
	}
	if (trouble !== undefined) {
		throw trouble as Error;
	}
	for (const { fetching, entry } of missing) {
		fetching.fail(entry.job, 'it is not on the server any more.');
	}
}
