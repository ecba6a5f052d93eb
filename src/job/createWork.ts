import { BoincError } from '../common/errors.js';
import type { Argv } from '../connection/connection.js';
import type { Project } from '../project/project.js';
import type { Replication } from './types.js';

/** Every option of BOINC's `create_work` that concerns a batch. Names are BOINC's. */
export interface CreateWorkOptions extends Replication {
	readonly appname: string;
	/** Paths relative to the project. */
	readonly wuTemplate: string;
	readonly resultTemplate: string;
	readonly batch: number;
	readonly priority?: number;
	readonly rscFpopsEst: number;
	readonly rscFpopsBound: number;
	readonly rscMemoryBound: number;
	readonly rscDiskBound: number;
	readonly delayBound: number;
	readonly credit?: number;
	readonly appVersionNum?: number;
	readonly hrClass?: number;
	readonly sizeClass?: number;
	readonly keywords?: readonly number[];
	readonly subAppname?: string;
	readonly target?: { readonly kind: 'host' | 'user' | 'team'; readonly id: number };
	readonly broadcast?: { readonly kind: 'all' } | { readonly kind: 'user' | 'team'; readonly id: number };
}

/** One job for `create_work --stdin`. */
export interface WorkLine {
	readonly name: string;
	/** Staged files in the order of the template's files without a physical name. */
	readonly files: readonly string[];
}

const MAX_LINE = 4094;
const MAX_WORDS = 100;
const CREATE_TIMEOUT_MS = 10 * 60_000;

/** The command line, without `--stdin`. Rejects numbers that BOINC would read as something else. */
export function createWorkArguments(options: CreateWorkOptions): string[] {
	const numbers: Record<string, number | undefined> = {
		batch: options.batch,
		priority: options.priority,
		min_quorum: options.minQuorum,
		target_nresults: options.targetNresults,
		max_error_results: options.maxErrorResults,
		max_total_results: options.maxTotalResults,
		max_success_results: options.maxSuccessResults,
		rsc_fpops_est: options.rscFpopsEst,
		rsc_fpops_bound: options.rscFpopsBound,
		rsc_memory_bound: options.rscMemoryBound,
		rsc_disk_bound: options.rscDiskBound,
		delay_bound: options.delayBound,
		credit: options.credit,
		app_version_num: options.appVersionNum,
		hr_class: options.hrClass,
		size_class: options.sizeClass,
	};
	const words = ['--appname', options.appname, '--wu_template', options.wuTemplate, '--result_template', options.resultTemplate];
	for (const [name, value] of Object.entries(numbers)) {
		if (value !== undefined) {
			if (!Number.isFinite(value)) {
				throw new BoincError('job-invalid', `${name} of the job is not a number.`, { detail: { option: name } });
			}
			words.push(`--${name}`, String(value));
		}
	}
	return [...words, ...texts(options), ...destination(options)];
}

function texts({ keywords, subAppname }: CreateWorkOptions): string[] {
	// The column and the program's buffer are 254 bytes; the text reaches SQL unescaped.
	const keywordList = keywords?.map((id) => String(Math.trunc(id))).join(' ');
	if (subAppname !== undefined && !/^[A-Za-z0-9 _.,:()+-]{1,100}$/.test(subAppname)) {
		throw new BoincError('job-invalid', `BOINC cannot carry ${JSON.stringify(subAppname)} as the name beside the app’s.`, {
			remedy: 'Use at most 100 letters, digits, blanks and simple punctuation.',
		});
	}
	if (keywordList !== undefined && keywordList.length > 250) {
		throw new BoincError('job-invalid', `The job has ${keywords?.length ?? 0} keywords, more than BOINC can store.`);
	}
	return [
		...(keywordList === undefined || keywordList === '' ? [] : ['--keywords', keywordList]),
		...(subAppname === undefined ? [] : ['--sub_appname', subAppname]),
	];
}

function destination({ target, broadcast }: CreateWorkOptions): string[] {
	if (target && broadcast) {
		throw new BoincError('job-invalid', 'A job is either for one receiver or for all, not both.');
	}
	if (target) {
		return [`--target_${target.kind}`, id(target.id)];
	}
	if (broadcast?.kind === 'all') {
		return ['--broadcast'];
	}
	return broadcast ? [`--broadcast_${broadcast.kind}`, id(broadcast.id)] : [];
}

function id(value: number): string {
	if (!Number.isInteger(value) || value <= 0) {
		throw new BoincError('job-invalid', `${value} is not the number of a host, user or team.`);
	}
	return String(value);
}

/** A line for `--stdin`. Throws `job-invalid` when it is longer than the program reads. */
export function workLine({ name, files }: WorkLine): string {
	const line = ['--wu_name', name, ...files].join(' ');
	if (line.length > MAX_LINE || files.length + 2 > MAX_WORDS) {
		throw new BoincError('job-invalid', `The job ${name} has too many inputs of its own: ${files.length}.`, {
			remedy: 'Put several inputs into one archive.',
			detail: { files: files.length },
		});
	}
	return line;
}

/** Jobs in parts, each asked for when the part before it has been sent. */
export type CreateWorkLines = Iterable<readonly WorkLine[]> | AsyncIterable<readonly WorkLine[]>;

async function* textOf(parts: CreateWorkLines): AsyncGenerator<Buffer> {
	for await (const part of parts) {
		yield Buffer.from(part.map((line) => `${workLine(line)}\n`).join(''), 'utf8');
	}
}

/**
 * Runs `create_work` for some jobs. Its outcome proves nothing: it ends with 0 on some failures and may have created a part of the
 * jobs on others, so the caller reads the database. Resolves to what it said.
 */
export async function createWork(
	project: Project,
	options: CreateWorkOptions,
	lines: CreateWorkLines,
	signal?: AbortSignal,
): Promise<{ code: number; said: string }> {
	const argv: Argv = [project.tool('create_work'), ...createWorkArguments(options), '--stdin'];
	const result = await project.connection.exec(argv, {
		cwd: project.root,
		stdin: textOf(lines),
		timeoutMs: CREATE_TIMEOUT_MS,
		...(signal && { signal }),
	});
	const said = `${result.stderr.toString('utf8')}\n${result.stdout.toString('utf8')}`.trim().split('\n').slice(-5).join('; ');
	return { code: result.code, said };
}
