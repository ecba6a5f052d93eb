import hashDirectories from '../../templates/server/hash-directories.sh';
import writeMd5 from '../../templates/server/write-md5.sh';
import type { Content } from '../common/content.js';
import { BoincError, isAbort, throwIfAborted } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { type FileHash, hashFiles } from '../connection/files.js';
import { run } from '../connection/run.js';
import { hierarchyPath } from './hierarchy.js';
import { probeStaged, sameMd5Size, type StagedState } from './probeStaged.js';
import type { Project } from './project.js';
import type { StagedFile } from './types.js';

export interface StagingReport {
	/** Bytes that crossed the connection. */
	readonly bytesSent: number;
	/** Names that were sent. */
	readonly sent: readonly string[];
	/** Names that were there already with the same content. */
	readonly reused: readonly string[];
}

/** Uploads at a time: enough to hide the round trips, few enough for the server's channels. */
const PARALLEL = 4;

/** Legal for BOINC's client, its tools and our scripts; names never begin with a dot or a dash. */
const PHYSICAL_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

export interface StagingOptions {
	/**
	 * `hash`: names hold the hash of the content, so a file that is not what its name says is damaged, and is replaced. Default
	 * `any`: a name that is taken is taken.
	 */
	readonly names?: 'any' | 'hash';
	/** Names of files that are damaged though their side files look right. */
	readonly damaged?: ReadonlySet<string>;
}

/**
 * Puts files into the download hierarchy. What is there with the same content is kept; what is there with other content
 * is never overwritten: `file-collision`. The `.md5` side files are written last, so a file that lacks one is unfinished
 * and is completed by the next call. Rejects also with errors of the connection (`disk-full`, `permission-denied`, …).
 */
export async function stageFiles(
	project: Project,
	files: readonly StagedFile[],
	ctx: OperationContext,
	options: StagingOptions = {},
): Promise<StagingReport> {
	const wanted = distinct(files);
	if (wanted.length === 0) {
		return { bytesSent: 0, sent: [], reused: [] };
	}
	const { states, freeBytes } = await probeStaged(
		project,
		wanted.map((file) => file.name),
		ctx.signal,
	);
	const plan = await decide(project, wanted, states, ctx, options);
	const bytesToSend = plan.send.reduce((sum, file) => sum + file.content.size, 0);
	if (freeBytes !== undefined && bytesToSend > freeBytes) {
		throw new BoincError(
			'disk-full',
			`${String(bytesToSend)} bytes do not fit into ${project.config.downloadDir} on ${project.connection.name}: ${String(freeBytes)} are free.`,
			{ remedy: 'Free some space on the server, or make the image smaller.', detail: { needed: bytesToSend, free: freeBytes } },
		);
	}
	const bytesSent = await sendAll(project, plan.send, ctx);
	await finish(project, [...plan.send, ...plan.finish], ctx.signal);
	const sent = plan.send.map((file) => file.name);
	ctx.log.info(`staged ${sent.length} of ${wanted.length} files (${bytesSent} bytes sent) in ${project.name}`);
	return { bytesSent, sent, reused: wanted.map((file) => file.name).filter((name) => !sent.includes(name)) };
}

/** Each name once. One name with two contents is the caller's mistake and is refused before anything is sent. */
function distinct(files: readonly StagedFile[]): StagedFile[] {
	const byName = new Map<string, StagedFile>();
	for (const file of files) {
		if (!PHYSICAL_NAME.test(file.name) || file.name.includes('..')) {
			throw new BoincError('file-collision', `“${file.name}” cannot be the name of a file that clients download.`, {
				remedy: 'Use at most 128 letters, digits, dots, dashes and underscores.',
				detail: { name: file.name },
			});
		}
		const known = byName.get(file.name);
		if (known && known.content.md5 !== file.content.md5) {
			throw new BoincError('file-collision', `Two different files are to be sent as ${file.name}.`, {
				detail: { name: file.name },
			});
		}
		byName.set(file.name, file);
	}
	return [...byName.values()];
}

interface Plan {
	/** Absent on the server. */
	readonly send: StagedFile[];
	/** There with the right content, but without a valid side file. */
	readonly finish: StagedFile[];
}

async function decide(
	project: Project,
	files: readonly StagedFile[],
	states: readonly StagedState[],
	ctx: OperationContext,
	{ names = 'any', damaged }: StagingOptions,
): Promise<Plan> {
	const plan: Plan = { send: [], finish: [] };
	const other = (file: StagedFile, state: StagedState): void => {
		if (names === 'any' || state.kind === 'other') {
			throw collision(project, file, state);
		}
		ctx.log.warn(`${project.downloadPath(file.name)} is damaged and is sent again`);
		plan.send.push(file);
	};
	for (const [index, file] of files.entries()) {
		const state = states[index] ?? { kind: 'absent' };
		if (state.kind === 'absent' || damaged?.has(file.name) === true) {
			plan.send.push(file);
		} else if (state.kind === 'other' || state.size !== file.content.size) {
			other(file, state);
		} else if (state.kind === 'file') {
			plan.finish.push(file);
		} else if (state.hash !== file.content.md5 || !sameMd5Size(state.length, file.content.size)) {
			other(file, state);
		}
	}
	const right = await rightContents(project, plan.finish, ctx.signal);
	for (const file of plan.finish.splice(0)) {
		if (right.has(file)) {
			plan.finish.push(file);
		} else {
			other(file, { kind: 'file', size: file.content.size });
		}
	}
	return plan;
}

/** Those of the files that the server has with the right content, by reading them there. */
async function rightContents(
	project: Project,
	files: readonly StagedFile[],
	signal: AbortSignal | undefined,
): Promise<ReadonlySet<StagedFile>> {
	const pathOf = ({ name }: StagedFile): string => project.downloadPath(name);
	const hashes =
		files.length === 0
			? new Map<string, FileHash>()
			: await hashFiles(project.connection, files.map(pathOf), 'md5', signal && { signal });
	return new Set(files.filter((file) => hashes.get(pathOf(file))?.hash === file.content.md5));
}

function collision(project: Project, file: StagedFile, state: StagedState): BoincError {
	const path = project.downloadPath(file.name);
	const size = state.kind === 'file' || state.kind === 'md5' ? ` of ${String(state.size)} bytes` : '';
	return new BoincError(
		'file-collision',
		`${path} on ${project.connection.name} exists already with other content${size}. BOINC clients keep files by name, so it stays as it is.`,
		{
			remedy: 'Send the file under a new name, or have the administrator remove the old one if no job uses it.',
			detail: { name: file.name, path, size: file.content.size },
		},
	);
}

async function sendAll(project: Project, files: readonly StagedFile[], ctx: OperationContext): Promise<number> {
	if (files.length === 0) {
		return 0;
	}
	await makeHashDirectories(project, files, ctx.signal);
	const total = files.reduce((sum, file) => sum + file.content.size, 0);
	const done = new Map<string, number>();
	const abort = new AbortController();
	const signal = ctx.signal ? AbortSignal.any([ctx.signal, abort.signal]) : abort.signal;
	const report = (name: string, current: number): void => {
		done.set(name, current);
		const bytes = [...done.values()].reduce((sum, value) => sum + value, 0);
		ctx.progress.report({
			message: `Sending ${plural(files.length, 'file')}`,
			current: Math.min(bytes, total),
			total,
			unit: 'bytes',
		});
	};
	const queue = [...files];
	let bytesSent = 0;
	const worker = async (): Promise<void> => {
		for (let file = queue.shift(); file; file = queue.shift()) {
			throwIfAborted(signal);
			const { name, content } = file;
			const receipt = await project.connection.upload(content, project.downloadPath(name), {
				mode: 0o644,
				progress: { report: (update) => report(name, update.current ?? 0) },
				signal,
			});
			report(name, content.size);
			bytesSent += receipt.bytesSent;
		}
	};
	const workers = Array.from({ length: Math.min(PARALLEL, files.length) }, () =>
		worker().catch((error: unknown) => {
			abort.abort();
			throw error;
		}),
	);
	const outcomes = await Promise.allSettled(workers);
	// The first failure ends the other uploads; it is the one that tells why.
	throwIfAborted(ctx.signal);
	const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
	if (failures.length > 0) {
		throw failures.find((failure) => !isAbort(failure)) ?? failures[0];
	}
	return bytesSent;
}

async function makeHashDirectories(
	project: Project,
	files: readonly StagedFile[],
	signal: AbortSignal | undefined,
): Promise<void> {
	const directories = new Set<string>();
	for (const { name } of files) {
		const path = hierarchyPath(name, project.config.uldlDirFanout);
		if (path !== name) {
			directories.add(path.slice(0, path.length - name.length - 1));
		}
	}
	if (directories.size > 0) {
		await run(project.connection, ['sh', '-c', hashDirectories, 'sh', project.config.downloadDir, ...directories], {
			doing: `make directories in ${project.config.downloadDir}`,
			...(signal && { signal }),
		});
	}
}

async function finish(project: Project, files: readonly StagedFile[], signal: AbortSignal | undefined): Promise<void> {
	if (files.length === 0) {
		return;
	}
	const line = (name: string, content: Content): string =>
		`${hierarchyPath(name, project.config.uldlDirFanout)} ${content.md5} ${String(content.size)}\n`;
	const { stdout } = await run(project.connection, ['sh', '-c', writeMd5, 'sh', project.config.downloadDir], {
		doing: `record the hashes of staged files in ${project.config.downloadDir}`,
		stdin: files.map(({ name, content }) => line(name, content)).join(''),
		...(signal && { signal }),
	});
	const finished = stdout
		.toString('utf8')
		.split('\n')
		.filter((text) => text.startsWith('done ')).length;
	if (finished !== files.length) {
		throw new BoincError(
			'command-failed',
			`Only ${finished} of ${files.length} side files were written in ${project.config.downloadDir}.`,
		);
	}
}
