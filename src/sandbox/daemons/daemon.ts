import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../../common/errors.js';
import { type Database, openDatabase } from '../database.js';
import { pauseMs } from '../pace.js';
import type { ProjectSettings } from '../projectSettings.js';
import type { Tool, ToolIo } from '../toolIo.js';
import { ToolExit, toolProject } from '../toolProject.js';
import { isLogged, type LogLevel, logLine } from './daemonLog.js';
import { type DaemonOptions, daemonOptions, type OptionSpec, type ParseSettings } from './daemonOptions.js';

/** What a daemon's pass works with. */
export interface DaemonContext {
	readonly settings: ProjectSettings;
	readonly database: Database;
	readonly options: DaemonOptions;
	readonly io: ToolIo;
	log(level: LogLevel, text: string): void;
	/** Whether the daemon is to end soon: long loops look at it. */
	stopping(): boolean;
}

export interface DaemonKind {
	readonly usage: string;
	readonly options: OptionSpec;
	/** Seconds between two passes without work, at BOINC's pace. */
	readonly interval: number;
	readonly unknown?: ParseSettings['unknown'];
	readonly defaultVerbosity?: number;
	/** Lines of the log before the checks, and after them. */
	readonly greeting?: readonly string[];
	readonly ready?: string;
	/** Checks before the first pass. Throws `ToolExit` when the daemon cannot run. */
	prepare?(context: DaemonContext): Promise<void>;
	/** One pass. Resolves to whether there was work, which makes the next pass follow at once. */
	pass(context: DaemonContext): Promise<boolean>;
}

/** Makes a daemon's program: options, database, passes, and an end on a signal or the trigger file `stop_daemons`. */
export const daemonTool =
	(kind: DaemonKind): Tool =>
	async (args, io) => {
		const options = daemonOptions(args, kind.options, {
			usage: kind.usage,
			io,
			...(kind.unknown && { unknown: kind.unknown }),
			...(kind.defaultVerbosity !== undefined && { defaultVerbosity: kind.defaultVerbosity }),
		});
		const log = (level: LogLevel, text: string): void => {
			if (isLogged(level, options.verbosity)) {
				io.err(logLine(level, text, new Date()));
			}
		};
		const fail = (text: string): never => {
			log('critical', text);
			throw new ToolExit(1);
		};
		const settings = projectOf(io, fail);
		for (const line of kind.greeting ?? []) {
			log('normal', line);
		}
		const database = await openDatabase(settings.database).catch((error: unknown) =>
			fail(`boinc_db.open failed: ${messageOf(error)}`),
		);
		const signals = listenToSignals();
		const context: DaemonContext = {
			settings,
			database,
			options,
			io,
			log,
			stopping: () => signals.signal !== undefined || existsSync(path.join(settings.root, 'stop_daemons')),
		};
		try {
			await kind.prepare?.(context);
			if (kind.ready !== undefined) {
				log('normal', kind.ready);
			}
			await passes(kind, context);
			if (signals.signal !== undefined) {
				io.err('GOT STOP SIGNAL\n');
				log('normal', `Quitting due to ${signals.signal}`);
			}
			return 0;
		} catch (error) {
			if (error instanceof ToolExit) {
				throw error;
			}
			return fail(messageOf(error));
		} finally {
			signals.dispose();
			await database.end().catch(() => undefined);
		}
	};

function projectOf(io: ToolIo, fail: (text: string) => never): ProjectSettings {
	try {
		return toolProject(io);
	} catch (error) {
		return fail(`Can't parse config.xml: ${messageOf(error).trim()}`);
	}
}

async function passes(kind: DaemonKind, context: DaemonContext): Promise<void> {
	const interval = context.options.number('sleep_interval') ?? kind.interval;
	let idle = 0;
	while (!context.stopping()) {
		const worked = await kind.pass(context);
		if (context.options.has('one_pass')) {
			return;
		}
		if (worked) {
			idle = 0;
		} else {
			await pause(idlePauseMs(pauseMs(interval, context.io.env), interval * 1000, idle++), context);
		}
	}
}

/** A quick sandbox that has nothing to do for a while looks less often, but never less often than BOINC. */
const idlePauseMs = (ms: number, boincMs: number, idlePasses: number): number =>
	Math.max(ms, Math.min(ms * Math.min(4, 1 + idlePasses / 8), boincMs));

/** Sleeps in small steps, so that a stop is seen soon. */
async function pause(ms: number, context: DaemonContext): Promise<void> {
	const end = Date.now() + ms;
	for (let left = ms; left > 0 && !context.stopping(); left = end - Date.now()) {
		await sleep(Math.min(left, 200));
	}
}

interface Signals {
	signal: NodeJS.Signals | undefined;
	dispose(): void;
}

function listenToSignals(): Signals {
	const names = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
	const signals: Signals = {
		signal: undefined,
		dispose: () => {
			for (const name of names) {
				process.off(name, onSignal);
			}
		},
	};
	const onSignal = (name: NodeJS.Signals): void => {
		signals.signal = name;
	};
	for (const name of names) {
		process.on(name, onSignal);
	}
	return signals;
}

/** The id of the app that `--app` names. Throws `ToolExit` in the words of the real daemons. */
export async function appIdOf(context: DaemonContext, wording: "can't find app " | "Can't find app: "): Promise<number> {
	const name = context.options.text('app');
	if (name === undefined) {
		context.log('critical', "must use '--app' to specify an application");
		throw new ToolExit(1);
	}
	const [row] = await context.database.select('SELECT id FROM app WHERE name = ?', [name]);
	if (!row) {
		context.log('critical', `${wording}${name}`);
		throw new ToolExit(1);
	}
	return Number(row.id);
}

/** The time in seconds, as the database keeps it. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
