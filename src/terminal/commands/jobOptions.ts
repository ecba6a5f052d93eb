import { stat } from 'node:fs/promises';
import path from 'node:path';

import type { Command } from 'commander';

import { BoincError } from '../../common/errors.js';
import { given } from '../../common/given.js';
import { parseBytes, parseSeconds } from '../../common/parseUnits.js';
import type { LocalInput } from '../../job/localInputs.js';
import type { ContainerRequest } from '../../job/submitImage.js';
import { NETWORK_POLICIES } from '../../job/types.js';
import type { StepOptions } from '../../monitor/submitSteps.js';
import { GPU_TEXTS, type GpuNeeds, gpuNeeds } from '../../project/gpu.js';
import { collected } from '../register.js';
import type { GlobalOptions } from '../session.js';

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
	readonly dryRun?: boolean;
	readonly once?: boolean;
	readonly keep?: boolean;
	readonly canary?: boolean;
	readonly cpus?: string;
	readonly gpu?: string;
	readonly refill?: string;
	readonly onServer?: boolean;
}

/** The options that say what a job is and needs: those of `submit` and `run`. */
export function addJobOptions(command: Command): Command {
	return command
		.option('-n, --count <number>', 'jobs; each knows its own number by B2D_INDEX and B2D_COUNT (default: 1)')
		.option('--name <text>', 'name of the batch')
		.option('-e, --env <name=value>', 'environment of the program; may be repeated', collected)
		.option('--entrypoint <program>', 'instead of the image’s entry point')
		.option(
			'--input <file>',
			'a local file that jobs get as /root/shared/NAME; FILE:PATH gives another name; may be repeated',
			collected,
		)
		.option('--network <policy>', `${NETWORK_POLICIES.join(', ')} (default: none)`)
		.option('--vbox-job-xml <elements>', 'elements to add to vbox_job.xml, for hosts with VirtualBox')
		.option('--memory <size>', 'memory that the program may use')
		.option('--cpus <number>', 'processors of each job; the app must give as many')
		.option(
			'--gpu <needs>',
			'a GPU for each job; the app must give the same: nvidia, or nvidia,memory=4GB,compute_capability=7.5,cuda=12.4',
		)
		.option('--disk <size>', 'disk that a job may use')
		.option('--time <duration>', 'expected run time on an ordinary computer')
		.option('--time-limit <duration>', 'stop the program after this time')
		.option('--deadline <duration>', 'time that a host has to return the job')
		.option('--max-output <size>', 'largest packed result')
		.option('--quorum <number>', 'results that must agree')
		.option('--retries <number>', 'failed instances that are tried again elsewhere')
		.option('--priority <number>', 'higher is sent first')
		.option('--engine <program>', 'docker, podman or the path of one')
		.option('--once', 'if exactly these jobs were submitted before, take that batch and make no second one')
		.option('--keep', 'when stopped midway, keep the jobs that were made; the same command then goes on from there')
		.option('--canary', 'submit one job, then ten, and the rest only when none of these failed')
		.option(
			'--refill <number>',
			'keep so many jobs waiting for hosts and add more as they drain; the same command goes on where it was stopped',
		)
		.option(
			'--on-server',
			'with --refill: this program goes on by itself on the server, which needs Node.js 20; this computer may be switched off',
		)
		.option('-w, --wait', 'wait until the batch is over')
		.option('--fetch <folder>', 'wait, then fetch the results into this folder');
}

/** The value of an option, read by `parse`. Throws `usage` naming the option. */
export const flag = <T>(name: string, value: string | undefined, parse: (text: string) => T): T | undefined => {
	try {
		return value === undefined ? undefined : parse(value);
	} catch (error) {
		throw BoincError.is(error)
			? new BoincError('usage', `--${name}: ${error.message}`, { ...(error.remedy !== undefined && { remedy: error.remedy }) })
			: error;
	}
};

/** Throws `usage` for what is no whole number. */
export function whole(text: string): number {
	if (!/^-?\d{1,9}$/.test(text)) {
		throw new BoincError('usage', `“${text}” is not a whole number.`, { remedy: 'Give a whole number.' });
	}
	return Number(text);
}

/** Entries `NAME=VALUE` of an option. Throws `usage`. */
export function pairs(name: string, list: readonly string[] | undefined): Record<string, string> | undefined {
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

/** `nvidia,memory=4GB`. Throws `usage`. */
export function gpuOption(text: string): GpuNeeds {
	const [type = '', ...entries] = text.split(',');
	const texts = Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s, 2))) as Record<string, string>;
	const unknown = Object.keys(texts).find((key) => key === 'type' || !GPU_TEXTS.some((known) => known === key));
	if (unknown !== undefined) {
		throw new BoincError('usage', `“${unknown}” is nothing that a GPU can be asked for.`, {
			remedy: `Known are ${GPU_TEXTS.slice(1).join(', ')}.`,
		});
	}
	return gpuNeeds({ ...texts, type });
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

/** In which parts the jobs are made. */
export function stepsOf(options: SubmitOptions): StepOptions {
	const unsent = flag('refill', options.refill, whole);
	if (unsent !== undefined && unsent < 1) {
		throw new BoincError('usage', `--refill: ${unsent} is not a number of jobs.`, { remedy: 'Give a number from 1.' });
	}
	if (options.onServer === true && (unsent === undefined || options.wait === true || options.fetch !== undefined)) {
		throw new BoincError('usage', '--on-server goes with --refill, and not with --wait or --fetch.', {
			remedy: 'Follow the batch later: boinc2docker status BATCH --wait, or results BATCH.',
		});
	}
	return { canary: options.canary === true, ...(unsent !== undefined && { unsent }) };
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
			cpus: flag('cpus', options.cpus, whole),
			gpu: flag('gpu', options.gpu, gpuOption),
			vboxJobXml: options.vboxJobXml,
			priority: flag('priority', options.priority, whole),
			entrypoint: options.entrypoint === undefined ? undefined : options.entrypoint === '' ? [] : [options.entrypoint],
			repeated: options.once === true ? ('take' as const) : undefined,
			stopped: options.keep === true || options.refill !== undefined ? ('keep' as const) : undefined,
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
