import daemonStateScript from '../../templates/server/daemon-state.sh';
import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { commandError, run } from '../connection/run.js';
import { commandWords, daemonApp, daemonLog, daemonPidFile, daemonProgram } from './daemonCommand.js';
import type { Project } from './project.js';
import type { DaemonEntry } from './types.js';

/**
 * `running`, `dead` (should run and does not), `disabled`, or `elsewhere`: the entry is for another machine than the one
 * we are connected to, so nothing is known.
 */
export type DaemonCondition = 'running' | 'dead' | 'disabled' | 'elsewhere';

export interface DaemonState {
	/** As written in `config.xml`. */
	readonly command: string;
	readonly condition: DaemonCondition;
	/** Process id if it runs. */
	readonly pid: number | undefined;
	/** Absolute path of its log. */
	readonly log: string;
}

/** What one look at the server told. */
interface Snapshot {
	readonly host: string;
	readonly stopped: boolean;
	readonly processes: ReadonlyMap<string, { readonly pid: number; readonly commandLine: string | undefined }>;
}

const STOP_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 500;
/** A daemon with a wrong option ends at once; one that lives this long has passed its start. */
const STEADY_MS = 2000;

async function snapshot(project: Project, signal: AbortSignal | undefined): Promise<Snapshot> {
	const { stdout } = await run(project.connection, ['sh', '-c', daemonStateScript, 'sh', project.root], {
		doing: 'look at the daemons',
		timeoutMs: 30_000,
		...(signal && { signal }),
	});
	const processes = new Map<string, { pid: number; commandLine: string | undefined }>();
	let host = '';
	let stopped = false;
	for (const line of stdout.toString('utf8').split('\n')) {
		const pid = /^pid (.+\.pid) (\d+) (?:dead|alive (.*))$/.exec(line);
		if (pid) {
			processes.set(pid[1] ?? '', { pid: Number(pid[2]), commandLine: pid[3] });
		} else if (line.startsWith('host ')) {
			host = line.slice('host '.length);
		} else if (line === 'stopped') {
			stopped = true;
		}
	}
	return { host, stopped, processes };
}

/** A pid may have been given to another program since: the command line decides. */
function isThisDaemon(entry: DaemonEntry, commandLine: string): boolean {
	const words = commandWords(entry.command).slice(1);
	return commandLine.includes(daemonProgram(entry.command)) && words.every((word) => commandLine.includes(word));
}

function stateOf(project: Project, entry: DaemonEntry, seen: Snapshot): DaemonState {
	const log = daemonLog(entry);
	const base = { command: entry.command, log: log.startsWith('/') ? log : `${project.config.logDir}/${log}` };
	const host = entry.host ?? project.config.host;
	if (host !== '' && host !== seen.host) {
		return { ...base, condition: 'elsewhere', pid: undefined };
	}
	const process = seen.processes.get(daemonPidFile(entry));
	if (process?.commandLine !== undefined && isThisDaemon(entry, process.commandLine)) {
		return { ...base, condition: 'running', pid: process.pid };
	}
	return { ...base, condition: entry.disabled ? 'disabled' : 'dead', pid: undefined };
}

/** State of each daemon of `config.xml`, by pid files and the processes themselves. Reads only. */
export async function daemonStatus(project: Project, signal?: AbortSignal): Promise<DaemonState[]> {
	const seen = await snapshot(project, signal);
	return project.config.daemons.map((entry) => stateOf(project, entry, seen));
}

/** Whether somebody stopped the project (`bin/stop`) and the short name of the machine we are connected to. */
export async function projectSwitch(project: Project, signal?: AbortSignal): Promise<{ stopped: boolean; host: string }> {
	const { stopped, host } = await snapshot(project, signal);
	return { stopped, host };
}

/** Why jobs of an app would wait for now: sentences for a person, none when its daemons and the common ones run. Reads only. */
export async function daemonWarnings(project: Project, app: string, signal?: AbortSignal): Promise<string[]> {
	const seen = await snapshot(project, signal);
	if (seen.stopped) {
		return [`The project is stopped, so hosts get no jobs. Run bin/start in ${project.root}.`];
	}
	return project.config.daemons
		.filter((entry) => [undefined, app].includes(daemonApp(entry.command)) && stateOf(project, entry, seen).condition === 'dead')
		.map((entry) => `The daemon “${entry.command}” does not run, so jobs may wait. Run bin/start in ${project.root}.`);
}

/** How long another run of `bin/start` may take; cron starts one every few minutes, and its tasks with it. */
const OTHER_RUN_MS = 120_000;

/** Runs `bin/start` or `bin/stop`. Only one can run at a time: the other ends with code 1 and says so, and is tried again. */
async function turn(project: Project, tool: 'start' | 'stop', ctx: OperationContext, timeoutMs: number): Promise<void> {
	const deadline = ctx.clock.now() + OTHER_RUN_MS;
	for (;;) {
		const { code, stderr } = await project.connection.exec([project.tool(tool)], {
			cwd: project.root,
			env: { LC_ALL: 'C' },
			timeoutMs,
			...(ctx.signal && { signal: ctx.signal }),
		});
		if (code === 0) {
			return;
		}
		const said = stderr.toString('utf8');
		if (!said.includes('is currently running!') || ctx.clock.now() > deadline) {
			throw commandError(project.connection.name, project.tool(tool), `${tool} the daemons`, code, said);
		}
		await ctx.clock.sleep(POLL_MS, ctx.signal);
	}
}

/**
 * Starts the daemons that do not run; those that run are left alone, so volunteers notice nothing. Waits until those that
 * `mustRun` names (default: all) are seen alive and stay so. Rejects with `daemon-down` naming the daemon and the end of its log.
 */
export async function startDaemons(
	project: Project,
	ctx: OperationContext,
	mustRun: (state: DaemonState) => boolean = () => true,
): Promise<DaemonState[]> {
	ctx.progress.report({ message: 'Starting the daemons' });
	await turn(project, 'start', ctx, START_TIMEOUT_MS);
	const deadline = ctx.clock.now() + START_TIMEOUT_MS;
	let steadySince: { at: number; pids: string } | undefined;
	for (;;) {
		const states = await daemonStatus(project, ctx.signal);
		const needed = states.filter(mustRun);
		const dead = needed.filter((state) => state.condition === 'dead');
		const pids = needed.map((state) => state.pid).join();
		const now = ctx.clock.now();
		if (dead.length > 0 || steadySince?.pids !== pids) {
			steadySince = dead.length > 0 ? undefined : { at: now, pids };
		} else if (now - steadySince.at >= STEADY_MS) {
			return states;
		}
		if (now > deadline) {
			throw await daemonDown(project, dead[0] ?? states[0], ctx.signal);
		}
		// What died at its start is not started again by itself before cron does, minutes later.
		if (dead.length > 0 && now > deadline - START_TIMEOUT_MS + 2 * STEADY_MS) {
			throw await daemonDown(project, dead[0], ctx.signal);
		}
		await ctx.clock.sleep(POLL_MS, ctx.signal);
	}
}

/**
 * Stops all daemons, waits until their processes are really gone, starts them and sees them alive. Rejects with
 * `daemon-down`. While they are down, the scheduler tells clients to come back later.
 */
export async function restartDaemons(
	project: Project,
	ctx: OperationContext,
	mustRun?: (state: DaemonState) => boolean,
): Promise<DaemonState[]> {
	ctx.progress.report({ message: 'Stopping the daemons' });
	const before = (await daemonStatus(project, ctx.signal)).flatMap((state) => (state.pid === undefined ? [] : [state.pid]));
	await turn(project, 'stop', ctx, STOP_TIMEOUT_MS);
	// bin/stop returns while they are still ending, and leaves their pid files.
	const deadline = ctx.clock.now() + STOP_TIMEOUT_MS;
	while (!(await allGone(project, before, ctx.signal))) {
		if (ctx.clock.now() > deadline) {
			throw new BoincError('daemon-down', `The daemons of ${project.name} do not stop (processes ${before.join(', ')}).`, {
				remedy: 'Look at their logs, end them by hand, then run bin/start in the project’s folder.',
			});
		}
		await ctx.clock.sleep(POLL_MS, ctx.signal);
	}
	return startDaemons(project, ctx, mustRun);
}

async function allGone(project: Project, pids: readonly number[], signal: AbortSignal | undefined): Promise<boolean> {
	if (pids.length === 0) {
		return true;
	}
	// A process that has ended but was not waited for has no command line any more.
	const script =
		'for p; do if [ -d /proc/self ]; then [ -z "$(tr -d "\\000" 2>/dev/null <"/proc/$p/cmdline")" ]; else ! kill -0 "$p" 2>/dev/null; fi || exit 1; done';
	const { code } = await project.connection.exec(['sh', '-c', script, 'sh', ...pids.map(String)], {
		timeoutMs: 20_000,
		...(signal && { signal }),
	});
	return code === 0;
}

async function daemonDown(
	project: Project,
	state: DaemonState | undefined,
	signal: AbortSignal | undefined,
): Promise<BoincError> {
	if (!state) {
		return new BoincError('daemon-down', `The project ${project.name} has no daemons in config.xml.`);
	}
	const tail = await project.connection.exec(['tail', '-n', '5', state.log], { timeoutMs: 20_000, ...(signal && { signal }) });
	const lines = tail.stdout.toString('utf8').trim();
	return new BoincError(
		'daemon-down',
		`The daemon “${state.command}” of ${project.name} does not stay alive.${lines === '' ? '' : ` Its log ends with:\n${lines}`}`,
		{
			remedy: `Look at ${state.log}, then run bin/start in the project’s folder.`,
			detail: { command: state.command, log: state.log },
		},
	);
}
