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
	const kinds = new Map<string, HostKind & { readonly seconds: number }>();
	for (const row of rows) {
		const host = hosts.get(Number(row.hostid));
		const runtime = !host ? 'none' : host.engine !== '' ? 'container' : host.virtualbox !== '' ? 'machine' : 'none';
		const kind = { os: host?.os ?? 'other', architecture: host?.architecture ?? 'amd64', runtime } as const;
		const key = Object.values(kind).join(' ');
		const known = kinds.get(key);
		const seconds = (known?.seconds ?? 0) + Number(row.seconds);
		const succeeded = (known?.succeeded ?? 0) + Number(row.good);
		kinds.set(key, {
			...kind,
			hosts: (known?.hosts ?? 0) + 1,
			processors: (known?.processors ?? 0) + (host?.processors ?? 0),
			running: (known?.running ?? 0) + Number(row.running),
			succeeded,
			failed: (known?.failed ?? 0) + Number(row.bad),
			seconds,
			meanSeconds: succeeded === 0 ? 0 : seconds / succeeded,
		});
	}
	const amount = (kind: HostKind): number => kind.running + kind.succeeded + kind.failed;
	return [...kinds.values()].sort((a, b) => amount(b) - amount(a)).map(({ seconds: _, ...kind }) => kind);
}
