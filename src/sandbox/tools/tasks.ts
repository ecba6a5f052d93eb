import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

import { isLocked } from '../fileLock.js';
import type { ProjectSettings } from '../projectSettings.js';
import type { ToolIo } from '../toolIo.js';
import { launch, pythonTime } from './daemonStart.js';
import type { Program } from './programs.js';
import type { RunState } from './runState.js';

const UNITS: readonly (readonly [prefix: string, seconds: number])[] = [
	['s', 1],
	['m', 60],
	['h', 3600],
	['d', 86_400],
	['w', 604_800],
];

/** Seconds of a period such as `24 hours`; without a unit minutes, and everything with `m` is minutes. */
export function periodSeconds(period: string): number {
	const [, amount = '0', unit = 'm'] = /^\s*(\d+)\s*([a-z]*)/i.exec(period) ?? [];
	const [, seconds = 60] = UNITS.find(([prefix]) => unit.toLowerCase().startsWith(prefix)) ?? [];
	return Number(amount) * seconds;
}

export interface TaskRun {
	readonly settings: ProjectSettings;
	readonly io: ToolIo;
	readonly tasks: readonly Program[];
	readonly state: RunState;
}

/** Starts the tasks that are due. A program that the sandbox lacks leaves its complaint in the task's log. */
export async function runDueTasks({ settings, io, tasks, state }: TaskRun): Promise<void> {
	const now = Math.floor(Date.now() / 1000);
	await mkdir(settings.tmpDir, { recursive: true });
	for (const task of tasks) {
		const due = (state.lastRun.get(task.command) ?? 0) + periodSeconds(task.period ?? '') <= now;
		if (!state.enabled || task.disabled || !due || isLocked(task.lockFile)) {
			continue;
		}
		state.lastRun.set(task.command, now);
		await mkdir(path.dirname(task.log), { recursive: true });
		await appendFile(task.log, `[${pythonTime(new Date())}] Executing command: ${task.command}\n`);
		await launch(settings, task, io.env).catch((error: unknown) =>
			appendFile(task.log, `Couldn't execute ${task.argv[0] ?? ''}: ${String(error)}\n`),
		);
	}
}
