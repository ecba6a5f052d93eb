import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import { mapped } from '../../common/sequence.js';
import { type ExpandedJobs, expandJobFile } from '../../job/expandJobFile.js';
import type { ImageSource } from '../../job/imageSource.js';
import { parseJobFile } from '../../job/jobFile.js';
import { checkInputs, type ContainerRequest, jobsOf } from '../../job/submitImage.js';
import { previewSweep } from '../../job/sweep/preview.js';

/** The file that is read when none is named. */
export const JOB_FILE = 'boinc2docker.yml';

/** Whether what a person named is a job file. */
export const isJobFile = (name: string): boolean => /\.ya?ml$/i.test(name);

export interface NamedJobs extends ExpandedJobs {
	readonly image: ImageSource;
	/** For the batch, where the file has none. */
	readonly fallbackName: string;
}

/** Reads a job file, its tables, and looks for its files. */
export async function readJobFile(name: string): Promise<NamedJobs> {
	let text: string;
	try {
		text = await readFile(name, 'utf8');
	} catch (cause) {
		throw await unreadable(name, cause);
	}
	const folder = path.dirname(path.resolve(name));
	const file = await parseJobFile(text, folder, name);
	const jobs = await expandJobFile(file);
	const { image } = jobs.request;
	if (!image) {
		throw new BoincError('job-file-invalid', `${name} names no image.`, {
			remedy: 'Add one of dockerfile, image, archive.',
			detail: { file: name },
		});
	}
	await checkImageFile(image, file.place(file.imageAt ?? 0));
	return { ...jobs, image, fallbackName: path.basename(folder) || 'jobs' };
}

/** The jobs of a file as they would be submitted, with these options. Refuses what submitting refuses and can be known without a server. */
export async function previewOf(
	jobs: NamedJobs,
	options: Partial<ContainerRequest>,
): Promise<Pick<ExpandedJobs, 'request' | 'sweep'>> {
	const request = withOptions(jobs, options, undefined);
	const local = (request.inputs ?? []).filter(({ from }) => from === undefined);
	await checkInputs(local, jobsOf(request));
	return { request, sweep: jobs.sweep };
}

/** Refuses an image whose file is not there: `input-missing`, which begins with the place where the file is named. */
async function checkImageFile(image: ImageSource, place: string): Promise<void> {
	if (image.kind === 'reference') {
		return;
	}
	const file = image.kind === 'archive' ? image.file : path.resolve(image.contextDir, image.dockerfile);
	const found = await stat(file).catch(() => undefined);
	if (found?.isFile() !== true) {
		throw new BoincError('input-missing', `${place}: There is no file ${file}.`, { remedy: `Correct ${image.kind} there.` });
	}
}

async function unreadable(name: string, cause: unknown): Promise<BoincError> {
	const full = path.resolve(name);
	const folder = path.dirname(full);
	const isThere = async (file: string): Promise<boolean> => (await stat(file).catch(() => undefined)) !== undefined;
	if (await isThere(full)) {
		return new BoincError('input-missing', `The file ${name} cannot be read.`, { remedy: 'Check its permissions.', cause });
	}
	const remedy = (await isThere(path.join(folder, 'Dockerfile')))
		? `For its Dockerfile name the folder: boinc2docker submit ${path.dirname(name)}`
		: `Give a Dockerfile, a folder with one, an image, or a file like ${JOB_FILE}.`;
	return new BoincError('input-missing', `There is no ${path.basename(name)} in ${folder}.`, { remedy, cause });
}

/** Structured form of `describeJobs`. */
export function previewJson({ request, sweep }: Pick<ExpandedJobs, 'request' | 'sweep'>): unknown {
	const preview = sweep && previewSweep(sweep);
	return {
		count: sweep?.count ?? request.count ?? 1,
		...(preview && {
			names: preview.names,
			tableBytes: preview.tableBytes,
			rows: preview.rows.map(({ index, row }) => ({ index, ...Object.fromEntries(row) })),
		}),
	};
}

/** What the file says, and the options of the command line in its place where they say something. */
export function withOptions(
	{ request, sweep, jobs }: ExpandedJobs,
	options: Partial<ContainerRequest>,
	app: string | undefined,
): Partial<ContainerRequest> {
	if (sweep && options.count !== undefined) {
		throw new BoincError('usage', 'The file has a sweep, which says how many jobs there are.', { remedy: 'Leave --count out.' });
	}
	const env = { ...request.env, ...options.env };
	return {
		...request,
		...options,
		resources: { ...request.resources, ...options.resources },
		replication: { ...request.replication, ...options.replication },
		...(Object.keys(env).length > 0 && { env }),
		...(request.inputs || options.inputs ? { inputs: [...(request.inputs ?? []), ...(options.inputs ?? [])] } : {}),
		...(app !== undefined && { app }),
		...(jobs && {
			jobs: mapped(jobs, (job) => ({
				...job,
				env: { ...job.env, ...options.env },
				...(options.command && { command: options.command }),
			})),
		}),
	};
}
