// A stand-in for BOINC's docker_wrapper on Linux: the main program of an app version, run by an unmodified client.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { messageOf } from '../../common/errors.js';
import { freePort } from '../freePort.js';
import { ClientChannel } from './clientChannel.js';
import type { CommandParts } from './commands.js';
import { EngineProgram, say } from './engineProgram.js';
import { boincName, type InitData, parseInitData } from './initData.js';
import { defaultJobFile, type JobFile, parseJobFile, WrongType } from './jobFile.js';
import { Finish, finishTask, lockSlot } from './task.js';
import { Wrapper } from './wrapper.js';

interface Arguments {
	readonly config: string;
	readonly dockerfile: string;
	readonly rest: readonly string[];
}

function parseArguments(words: readonly string[]): Arguments {
	let config = 'job.toml';
	let dockerfile = 'Dockerfile';
	const rest: string[] = [];
	for (let index = 0; index < words.length; index++) {
		const word = words[index] ?? '';
		if (word === '--config') {
			config = words[++index] ?? '';
		} else if (word === '--dockerfile') {
			dockerfile = words[++index] ?? '';
		} else if (word !== '--verbose' && word !== '--sporadic') {
			rest.push(word);
		}
	}
	return { config, dockerfile, rest };
}

function readJobFile(file: string): JobFile {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch {
		say('no job.toml config file\n');
		return defaultJobFile;
	}
	try {
		return parseJobFile(text);
	} catch (error) {
		if (error instanceof WrongType) {
			say(`terminate called after throwing an instance of 'std::runtime_error': ${error.message}\n`);
			process.kill(process.pid, 'SIGABRT');
		}
		say(`TOML error: ${messageOf(error)}\ncan't parse config file\n`);
		throw new Finish(1, false);
	}
}

function describe(job: JobFile): string {
	return [
		'docker_wrapper config:',
		`   workdir: ${job.workdir}`,
		...(job.projectDirMount === '' ? [] : [`   project dir mounted at: ${job.projectDirMount}`]),
		`   use GPU: ${job.useGpu ? 'yes' : 'no'}`,
		...job.mounts.map((mount) => `   mount: ${mount}`),
		...job.portmaps.map((portmap) => `   portmap: ${portmap}`),
		...(job.buildArgs === '' ? [] : [`   build args: ${job.buildArgs}`]),
		...(job.createArgs === '' ? [] : [`   create args: ${job.createArgs}`]),
		'   verbose: 1',
		'',
	].join('\n');
}

/** What the client reports; clients before 8.1 report nothing, so a sandbox names the engine in the environment. */
function chooseEngine(init: InitData): 'docker' | 'podman' {
	const named = process.env.BOINC_SANDBOX_ENGINE;
	const engine = init.engine ?? (named === 'docker' || named === 'podman' ? named : undefined);
	if (engine === undefined) {
		say('Docker type missing from app_init_data.xml\nCheck project plan class configuration\n');
		throw new Finish(1, true);
	}
	say(`Using ${engine === 'docker' ? 'Docker' : 'Podman'}\n`);
	return engine;
}

/** Docker before version 23 refuses relative bind mounts. */
function slotPath(engine: 'docker' | 'podman'): string {
	if (engine === 'podman') {
		return '.';
	}
	try {
		const version = execFileSync('docker', ['version', '--format', '{{.Client.Version}}'], { encoding: 'utf8', timeout: 30_000 });
		return Number.parseInt(version, 10) >= 23 ? '.' : process.cwd();
	} catch {
		return process.cwd();
	}
}

async function run(state: { channel: ClientChannel | undefined; wrapper: Wrapper | undefined }): Promise<void> {
	const args = parseArguments(process.argv.slice(2));
	await lockSlot();
	say('docker_wrapper stand-in starting (a script of the sandbox, not the program of the BOINC project)\n');
	const job = readJobFile(args.config);
	const init = parseInitData(readFileSync('init_data.xml', 'utf8'));
	if (!init) {
		say('init_data.xml cannot be read\n');
		throw new Finish(1, false);
	}
	say(describe(job));
	const channel = new ClientChannel(init.clientPid);
	state.channel = channel;
	setInterval(() => channel.poll(), 100).unref();
	const engine = chooseEngine(init);
	const parts: CommandParts = {
		engine,
		job,
		slot: slotPath(engine),
		projectDir: init.projectDir,
		image: job.imageName === '' ? boincName(init.projectDir, init.wuName) : job.imageName,
		container: boincName(init.projectDir, init.resultName),
		dockerfile: args.dockerfile,
		ncpus: init.ncpus,
		args: args.rest,
		graphicsPort: job.webGraphicsGuestPort > 0 ? await freePort() : 0,
	};
	const wrapper = new Wrapper(parts, new EngineProgram(engine), channel, init.wuCpuTime);
	state.wrapper = wrapper;
	await wrapper.start();
	for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP'] as const) {
		process.on(signal, () => {
			say(`got signal ${signal}\n`);
			wrapper.pauseAndExit = true;
		});
	}
	await wrapper.watch();
}

async function main(): Promise<number> {
	const state: { channel: ClientChannel | undefined; wrapper: Wrapper | undefined } = { channel: undefined, wrapper: undefined };
	try {
		await run(state);
		return 0;
	} catch (error) {
		if (!(error instanceof Finish)) {
			say(`stand-in: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
			return 1;
		}
		if (error.isFinal) {
			await finishTask(error.code, state.channel ?? new ClientChannel(0), state.wrapper?.cpuTime ?? 0);
		}
		return error.code;
	} finally {
		state.channel?.close();
	}
}

void main().then((code) => process.exit(code));
