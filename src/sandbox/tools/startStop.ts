import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseXml } from '../../project/xml.js';
import { takeLock } from '../fileLock.js';
import { pauseMs } from '../pace.js';
import { commandLine, readPid, signalProcess } from '../processes.js';
import { type ProjectSettings, readProjectSettings } from '../projectSettings.js';
import type { Tool, ToolIo } from '../toolIo.js';
import { ToolExit } from '../toolProject.js';
import { startDaemon } from './daemonStart.js';
import { type Program, programsOf } from './programs.js';
import { readRunState, type RunState, writeRunState } from './runState.js';
import { statusReport } from './statusReport.js';
import { runDueTasks } from './tasks.js';

type Mode = 'start' | 'stop' | 'status' | 'cron';

const MODES: Readonly<Record<string, Mode>> = {
	'-e': 'start',
	'--enable': 'start',
	'--start': 'start',
	'-c': 'cron',
	'--cron': 'cron',
	'-d': 'stop',
	'-k': 'stop',
	'--disable': 'stop',
	'--stop': 'stop',
	'--kill': 'stop',
	'-s': 'status',
	'--status': 'status',
};

/** `start`, `stop` and `status` are one program; the name gives the default. */
export const startStop =
	(name: Mode): Tool =>
	async (args, io) => {
		const { mode, verbosity } = options(name, args, io);
		const root = [io.cwd, path.dirname(io.cwd)].find((folder) => existsSync(path.join(folder, 'config.xml')));
		const folder = io.env.BOINC_PROJECT_DIR ?? projectOfProgram(io) ?? root;
		const settings = folder === undefined ? undefined : readProjectSettings(folder);
		if (folder === undefined || !settings || !(await wellFormed(folder))) {
			throw new ToolExit(1, "Warning: couldn't parse XML file: config.xml\nException: Couldn't parse XML file\n");
		}
		checkUser(settings);
		await mkdir(settings.pidDir, { recursive: true });
		const lock = takeLock(path.join(settings.pidDir, `start.lock.${settings.host}`));
		if (!lock) {
			throw new ToolExit(1, 'start is currently running!\n');
		}
		try {
			return await run(mode, { settings, io, verbosity, ...programs(settings), state: await readRunState(settings) });
		} finally {
			lock.release();
		}
	};

/** What one run works on. */
interface StartRun {
	readonly settings: ProjectSettings;
	readonly io: ToolIo;
	/** 0 says nothing. */
	readonly verbosity: number;
	readonly daemons: readonly Program[];
	readonly tasks: readonly Program[];
	readonly state: RunState;
}

async function run(mode: Mode, start: StartRun): Promise<number> {
	switch (mode) {
		case 'start':
			await enable(start);
			break;
		case 'cron':
			await cron(start);
			break;
		case 'stop':
			await disable(start);
			break;
		case 'status':
			start.io.out(statusReport(start));
			break;
	}
	await writeRunState(
		start.settings,
		start.state,
		start.tasks.map(({ command }) => command),
	);
	return 0;
}

function options(name: Mode, args: readonly string[], io: ToolIo): { mode: Mode; verbosity: number } {
	let mode = name;
	let verbosity = io.isTerminal ? 1 : 0;
	for (const word of args) {
		const chosen = Object.hasOwn(MODES, word) ? MODES[word] : undefined;
		if (chosen) {
			mode = chosen;
		} else if (/^-v+$/.test(word) || word === '--verbose') {
			verbosity += word === '--verbose' ? 1 : word.length - 1;
		} else if (word === '-q' || word === '--quiet') {
			verbosity = 0;
		} else if (word === '-h' || word === '--help') {
			throw new ToolExit(0, 'usage: start [-e|--start] [-c|--cron] [-k|--stop] [-s|--status] [-v] [-q]\n');
		} else if (!/^--(config-file|run-state-file|fork-delay)=|^--(ignore-timestamps|prune-run-state|cron-tasks)$/.test(word)) {
			throw new ToolExit(2, `option ${word} not recognized\n`);
		}
	}
	return { mode, verbosity };
}

/** The project whose `bin/` holds the program that was called. */
function projectOfProgram(io: ToolIo): string | undefined {
	return io.env.SANDBOX_PROJECT_ROOT;
}

async function wellFormed(root: string): Promise<boolean> {
	try {
		await parseXml(await readFile(path.join(root, 'config.xml'), 'utf8'), 'config.xml');
		return true;
	} catch {
		return false;
	}
}

function checkUser(settings: ProjectSettings): void {
	const wanted = settings.text('project_user_name');
	if (wanted !== undefined && wanted !== '' && wanted !== os.userInfo().username) {
		throw new ToolExit(1, `You must be user ${wanted} to run this script\n`);
	}
}

function programs(settings: ProjectSettings): Pick<StartRun, 'daemons' | 'tasks'> {
	const [host = ''] = os.hostname().split('.');
	return {
		daemons: programsOf(settings, settings.daemons, host, '.log'),
		tasks: programsOf(settings, settings.tasks, host, '.out'),
	};
}

async function enable(start: StartRun): Promise<void> {
	const { settings, io, verbosity, state, daemons } = start;
	if (verbosity > 0) {
		io.out(state.enabled ? 'Staying in ENABLED mode\n' : 'Entering ENABLED mode\n');
	}
	state.enabled = true;
	await rm(path.join(settings.root, 'stop_daemons'), { force: true });
	await startDaemons(start);
	if (daemons.length > 0) {
		// The real program waits here until the feeder has filled the shared memory.
		await sleep(pauseMs(5, io.env));
	}
	await rm(path.join(settings.root, 'stop_sched'), { force: true });
}

async function startDaemons({ settings, io, verbosity, daemons }: StartRun): Promise<void> {
	if (daemons.length === 0) {
		io.err('No daemons for this host found\n');
		return;
	}
	for (const daemon of daemons) {
		if (!daemon.disabled) {
			const message = await startDaemon(settings, daemon, io.env);
			if (verbosity > 0) {
				io.out(`  ${message}\n`);
			}
		}
	}
}

async function cron(start: StartRun): Promise<void> {
	if (start.state.enabled) {
		await rm(path.join(start.settings.root, 'stop_daemons'), { force: true });
		await startDaemons(start);
		await rm(path.join(start.settings.root, 'stop_sched'), { force: true });
	}
	await runDueTasks(start);
}

/** Signals the daemons and goes: pid files stay, and nobody waits for the end, as with the real program. */
async function disable({ settings, io, verbosity, state, daemons }: StartRun): Promise<void> {
	if (verbosity > 0) {
		io.out(state.enabled ? 'Entering DISABLED mode\n' : 'Staying in DISABLED mode\n');
	}
	state.enabled = false;
	for (const trigger of ['stop_sched', 'stop_daemons']) {
		await writeFile(path.join(settings.root, trigger), '<stop/>\n');
	}
	for (const { pidFile, command } of daemons) {
		const pid = readPid(pidFile);
		if (pid !== undefined && commandLine(pid).length > 0) {
			if (verbosity > 0) {
				io.out(`  Killing process ${pid}: ${command}\n`);
			}
			signalProcess(pid, 'SIGHUP');
		}
	}
}
