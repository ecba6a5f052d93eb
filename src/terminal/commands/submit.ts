import { stat } from 'node:fs/promises';
import path from 'node:path';

import type { Command } from 'commander';

import { BoincError } from '../../common/errors.js';
import { formatBytes, plural } from '../../common/format.js';
import { given } from '../../common/given.js';
import { parseBytes, parseSeconds } from '../../common/parseUnits.js';
import { findEngine } from '../../image/engine.js';
import { describeJobs } from '../../job/describeJobs.js';
import type { LocalInput } from '../../job/localInputs.js';
import { type ContainerRequest, type ImageSource, submitContainer } from '../../job/submitImage.js';
import { NETWORK_POLICIES, type SubmittedBatch } from '../../job/types.js';
import { architecturesOf, installedApps } from '../../project/apps.js';
import { DEFAULT_APP } from '../../project/installChoices.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { cacheDir, type GlobalOptions, type Session, withProject } from '../session.js';
import { printable, table } from '../table.js';
import { isJobFile, JOB_FILE, type NamedJobs, previewJson, readJobFile, withOptions } from './jobFile.js';
import { describeFetch, fetchBatch } from './results.js';
import { batchExitCode, countsText, waitForBatch } from './status.js';

export interface SubmitOptions extends GlobalOptions {
	readonly count?: string;
	readonly name?: string;
	readonly file?: string;
	readonly buildArg?: string[];
	readonly target?: string;
	readonly platform?: string;
	readonly env?: string[];
	readonly entrypoint?: string;
	readonly input?: string[];
	readonly network?: string;
	readonly vboxJobXml?: string;
	readonly memory?: string;
	readonly disk?: string;
	readonly time?: string;
	readonly timeLimit?: string;
	readonly deadline?: string;
	readonly maxOutput?: string;
	readonly quorum?: string;
	readonly retries?: string;
	readonly priority?: string;
	readonly engine?: string;
	readonly wait?: boolean;
	readonly fetch?: string;
	readonly preview?: boolean;
}

/** The options that say what a job is and needs: those of `submit` and `run`. */
export function addJobOptions(command: Command): Command {
	return command
		.option('-n, --count <number>', 'jobs; each knows its own number by B2D_INDEX and B2D_COUNT (default: 1)')
		.option('--name <text>', 'name of the batch')
		.option('-e, --env <name=value...>', 'environment of the program')
		.option('--entrypoint <program>', 'instead of the image’s entry point')
		.option('--input <file...>', 'local files that jobs get as /root/shared/NAME; FILE:PATH gives another name')
		.option('--network <policy>', `${NETWORK_POLICIES.join(', ')} (default: none)`)
		.option('--vbox-job-xml <elements>', 'elements to add to vbox_job.xml, for hosts with VirtualBox')
		.option('--memory <size>', 'memory that the program may use')
		.option('--disk <size>', 'disk that a job may use')
		.option('--time <duration>', 'expected run time on an ordinary computer')
		.option('--time-limit <duration>', 'stop the program after this time')
		.option('--deadline <duration>', 'time that a host has to return the job')
		.option('--max-output <size>', 'largest packed result')
		.option('--quorum <number>', 'results that must agree')
		.option('--retries <number>', 'failed instances that are tried again elsewhere')
		.option('--priority <number>', 'higher is sent first')
		.option('--engine <program>', 'docker, podman or the path of one')
		.option('-w, --wait', 'wait until the batch is over')
		.option('--fetch <folder>', 'wait, then fetch the results into this folder');
}

const flag = <T>(name: string, value: string | undefined, parse: (text: string) => T): T | undefined => {
	try {
		return value === undefined ? undefined : parse(value);
	} catch (error) {
		throw BoincError.is(error)
			? new BoincError('usage', `--${name}: ${error.message}`, { ...(error.remedy !== undefined && { remedy: error.remedy }) })
			: error;
	}
};

function whole(text: string): number {
	if (!/^-?\d{1,9}$/.test(text)) {
		throw new BoincError('usage', `“${text}” is not a whole number.`);
	}
	return Number(text);
}

function pairs(name: string, list: readonly string[] | undefined): Record<string, string> | undefined {
	return (
		list &&
		Object.fromEntries(
			list.map((text) => {
				const at = text.indexOf('=');
				if (at < 1) {
					throw new BoincError('usage', `--${name}: “${text}” has no name and value.`, { remedy: `Write --${name} NAME=VALUE.` });
				}
				return [text.slice(0, at), text.slice(at + 1)];
			}),
		)
	);
}

/** `file`, or `file:path/in/shared`. A colon that belongs to an existing file's name or to a drive letter is no separator. */
export async function parseInput(text: string): Promise<LocalInput> {
	const at = text.lastIndexOf(':');
	const isWhole =
		at <= 1 ||
		(await stat(text).then(
			() => true,
			() => false,
		));
	const file = path.resolve(isWhole ? text : text.slice(0, at));
	return { file, path: isWhole ? path.basename(file) : text.slice(at + 1) };
}

/** What the options ask for, besides image and app. */
export async function requestFor(
	options: SubmitOptions,
	command: readonly string[],
): Promise<Omit<ContainerRequest, 'name' | 'app' | 'image'>> {
	const network = NETWORK_POLICIES.find((policy) => policy === options.network);
	if (options.network !== undefined && network === undefined) {
		throw new BoincError('usage', `--network: “${options.network}” is not a network policy.`, {
			remedy: `Choose one of: ${NETWORK_POLICIES.join(', ')}.`,
		});
	}
	const retries = flag('retries', options.retries, whole);
	const quorum = flag('quorum', options.quorum, whole);
	const copies = quorum ?? 1;
	return {
		...given({
			count: flag('count', options.count, whole),
			env: pairs('env', options.env),
			network,
			vboxJobXml: options.vboxJobXml,
			priority: flag('priority', options.priority, whole),
			entrypoint: options.entrypoint === undefined ? undefined : options.entrypoint === '' ? [] : [options.entrypoint],
			inputs: options.input && (await Promise.all(options.input.map(parseInput))),
			command: command.length === 0 ? undefined : [...command],
		}),
		resources: given({
			memoryBytes: flag('memory', options.memory, parseBytes),
			diskBytes: flag('disk', options.disk, parseBytes),
			expectedSeconds: flag('time', options.time, parseSeconds),
			limitSeconds: flag('time-limit', options.timeLimit, parseSeconds),
			delayBoundSeconds: flag('deadline', options.deadline, parseSeconds),
			maxOutputBytes: flag('max-output', options.maxOutput, parseBytes),
		}),
		replication: given({
			minQuorum: quorum,
			maxErrorResults: retries,
			maxTotalResults: retries === undefined ? undefined : copies + retries,
		}),
	};
}

/** The app to submit to: the one that is named, else the only one that runs containers. */
async function appFor({ project, ctx }: Session, options: GlobalOptions): Promise<string> {
	if (options.app !== undefined) {
		return options.app;
	}
	const apps = (await installedApps(project, ctx.signal)).filter((app) => !app.deprecated && architecturesOf(app).length > 0);
	const [first, ...others] = apps;
	if (!first) {
		return DEFAULT_APP; // submitting says that it is missing and what to do
	}
	if (others.length > 0 && !apps.some(({ name }) => name === DEFAULT_APP)) {
		throw new BoincError('usage', `${project.name} has several apps that run containers.`, {
			remedy: `Add --app with one of: ${apps.map(({ name }) => name).join(', ')}.`,
		});
	}
	return others.length > 0 ? DEFAULT_APP : first.name;
}

async function wholeRequest(
	session: Session,
	name: string,
	options: SubmitOptions,
	command: readonly string[],
	file: NamedJobs | undefined,
): Promise<Partial<ContainerRequest> & Pick<ContainerRequest, 'name' | 'app'>> {
	const said = await requestFor(options, command);
	const request = file ? withOptions(file, said, options.app) : said;
	return {
		...request,
		name: options.name ?? file?.request.name ?? name,
		app: options.app ?? file?.request.app ?? (await appFor(session, options)),
	};
}

/** Submits, and waits and fetches if asked to; prints what happened. */
export async function submitAndReport(
	session: Session,
	image: ImageSource,
	name: string,
	options: SubmitOptions,
	command: readonly string[],
	file?: NamedJobs,
): Promise<number> {
	const { project, terminal, ctx } = session;
	const { app, ...request } = await wholeRequest(session, name, options, command, file);
	const engine =
		image.kind === 'archive' ? undefined : await findEngine(ctx, options.engine === undefined ? {} : { command: options.engine });
	const onLog = options.verbose === true ? { onLog: (line: string) => terminal.line(printable(line)) } : {};
	const batch = await submitContainer(project, { ...request, app, image, ...onLog }, { engine, cacheDir: cacheDir() }, ctx);
	terminal.clear();
	if (options.json !== true) {
		sayBatch(session, batch, options);
	}
	if (options.wait !== true && options.fetch === undefined) {
		if (options.json === true) {
			printJson({ batch });
		}
		return EXIT.ok;
	}
	const ended = await waitForBatch(session, batch.id);
	const report =
		options.fetch === undefined
			? undefined
			: (await fetchBatch(session, batch.id, { folder: path.resolve(options.fetch) })).report;
	terminal.clear();
	if (options.json === true) {
		printJson({ batch, ended, results: report });
	} else {
		console.log(`Batch ${batch.id} is over: ${countsText(ended)}.`);
		if (report) {
			console.log(describeFetch(report, ended));
		} else if (ended.counts.done > 0) {
			console.log(`Fetch the results with: boinc2docker results ${batch.id}`);
		}
		if (ended.state !== 'done') {
			console.log(`What happened to each job: boinc2docker status ${batch.id}`);
		}
	}
	return report && report.failed.length > 0 ? EXIT.failed : batchExitCode(ended);
}

function sayBatch({ terminal }: Session, batch: SubmittedBatch, options: SubmitOptions): void {
	for (const note of batch.notes) {
		terminal.line(printable(note));
	}
	console.log(
		`Submitted batch ${batch.id} “${printable(batch.name)}”: ${plural(batch.jobNames.length, 'job')}, ${formatBytes(batch.bytesSent)} sent.`,
	);
	if (options.wait !== true && options.fetch === undefined) {
		console.log(`Follow it with: boinc2docker status ${batch.id} --wait`);
	}
}

/** What a person means by the first argument: a Dockerfile, a folder with one, a saved image, or the name of an image. */
export async function imageSource(text: string, options: SubmitOptions): Promise<ImageSource> {
	const found = await stat(text).catch(() => undefined);
	const full = path.resolve(text);
	const build = given({ buildArgs: pairs('build-arg', options.buildArg), target: options.target, platform: options.platform });
	if (found?.isDirectory() === true) {
		return { kind: 'dockerfile', contextDir: full, dockerfile: options.file ?? 'Dockerfile', ...build };
	}
	if (found && /\.(tar|tar\.gz|tgz)$/i.test(text)) {
		return { kind: 'archive', file: full };
	}
	if (found) {
		return { kind: 'dockerfile', contextDir: path.dirname(full), dockerfile: path.basename(full), ...build };
	}
	// Names of images begin with a letter or digit, and none looks like the files that people submit.
	if (/^[^a-z0-9]|[\\/]$|dockerfile|containerfile|\.(tar|tar\.gz|tgz)$/i.test(text)) {
		throw new BoincError('input-missing', `There is no file or folder ${text}.`, {
			remedy: 'Give a Dockerfile, a folder with one, a saved image (.tar), or the name of an image.',
		});
	}
	return { kind: 'reference', reference: text };
}

/** A name for the batch from what is submitted: the folder of a Dockerfile, a file, an image. */
export function nameOf(image: ImageSource): string {
	switch (image.kind) {
		case 'dockerfile':
			return path.basename(image.contextDir) || 'container';
		case 'archive':
			return path.basename(image.file).replace(/\.(tar|tar\.gz|tgz)$/i, '');
		case 'reference':
			return image.reference;
	}
}

async function submitFile(name: string, options: SubmitOptions, words: readonly string[]): Promise<number> {
	const jobs = await readJobFile(name);
	if (options.preview === true) {
		if (options.json === true) {
			printJson(previewJson(jobs));
		} else {
			const { rows, summary } = describeJobs(jobs);
			console.log(rows ? `${table(rows.heading, rows.cells)}\n${summary}` : summary);
		}
		return EXIT.ok;
	}
	return withProject(options, (session) => submitAndReport(session, jobs.image, jobs.fallbackName, options, words, jobs));
}

export const submitCommand: RegisterCommand = (program, setExitCode) => {
	addJobOptions(
		program
			.command('submit')
			.description('build a Dockerfile (or take an image) and submit it as a batch of jobs')
			.argument(
				'[what]',
				`a Dockerfile, a folder with one, a saved image (.tar), the name of an image, or a job file such as ${JOB_FILE}, which is the default`,
			)
			.argument('[command...]', 'instead of the image’s command; after --')
			.option('-f, --file <name>', 'Dockerfile in the folder', 'Dockerfile')
			.option('--build-arg <name=value...>', 'arguments of the build')
			.option('--target <stage>', 'stage of the Dockerfile')
			.option('--platform <os/arch>', 'platform to build for')
			.option('--preview', 'show the jobs of a job file; send nothing'),
	).action(async (what: string | undefined, words: string[], _own: unknown, command: { optsWithGlobals(): SubmitOptions }) => {
		const options = command.optsWithGlobals();
		if (what === undefined || isJobFile(what)) {
			setExitCode(await submitFile(what ?? JOB_FILE, options, words));
			return;
		}
		if (options.preview === true) {
			throw new BoincError('usage', '--preview shows the jobs of a job file.', { remedy: `Name a file such as ${JOB_FILE}.` });
		}
		const image = await imageSource(what, options);
		setExitCode(await withProject(options, (session) => submitAndReport(session, image, nameOf(image), options, words)));
	});
};
