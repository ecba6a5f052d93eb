import { lstat, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import { formatBytes, formatSeconds } from '../../common/format.js';
import { given } from '../../common/given.js';
import { findEngine } from '../../image/engine.js';
import type { ImageSource } from '../../job/imageSource.js';
import { type MeasuredResources, measuredResources } from '../../job/localRun/measured.js';
import { type LocalJobReport, type LocalRunRequest, runLocally } from '../../job/localRun/runLocally.js';
import type { LocalRunReport } from '../../job/localRun/runSlot.js';
import { applyEdits, editSection } from '../../job/schema/editSection.js';
import { unpackResult } from '../../monitor/results/unpackResult.js';
import { EXIT } from '../exitCode.js';
import { printJson } from '../register.js';
import { cacheDir, contextFor, terminalFor } from '../session.js';
import { printable } from '../table.js';
import type { Terminal } from '../terminal.js';
import { imageSource, nameOf } from './imageSource.js';
import { isJobFile, readJobFile, withOptions } from './jobFile.js';
import { flag, requestFor, type SubmitOptions, whole } from './jobOptions.js';

export interface LocalOptions extends SubmitOptions {
	readonly local?: boolean;
	readonly job?: string;
	readonly output?: string;
	readonly write?: boolean;
	readonly busybox?: string;
}

/** `Exit code 7 after 3 s …`, and what a client would have done otherwise. */
export function describeRun(report: LocalRunReport): string {
	const parts = [
		`Exit code ${report.exitCode} after ${formatSeconds(report.seconds)}`,
		`up to ${formatBytes(report.peakMemoryBytes)} of memory`,
		`${formatBytes(report.diskBytes)} of disk`,
		`packed result of ${formatBytes(report.outputBytes)}`,
	];
	return [`${parts.join(', ')}.`, ...report.notes].join('\n');
}

/** The folder, or when there is something already, the first free one of `folder-2`, `folder-3` and so on. */
export async function freeFolder(folder: string): Promise<string> {
	for (let number = 2, name = folder; ; name = `${folder}-${number++}`) {
		if (!(await lstat(name).catch(() => undefined))) {
			return name;
		}
	}
}

/** Rejects with `file-in-the-way` when there is something already. */
export async function requireFree(folder: string): Promise<void> {
	if (await lstat(folder).catch(() => undefined)) {
		throw new BoincError('file-in-the-way', `${folder} exists already and is not overwritten.`, {
			remedy: 'Rename or delete it, or name another folder.',
		});
	}
}

/** Runs one job of a job file, a Dockerfile or an image on this computer, and offers to write into the job file what it took. */
export async function runLocal(what: string, words: readonly string[], options: LocalOptions): Promise<number> {
	const terminal = terminalFor(options);
	const ctx = contextFor(terminal);
	const { request, file } = await localRequest(what, words, options);
	const engine = await findEngine(ctx, given({ command: options.engine }));
	const onOutput = (chunk: Uint8Array): void => {
		terminal.clear();
		(options.json === true ? process.stderr : process.stdout).write(chunk);
	};
	const output = options.output === undefined ? undefined : path.resolve(options.output);
	if (output !== undefined) {
		await requireFree(output);
	}
	const take = async (
		done: LocalJobReport,
	): Promise<{ report: LocalJobReport; folder: string | undefined; refused: string[] }> => {
		const { resultFile, outputBytes: size, job } = done;
		if (resultFile === undefined) {
			return { report: done, folder: undefined, refused: [] };
		}
		const free = output ?? (await freeFolder(path.resolve(`local-${job}`)));
		const limits = ctx.signal ? { signal: ctx.signal } : {};
		await requireFree(free);
		return { report: done, folder: free, refused: await unpackResult({ file: resultFile, size }, free, limits) };
	};
	const { report, folder, refused } = await runLocally({ ...request, onOutput }, { engine, cacheDir: cacheDir() }, take, ctx);
	terminal.clear();
	const measured = measuredResources(report);
	const { resultFile: _gone, resources, ...figures } = report;
	if (options.json !== true) {
		console.log(describeRun(report));
		console.log(folder === undefined ? 'It left no result.' : `What it left is in ${folder}`);
		refused.forEach((entry) => console.log(printable(`Not unpacked: ${entry}`)));
	}
	const isWritten = report.exitCode === 0 && file !== undefined && (await offer(terminal, file, measured, options));
	if (options.json === true) {
		printJson({ ...figures, limits: resources, folder, refused, measured, written: isWritten });
	}
	return report.exitCode === 0 ? EXIT.ok : EXIT.jobsFailed;
}

async function localRequest(
	what: string,
	words: readonly string[],
	options: LocalOptions,
): Promise<{ request: Omit<LocalRunRequest, 'onOutput'>; file: string | undefined }> {
	const said = await requestFor(options, words);
	const index = flag('job', options.job, whole) ?? 0;
	const onLog = options.verbose === true ? { onLog: (line: string) => console.error(printable(line)) } : {};
	const own = { index, ...onLog, ...given({ busybox: options.busybox }) };
	if (isJobFile(what)) {
		const jobs = await readJobFile(what);
		const request = withOptions(jobs, said, undefined);
		return { request: { ...request, name: jobs.fallbackName, image: jobs.image, ...own }, file: what };
	}
	const image: ImageSource = await imageSource(what, options);
	return { request: { ...said, name: nameOf(image), image, ...own }, file: undefined };
}

/** Writes the measured values into the job file, if the person wants it. Resolves to whether it was done. */
async function offer(terminal: Terminal, file: string, measured: MeasuredResources, options: LocalOptions): Promise<boolean> {
	const values = Object.entries<string>({ ...measured });
	const words = values.map(([name, value]) => `${name}: ${value}`).join(', ');
	const question = {
		title: 'Measured values',
		message: `Write into ${file}: ${words}?`,
		detail: 'That is what this run took, and half as much again.',
		accept: 'Write',
	};
	const isWanted =
		options.write === true || (process.stdin.isTTY && options.json !== true && (await terminal.prompts.confirm(question)));
	if (!isWanted) {
		if (options.json !== true) {
			console.log(`Suggested for ${file}: ${words}. Add --write to have it written there.`);
		}
		return false;
	}
	const text = await readFile(file, 'utf8');
	await writeFile(file, applyEdits(text, await editSection(text, 'resources', Object.fromEntries(values))));
	if (options.json !== true) {
		console.log(`Written into ${file}: ${words}.`);
	}
	return true;
}
