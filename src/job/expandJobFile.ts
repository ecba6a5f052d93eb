import { basename, relative, sep } from 'node:path';

import type { BoincError } from '../common/errors.js';
import { entriesOf, mapped, type Sequence } from '../common/sequence.js';
import { valueOf } from '../project/yaml/yamlTree.js';
import { inFolder, type InputEntry, type JobFile } from './jobFile.js';
import type { LocalInput } from './localInputs.js';
import type { ContainerRequest, JobRequest } from './submitImage.js';
import { findFiles } from './sweep/findFiles.js';
import { fillIn, labelOf, labelProblem, placeholders } from './sweep/names.js';
import { readSweep } from './sweep/readSweep.js';
import type { Row, Rows } from './sweep/rows.js';
import { UniqueTexts } from './sweep/uniqueTexts.js';

/** A job file with its tables read and its files found. */
export interface ExpandedJobs {
	readonly request: Partial<Omit<ContainerRequest, 'jobs' | 'tempDir' | 'onLog'>>;
	/** Absent: there is no sweep. */
	readonly sweep: Rows | undefined;
	/** Command for this computer when the batch is over, and the folder in which it runs. */
	readonly then: { readonly words: readonly string[]; readonly folder: string } | undefined;
	/** Name template of the jobs. */
	readonly label: string | undefined;
	/** The jobs of the sweep, each made when it is asked for. Absent: there is no sweep. */
	readonly jobs: Sequence<JobRequest> | undefined;
}

interface FoundInputs {
	readonly shared: readonly LocalInput[];
	/** Of each job: path and file may hold `{{parameter}}`. */
	readonly own: readonly LocalInput[];
}

/** Reads the tables of a job file and looks for its files. Rejects with `job-file-invalid` naming the place. */
export async function expandJobFile(file: JobFile): Promise<ExpandedJobs> {
	const sweep = file.sweep && (await readSweep(file.sweep, file));
	checkPlaceholders(file, sweep);
	const { shared, own } = await findInputs(file);
	const name = valueOf(file.sweep, 'name');
	const label = name?.kind === 'scalar' ? name.text : undefined;
	if (sweep && label !== undefined) {
		checkLabels(sweep, label, (message, remedy) => file.problem(name?.start ?? 0, message, remedy));
	}
	const { request } = file;
	return {
		request: { ...request, jobFile: file.text, ...(shared.length > 0 && { inputs: shared }) },
		sweep,
		then: file.then && { words: file.then, folder: file.folder },
		label,
		jobs: sweep && mapped(rowsOf(sweep), (row) => jobOf(request, own, row, label, file.folder)),
	};
}

/** The rows of a sweep; each has the parameters `index` and `repetition` too. */
export function rowsOf(rows: Rows): Sequence<Row> {
	const isThere = (index: number): boolean => index >= 0 && index < rows.count;
	return { length: rows.count, at: (index) => (isThere(index) ? withOwn(rows.at(index), index) : undefined) };
}

function withOwn(row: Row, index: number): Row {
	return new Map([...row, ['index', String(index)], ['repetition', row.get('repetition') ?? '0']]);
}

function jobOf(
	request: JobFile['request'],
	own: readonly LocalInput[],
	row: Row,
	label: string | undefined,
	folder: string,
): JobRequest {
	const named = label === undefined ? undefined : labelOf(label, row);
	const env = Object.fromEntries([
		// The others are the batch's.
		...Object.entries(request.env ?? {})
			.filter(([, value]) => placeholders(value).length > 0)
			.map(([name, value]) => [name, fillIn(value, row)] as const),
		...[...row].filter(([name]) => name !== 'index' && name !== 'repetition'),
		['B2D_REPETITION', row.get('repetition') ?? '0'],
		...(named === undefined ? [] : [['B2D_NAME', named] as const]),
	]);
	return {
		env,
		...(request.command && { command: request.command.map((word) => fillIn(word, row)) }),
		...(own.length > 0 && {
			inputs: own.map(({ path, file, ...rest }) => ({
				...rest,
				path: fillIn(path, row),
				file: inFolder(folder, fillIn(file, row)),
			})),
		}),
		...(named !== undefined && { label: named }),
	};
}

function checkLabels(rows: Rows, label: string, fail: (message: string, remedy: string) => BoincError): void {
	const all = rowsOf(rows);
	const seen = new UniqueTexts(rows.count, (index) => labelOf(label, all.at(index) ?? new Map()));
	for (const [index, row] of entriesOf(all)) {
		const name = labelOf(label, row);
		const why = labelProblem(name);
		if (why !== undefined) {
			throw fail(`The job of row ${index} would be named “${name}”: ${why}.`, 'Change the name.');
		}
		const other = seen.add(name, index);
		if (other !== undefined) {
			throw fail(
				`The jobs of the rows ${other} and ${index} would both be named “${name}”.`,
				'Add a parameter to the name, or {{index}}.',
			);
		}
	}
}

/** A table's parameters are known only now. */
function checkPlaceholders(file: JobFile, sweep: Rows | undefined): void {
	const known = [...(sweep?.names ?? []), 'index', 'repetition'];
	const texts = [
		...(file.request.command ?? []),
		...Object.values(file.request.env ?? {}),
		...file.inputs.flatMap(({ what, path }) => [...what, path ?? '']),
	];
	const label = valueOf(file.sweep, 'name');
	const unknown = [...texts, label?.kind === 'scalar' ? label.text : '']
		.flatMap(placeholders)
		.find(({ name }) => !known.includes(name));
	if (unknown) {
		throw file.problem(
			(label ?? file.sweep)?.start ?? 0,
			`There is no parameter ${unknown.name}; there are ${known.join(', ')}.`,
			'Correct the name between the braces.',
		);
	}
}

async function findInputs(file: JobFile): Promise<FoundInputs> {
	const shared: LocalInput[] = [];
	const own: LocalInput[] = [];
	const paths = new Set<string>();
	for (const entry of file.inputs) {
		const [name = ''] = entry.what;
		const before = [shared.length, own.length] as const;
		if (entry.kind === 'url') {
			shared.push(fromWeb(entry));
		} else if (entry.kind !== 'file') {
			shared.push(...(await lookUp(entry, file)));
		} else if (placeholders(name).length > 0) {
			own.push({ path: entry.path ?? basename(name), file: name, place: file.place(entry.at) });
		} else {
			shared.push({ path: entry.path ?? basename(name), file: inFolder(file.folder, name), place: file.place(entry.at) });
		}
		for (const { path } of [...shared.slice(before[0]), ...own.slice(before[1])]) {
			if (paths.has(path)) {
				throw file.problem(entry.at, `Two inputs have the path ${path}.`, 'Give one of them another “path”.');
			}
			paths.add(path);
		}
	}
	return { shared, own };
}

/** The rules of the file see to it that the hash is there. */
function fromWeb({ what, path, sha256 = '' }: InputEntry): LocalInput {
	const [url = ''] = what;
	return { path: path ?? decodeURIComponent(basename(new URL(url).pathname)), file: '', from: { url, sha256 } };
}

/** The files of a folder keep their paths in it; those of a pattern keep their names. */
async function lookUp({ kind, what, path, ignore, at }: InputEntry, { folder, problem }: JobFile): Promise<LocalInput[]> {
	const bare = (text: string): string => text.replace(/\/+$/, '');
	const patterns = kind === 'folder' ? what.map((each) => `${bare(each)}/**`) : what;
	const found = await findFiles(folder, patterns, ignore);
	if (found.length === 0) {
		throw problem(at, `No file matches ${what.join(', ')}.`, 'Check the path; it starts from the folder of the job file.');
	}
	const root = kind === 'folder' ? inFolder(folder, what[0] ?? '') : undefined;
	const top = path === undefined ? (root === undefined ? '' : basename(root)) : bare(path);
	return found.map((each) => {
		const file = inFolder(folder, each);
		const inner = root === undefined ? basename(file) : relative(root, file).split(sep).join('/');
		return { path: top === '' ? inner : `${top}/${inner}`, file };
	});
}
