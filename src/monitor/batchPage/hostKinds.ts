import { type HostRecord, hostsById } from '../explain/hostRecord.js';
import type { Queries } from '../queries.js';

/** Hosts that are alike, and what they did for a batch. */
export interface HostKind {
	readonly os: HostRecord['os'];
	readonly architecture: HostRecord['architecture'];
	/** What runs the jobs; `none` for hosts that report neither. */
	readonly runtime: 'container' | 'machine' | 'none';
	readonly hosts: number;
	readonly processors: number;
	readonly running: number;
	readonly succeeded: number;
	readonly failed: number;
	/** Mean seconds of a success. */
	readonly meanSeconds: number;
}

/** Hosts that have most instances of the batch; the others are left out. */
const MOST_HOSTS = 2000;

/** The hosts of a batch by kind, those with most instances first. Two statements on indexes. */
export async function hostKinds(db: Queries, batchId: number): Promise<HostKind[]> {
	const rows = await db.select(
		`SELECT hostid, COUNT(*) AS n, SUM(server_state = 4) AS running, SUM(server_state = 5 AND outcome = 1) AS good,
			SUM(server_state = 5 AND outcome <> 1) AS bad, SUM(IF(server_state = 5 AND outcome = 1, elapsed_time, 0)) AS seconds
		FROM result WHERE batch = ? AND hostid > 0 GROUP BY hostid ORDER BY n DESC LIMIT ?`,
		[batchId, MOST_HOSTS],
	);
	const hosts = new Map(
		(
			await hostsById(
				db,
				rows.map((row) => Number(row.hostid)),
			)
		).map((host) => [host.id, host]),
	);
	const kinds = new Map<string, Sums>();
	for (const row of rows) {
		const host = hosts.get(Number(row.hostid));
		const kind = kindOf(host);
		const key = Object.values(kind).join(' ');
		const sums = kinds.get(key) ?? { ...kind, hosts: 0, processors: 0, running: 0, succeeded: 0, failed: 0, seconds: 0 };
		sums.hosts += 1;
		sums.processors += host?.processors ?? 0;
		sums.running += Number(row.running);
		sums.succeeded += Number(row.good);
		sums.failed += Number(row.bad);
		sums.seconds += Number(row.seconds);
		kinds.set(key, sums);
	}
	const amount = (kind: HostKind): number => kind.running + kind.succeeded + kind.failed;
	return [...kinds.values()]
		.map(({ seconds, ...kind }) => ({ ...kind, meanSeconds: kind.succeeded === 0 ? 0 : seconds / kind.succeeded }))
		.sort((a, b) => amount(b) - amount(a));
}

type Kind = Pick<HostKind, 'os' | 'architecture' | 'runtime'>;
type Sums = Kind & Record<'hosts' | 'processors' | 'running' | 'succeeded' | 'failed' | 'seconds', number>;

/** A host that was deleted meanwhile is of no known kind. */
function kindOf(host: HostRecord | undefined): Kind {
	if (!host) {
		return { os: 'other', architecture: 'amd64', runtime: 'none' };
	}
	const runtime = host.engine !== '' ? 'container' : host.virtualbox !== '' ? 'machine' : 'none';
	return { os: host.os, architecture: host.architecture, runtime };
}
