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
	const values = labelledJobs(jobs);
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
	const all = [...labelledJobs(jobs)];
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

/** Variables by name, words of the command by position; without words that only repeat a variable. */
function labelledJobs(jobs: ReadonlyMap<string, JobParameters>): Map<string, Map<string, string>> {
	const all = new Map([...jobs].map(([job, told]) => [job, labelled(told)]));
	const values = [...all.values()];
	splitScripts(values);
	const labels = [...new Set(values.flatMap((told) => [...told.keys()]))];
	const variables = labels.filter((label) => !label.startsWith('#'));
	const repeated = labels.filter((label) => label.startsWith('#') && variables.some((name) => repeats(values, label, name)));
	for (const told of values) {
		repeated.forEach((label) => told.delete(label));
	}
	return all;
}

/**
 * A word with spaces that is not the same in all jobs, as the script behind `sh -c`, is not what somebody means by a parameter: in its
 * place come its own words, by their position in it. If jobs have different numbers of these, only what all have around the rest is taken off.
 */
function splitScripts(jobs: readonly Map<string, string>[]): void {
	const labels = new Set(jobs.flatMap((told) => [...told.keys()].filter((label) => label.startsWith('#'))));
	for (const label of labels) {
		const scripts = jobs.map((told) => told.get(label)?.trim().split(/\s+/) ?? []);
		const first = scripts[0] ?? [];
		if (scripts.every((words) => words.length < 2) || jobs.every((told) => told.get(label) === jobs[0]?.get(label))) {
			continue;
		}
		const isSame = (place: (words: readonly string[]) => string | undefined): boolean =>
			scripts.every((words) => place(words) === place(first));
		const shortest = Math.min(...scripts.map(({ length }) => length));
		let before = 0;
		while (before < shortest && isSame((words) => words[before])) {
			before++;
		}
		let after = 0;
		while (after < shortest - before && isSame((words) => words.at(-1 - after))) {
			after++;
		}
		const areAlike = isSame((words) => String(words.length));
		for (const [index, told] of jobs.entries()) {
			const words = scripts[index] ?? [];
			const rest = words.slice(before, words.length - after);
			if (!told.delete(label) || rest.length === 0) {
				continue;
			}
			for (const [at, piece] of (areAlike ? rest : [rest.join(' ')]).entries()) {
				const place = before + at;
				told.set(areAlike ? `${label}.${String(place)}${optionBefore(words, place)}` : label, piece);
			}
		}
	}
}

/** The option whose value a word is, behind a space: ` --alpha` in `--alpha 0.1`. */
function optionBefore(words: readonly string[], place: number): string {
	const option = words[place - 1];
	return option !== undefined && /^--?[A-Za-z][\w-]*$/.test(option) ? ` ${option}` : '';
}

/** Whether a word is in all jobs the value of a variable, between texts that are the same in all: `0.1`, or `--alpha=0.1`. */
function repeats(jobs: readonly ReadonlyMap<string, string>[], label: string, variable: string): boolean {
	const [word, value] = [jobs[0]?.get(label), jobs[0]?.get(variable)];
	// A variable that is the same everywhere explains no difference; an empty one would be in each word.
	if (word === undefined || value === undefined || value === '' || jobs.every((told) => told.get(variable) === value)) {
		return false;
	}
	for (let at = word.indexOf(value); at >= 0; at = word.indexOf(value, at + 1)) {
		const [before, after] = [word.slice(0, at), word.slice(at + value.length)];
		if (jobs.every((told) => told.has(variable) && told.get(label) === `${before}${told.get(variable) ?? ''}${after}`)) {
			return true;
		}
	}
	return false;
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
