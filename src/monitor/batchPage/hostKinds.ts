import { type HostRecord, hostsById } from '../explain/hostRecord.js';
import type { HostSum } from '../instanceSums.js';
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

/** The records of the hosts that had most instances of a batch, of those that are not `known`. Primary key. */
export async function recordsOf(
	db: Queries,
	sums: ReadonlyMap<number, HostSum>,
	known: ReadonlyMap<number, HostRecord>,
): Promise<HostRecord[]> {
	return hostsById(
		db,
		busiest(sums).flatMap(([id]) => (known.has(id) ? [] : [id])),
	);
}

const amount = ({ running, succeeded, failed }: Pick<HostSum, 'running' | 'succeeded' | 'failed'>): number =>
	running + succeeded + failed;

const busiest = (sums: ReadonlyMap<number, HostSum>): [id: number, sum: HostSum][] =>
	[...sums].sort((a, b) => amount(b[1]) - amount(a[1])).slice(0, MOST_HOSTS);

/** The hosts of a batch by kind, those with most instances first. Pure. */
export function hostKinds(sums: ReadonlyMap<number, HostSum>, records: ReadonlyMap<number, HostRecord>): HostKind[] {
	const kinds = new Map<string, Sums>();
	for (const [id, { running, succeeded, failed, seconds }] of busiest(sums)) {
		const host = records.get(id);
		const kind = kindOf(host);
		const key = Object.values(kind).join(' ');
		const sum = kinds.get(key) ?? { ...kind, hosts: 0, processors: 0, running: 0, succeeded: 0, failed: 0, seconds: 0 };
		sum.hosts += 1;
		sum.processors += host?.processors ?? 0;
		sum.running += running;
		sum.succeeded += succeeded;
		sum.failed += failed;
		sum.seconds += seconds;
		kinds.set(key, sum);
	}
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
