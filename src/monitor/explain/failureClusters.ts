import type { Queries } from '../queries.js';
import type { Example, FailureKind } from './explanation.js';
import type { FailedRow, FailureLogs, ReadFailure } from './failedInstances.js';
import { type Cause, signatureOf } from './failureCause.js';

/** Logs that are read for each combination of codes. */
const SAMPLE = 20;
const EXAMPLES = 3;
/** Combinations that are looked into; the rest is rare. */
const MOST_GROUPS = 40;

/** Instances with one cause. */
export interface FailureCluster {
	readonly kind: FailureKind;
	/** What the instances did: `ended with exit code 3`. */
	readonly what: string;
	readonly remedy: string | undefined;
	readonly numbers: Readonly<Record<string, number>>;
	readonly instances: number;
	readonly jobs: number;
	readonly hosts: number;
	readonly examples: readonly Example[];
}

/**
 * Failed instances by cause, the most frequent first. Counts are exact; where instances with the same codes say different things, the
 * newest 20 of them decide how they are split. Reads their logs only.
 */
export async function failureClusters(db: Queries, failed: readonly FailedRow[], logs: FailureLogs): Promise<FailureCluster[]> {
	const groups = byCodes(failed).slice(0, MOST_GROUPS);
	const samples = groups.map((group) => group.toSorted((a, b) => b.id - a.id).slice(0, SAMPLE));
	const causes = await logs.read(db, samples.flat());
	const clusters = groups.flatMap((group, at) => split(group, samples[at] ?? [], causes));
	return merge(clusters).sort((a, b) => b.instances - a.instances);
}

/** Instances with the same codes, the largest group first. */
function byCodes(failed: readonly FailedRow[]): FailedRow[][] {
	const groups = new Map<string, FailedRow[]>();
	for (const instance of failed) {
		const { outcome, clientState, validateState, exitStatus } = instance;
		const key = `${outcome} ${clientState} ${validateState} ${exitStatus}`;
		const group = groups.get(key);
		if (group) {
			group.push(instance);
		} else {
			groups.set(key, [instance]);
		}
	}
	return [...groups.values()].sort((a, b) => b.length - a.length);
}

const distinct = (instances: readonly FailedRow[], of: 'jobId' | 'hostId'): number =>
	new Set(instances.map((instance) => instance[of])).size;

function split(
	group: readonly FailedRow[],
	samples: readonly FailedRow[],
	causes: ReadonlyMap<number, ReadFailure>,
): FailureCluster[] {
	const found = new Map<string, { cause: Cause; instances: FailedRow[]; examples: Example[] }>();
	let read = 0;
	for (const instance of samples) {
		const told = causes.get(instance.id);
		if (!told) {
			continue; // purged meanwhile
		}
		read += 1;
		const { cause, name } = told;
		// Programs fail in many ways with the same code: what they said last tells them apart.
		const key = `${cause.kind} ${cause.kind === 'program-failed' ? signatureOf(cause.line) : ''}`;
		const entry = found.get(key) ?? { cause, instances: [], examples: [] };
		entry.instances.push(instance);
		entry.examples.push({ instanceId: instance.id, name, hostId: instance.hostId, line: cause.line });
		found.set(key, entry);
	}
	return [...found.values()].map(({ cause, instances, examples }) => {
		const isWhole = found.size <= 1;
		const isSampled = !isWhole && group.length > samples.length;
		const own = isWhole || isSampled ? group : instances;
		const share = isSampled ? instances.length / read : 1;
		const scaled = (n: number): number => Math.max(1, Math.round(n * share));
		return {
			...pick(cause),
			instances: scaled(own.length),
			jobs: scaled(distinct(own, 'jobId')),
			hosts: scaled(distinct(own, 'hostId')),
			examples: examples.slice(0, EXAMPLES),
		};
	});
}

const pick = ({ kind, what, remedy, numbers }: Cause): Omit<Cause, 'line'> => ({ kind, what, remedy, numbers });

/** The same cause under several combinations of codes is one. */
function merge(clusters: readonly FailureCluster[]): FailureCluster[] {
	const merged = new Map<string, FailureCluster>();
	for (const cluster of clusters) {
		const line = cluster.kind === 'program-failed' ? signatureOf(cluster.examples[0]?.line ?? '') : '';
		const key = `${cluster.kind} ${cluster.what} ${line}`;
		const known = merged.get(key);
		merged.set(
			key,
			known
				? {
						...known,
						instances: known.instances + cluster.instances,
						jobs: Math.max(known.jobs, cluster.jobs),
						hosts: Math.max(known.hosts, cluster.hosts),
						examples: [...known.examples, ...cluster.examples].slice(0, EXAMPLES),
					}
				: cluster,
		);
	}
	return [...merged.values()];
}
