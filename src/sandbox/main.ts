import { Command, InvalidArgumentError } from 'commander';

import { BoincError, isAbort, messageOf } from '../common/errors.js';
import { type OperationContext, silentLog, systemClock } from '../common/ports.js';
import { formatTarget } from '../connection/target.js';
import { createSandbox } from './createSandbox.js';
import type { EngineKind } from './engine.js';
import { DAEMONS, TOOLS } from './programs.js';
import type { Sandbox } from './sandbox.js';
import { readSandboxState, sandboxFolders } from './sandboxState.js';
import { serveSandbox } from './serveSandbox.js';
import { startSandbox } from './startSandbox.js';
import { sandboxProcesses, stopSandbox } from './stopSandbox.js';
import { processIo, type Tool } from './toolIo.js';
import { ToolExit } from './toolProject.js';

/** `node sandbox.js …`: the program that makes, runs and is a loopback BOINC project. */
async function main(words: readonly string[]): Promise<number> {
	const [kind, name = '', ...rest] = words;
	// Tools have options of their own, in BOINC's style.
	if (kind === 'tool' || kind === 'daemon') {
		const programs: Readonly<Record<string, Tool>> = kind === 'tool' ? TOOLS : DAEMONS;
		const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
		return program ? runTool(program, rest) : unknown(kind, name, Object.keys(programs));
	}
	await commands().parseAsync([...words], { from: 'user' });
	return 0;
}

function unknown(kind: string, name: string, known: readonly string[]): number {
	process.stderr.write(`The sandbox has no ${kind} “${name}”. It has: ${known.join(', ')}.\n`);
	return 2;
}

async function runTool(program: Tool, args: readonly string[]): Promise<number> {
	try {
		return await program(args, processIo());
	} catch (error) {
		process.stderr.write(error instanceof ToolExit ? error.message : `${messageOf(error)}\n`);
		return error instanceof ToolExit ? error.code : 1;
	}
}

function commands(): Command {
	const program = new Command('sandbox').description('A BOINC project on this machine, for trying and for tests.');
	program
		.command('create')
		.description('Create a project in a folder and start it.')
		.argument('<dir>', 'an empty folder for everything')
		.option('--client', 'a BOINC client that works for the project')
		.option('--engine <kind>', 'container engine of the client: podman, docker or none', engineKind)
		.option('--fanout <n>', 'hash directories', positive)
		.option('--pace <factor>', 'waiting times in comparison with BOINC’s', positive)
		.option('--wrapper <folder>', 'docker_wrapper binaries, in place of the stand-in')
		.option('--name <name>', 'short name of the project')
		.option('--json', 'print one JSON object')
		.action(async (dir: string, options: CreateFlags) => {
			const sandbox = await createSandbox(
				{
					dir,
					clientCount: options.client ? 1 : 0,
					...(options.engine && { engine: options.engine }),
					...(options.fanout !== undefined && { fanout: options.fanout }),
					...(options.pace !== undefined && { pace: options.pace }),
					...(options.wrapper !== undefined && { wrapperFolder: options.wrapper }),
					...(options.name !== undefined && { name: options.name }),
				},
				terminalContext(options.json ?? false),
			);
			describe(sandbox, options.json ?? false);
		});
	program
		.command('start')
		.description('Start a sandbox that was stopped.')
		.argument('<dir>')
		.option('--json', 'print one JSON object')
		.action(async (dir: string, options: { json?: boolean }) => {
			describe(await startSandbox({ dir }, terminalContext(options.json ?? false)), options.json ?? false);
		});
	program
		.command('stop')
		.description('End everything that runs in a sandbox; the folder stays.')
		.argument('<dir>')
		.action((dir: string) => stopSandbox(dir));
	program.command('status').description('Say what runs.').argument('<dir>').action(status);
	program
		.command('web', { hidden: true })
		.argument('<dir>')
		.action((dir: string) => serveSandbox(dir));
	// Shown in the help only; `main` takes them before.
	program.command('tool').argument('<name>').argument('[words...]').description('Run a program of bin/.');
	program.command('daemon').argument('<name>').argument('[words...]').description('Run a daemon of bin/.');
	return program;
}

interface CreateFlags {
	readonly client?: boolean;
	readonly engine?: EngineKind | 'none';
	readonly fanout?: number;
	readonly pace?: number;
	readonly wrapper?: string;
	readonly name?: string;
	readonly json?: boolean;
}

function engineKind(text: string): EngineKind | 'none' {
	if (text === 'podman' || text === 'docker' || text === 'none') {
		return text;
	}
	throw new InvalidArgumentError('Choose podman, docker or none.');
}

function positive(text: string): number {
	const value = Number(text);
	if (Number.isFinite(value) && value > 0) {
		return value;
	}
	throw new InvalidArgumentError('A positive number is expected.');
}

function terminalContext(quiet: boolean): OperationContext {
	const interrupt = new AbortController();
	process.once('SIGINT', () => interrupt.abort());
	process.once('SIGTERM', () => interrupt.abort());
	const say = (message: string): void => {
		if (!quiet) {
			process.stderr.write(`${message}\n`);
		}
	};
	return {
		log: { ...silentLog, error: say, warn: say, info: say },
		progress: { report: ({ message }) => say(`${message} …`) },
		clock: systemClock,
		signal: interrupt.signal,
	};
}

function describe(sandbox: Sandbox, json: boolean): void {
	const facts = {
		target: formatTarget(sandbox.target),
		identityFile: sandbox.identityFile,
		knownHostsFile: sandbox.knownHostsFile,
		masterUrl: sandbox.masterUrl,
		projectRoot: sandbox.projectRoot,
		authenticator: sandbox.authenticator,
		wrapperFolder: sandbox.wrapperFolder,
		busyboxFile: sandbox.busyboxFile,
		engine: sandbox.engine?.kind ?? 'none',
	};
	if (json) {
		// With these variables the command of that name means the sandbox's engine.
		process.stdout.write(`${JSON.stringify({ ...facts, engineEnv: sandbox.engine?.env ?? {} })}\n`);
		return;
	}
	const width = Math.max(...Object.keys(facts).map((key) => key.length));
	for (const [key, value] of Object.entries(facts)) {
		process.stdout.write(`${key.padEnd(width)}  ${value}\n`);
	}
}

async function status(dir: string): Promise<void> {
	const state = await readSandboxState(dir);
	if (!state) {
		throw new BoincError('sandbox-failed', `There is no sandbox in ${dir}.`, { remedy: 'Create one there first.' });
	}
	const found = await sandboxProcesses(sandboxFolders(dir, state.name));
	const line = (part: string, pid: number | undefined): void => {
		process.stdout.write(`${part.padEnd(28)}${pid === undefined ? 'not running' : `running (${pid})`}\n`);
	};
	line('database', found.database);
	line('web server', found.web);
	for (const [name, pid] of Object.entries(found.daemons)) {
		line(name, pid);
	}
}

// A reader that has seen enough closes the pipe.
process.stdout.on('error', () => undefined);
main(process.argv.slice(2)).then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		const remedy = BoincError.is(error) && error.remedy !== undefined ? `${error.remedy}\n` : '';
		process.stderr.write(isAbort(error) ? 'Cancelled.\n' : `${messageOf(error)}\n${remedy}`);
		process.exitCode = 1;
	},
);
