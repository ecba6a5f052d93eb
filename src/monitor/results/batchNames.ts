import type { JobParameters } from '../../job/parameters.js';

/** A name that every file system takes: letters, digits and `._-`, at most `most` characters. */
function plainName(text: string, most: number): string {
	return text
		.normalize('NFKD')
		.replace(/[^A-Za-z0-9._=,+-]+/g, '-')
		.replace(/^[-.]+|[-.]+$/g, '')
		.slice(0, most)
		.replace(/[-.]+$/, '');
}

/** The name of the local folder of a batch. */
export function folderName(batch: { readonly id: number; readonly name: string }): string {
	const plain = plainName(batch.name, 60).replace(/[=,+]/g, '-');
	return plain === '' ? `batch-${batch.id}` : `${plain}-${batch.id}`;
}

/** Variables that only count the jobs of a batch, as their names do. */
const COUNTERS = ['B2D_INDEX', 'B2D_COUNT'];

/**
 * Names for the folders of a batch's jobs, from what differs between them: `alpha=0.1,beta=2`. Jobs that no value tells
 * apart get the end of their own name behind it; jobs that differ in nothing are left out, and keep their own name.
 */
export function parameterNames(jobs: ReadonlyMap<string, JobParameters>): Map<string, string> {
	const values = new Map([...jobs].map(([job, told]) => [job, labelled(told)]));
	const kinds = new Map<string, Set<string>>();
	for (const told of values.values()) {
		for (const [label, value] of told) {
			kinds.set(label, (kinds.get(label) ?? new Set()).add(value));
		}
	}
	const differing = new Set(
		[...kinds]
			.filter(([label, found]) => found.size > 1 || [...values.values()].some((told) => !told.has(label)))
			.map(([label]) => label),
	);
	const names = new Map<string, string>();
	const users = new Map<string, number>();
	for (const [job, told] of values) {
		const text = [...told]
			.filter(([label]) => differing.has(label))
			.map(([label, value]) => (label.startsWith('#') ? value : `${label}=${value}`))
			.join(',');
		const name = plainName(text, 80);
		names.set(job, name);
		users.set(name.toLowerCase(), (users.get(name.toLowerCase()) ?? 0) + 1);
	}
	for (const [job, name] of names) {
		if (name === '') {
			names.delete(job);
		} else if ((users.get(name.toLowerCase()) ?? 0) > 1) {
			names.set(job, `${name}-${job.slice(job.lastIndexOf('_') + 1)}`);
		}
	}
	return names;
}

/** The values that differ between a batch's jobs, by label, for the table of metrics. */
export function parameterColumns(jobs: ReadonlyMap<string, JobParameters>): Map<string, Map<string, string>> {
	const all = [...jobs].map(([job, told]) => [job, labelled(told)] as const);
	const [first] = all;
	const differs = (label: string): boolean => all.some(([, told]) => told.get(label) !== first?.[1].get(label));
	const labels = [...new Set(all.flatMap(([, told]) => [...told.keys()]))].filter(differs);
	return new Map(
		all.map(([job, told]) => [
			job,
			new Map(labels.flatMap((label) => (told.has(label) ? [[label.replace('#', 'argument '), told.get(label) ?? '']] : []))),
		]),
	);
}

/** Variables by name, words of the command by position. */
function labelled({ env, argv }: JobParameters): Map<string, string> {
	return new Map([
		...env
			.map((entry): [string, string] => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)])
			.filter(([name]) => !COUNTERS.includes(name)),
		...argv.map((word, at): [string, string] => [`#${String(at)}`, word]),
	]);
}
