import { createReadStream } from 'node:fs';

import type { Content } from '../common/content.js';
import { BoincError } from '../common/errors.js';
import { entriesOf, type Sequence } from '../common/sequence.js';
import type { BatchSpec, JobSpec } from './types.js';

/** Form of the file; another program may have written it. */
const FORM = 1;
const LINES_AT_ONCE = 1000;

/**
 * A submission as a file, for a program elsewhere to go on with: a line for what all jobs share, and one for each job. Contents of
 * files are not in it, only sizes and hashes: they are on the server already.
 */
export async function* handedOver(spec: BatchSpec): AsyncGenerator<Buffer> {
	const { jobs, survey: _, ...shared } = spec;
	yield Buffer.from(`${JSON.stringify({ form: FORM, jobs: jobs.length, shared })}\n`, 'utf8');
	let lines: string[] = [];
	for (const [, job] of entriesOf(jobs)) {
		lines.push(`${JSON.stringify(job)}\n`);
		if (lines.length >= LINES_AT_ONCE) {
			yield Buffer.from(lines.join(''), 'utf8');
			lines = [];
			await Promise.resolve();
		}
	}
	yield Buffer.from(lines.join(''), 'utf8');
}

/** Reads what `handedOver` wrote. Rejects with `job-file-invalid`. */
export async function takenOver(file: string): Promise<BatchSpec> {
	const chunks: Buffer[] = [];
	const ends: number[] = [];
	let size = 0;
	for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
		for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
			ends.push(size + at);
		}
		chunks.push(chunk);
		size += chunk.length;
	}
	const text = Buffer.concat(chunks);
	const line = (index: number): string => text.toString('utf8', index === 0 ? 0 : (ends[index - 1] ?? 0) + 1, ends[index]);
	const head = parsed(line(0));
	if (head?.form !== FORM || head.jobs !== ends.length - 1) {
		throw new BoincError('job-file-invalid', `${file} is no complete submission that this program can go on with.`, {
			remedy: 'Run the command that submitted the batch again.',
		});
	}
	const jobs: Sequence<JobSpec> = {
		length: head.jobs,
		at: (index) => (index >= 0 && index < head.jobs ? withInputs(JSON.parse(line(index + 1)) as JobSpec) : undefined),
	};
	return { ...withInputs(head.shared), jobs };
}

interface Head {
	readonly form: number;
	readonly jobs: number;
	readonly shared: Omit<BatchSpec, 'jobs'>;
}

function parsed(text: string): Head | undefined {
	try {
		return JSON.parse(text) as Head;
	} catch {
		return undefined;
	}
}

function withInputs<T extends Pick<JobSpec, 'inputs'>>(holder: T): T {
	return holder.inputs
		? {
				...holder,
				inputs: holder.inputs.map(({ path, file }) => ({ path, file: { ...file, content: onServer(file.name, file.content) } })),
			}
		: holder;
}

/** Of a file that was sent before: it is only looked at. */
function onServer(name: string, { size, sha256, md5 }: Content): Content {
	return {
		size,
		sha256,
		md5,
		open: () => {
			throw new BoincError('input-missing', `The input ${name} is not on the server any more.`, {
				remedy: 'Run the command that submitted the batch again: it sends what is missing.',
				detail: { name },
			});
		},
	};
}
