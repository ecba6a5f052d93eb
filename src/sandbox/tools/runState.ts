import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { ProjectSettings } from '../projectSettings.js';
import { childNumber, childOf, childrenOf, childText, escapeXml, readLenient } from '../web/lenientXml.js';

/** Whether the daemons should run, and when each task last ran (seconds). */
export interface RunState {
	enabled: boolean;
	readonly lastRun: Map<string, number>;
}

const fileOf = (settings: ProjectSettings): string => path.join(settings.root, `run_state_${settings.host}.xml`);

/** Reads `run_state_HOST.xml`; a project that never ran is disabled. */
export async function readRunState(settings: ProjectSettings): Promise<RunState> {
	const text = await readFile(fileOf(settings), 'utf8').catch(() => '');
	const boinc = childOf(readLenient(text), 'boinc');
	const tasks = childrenOf(childOf(boinc, 'tasks'), 'task');
	return {
		enabled: childNumber(boinc, 'enabled') > 0,
		lastRun: new Map(tasks.map((task) => [childText(task, 'cmd'), childNumber(task, 'last_run')])),
	};
}

/** Writes it back, with an entry for each of `commands`. */
export async function writeRunState(settings: ProjectSettings, state: RunState, commands: readonly string[]): Promise<void> {
	const tasks = commands.map(
		(command) =>
			`        <task>\n            <cmd>${escapeXml(command)}</cmd>\n` +
			`            <last_run>${state.lastRun.get(command) ?? 0}</last_run>\n            <prunable>False</prunable>\n        </task>\n`,
	);
	const text = `<?xml version="1.0" ?>\n<boinc>\n    <tasks>\n${tasks.join('')}    </tasks>\n    <enabled>${state.enabled ? 1 : 0}</enabled>\n</boinc>\n`;
	await writeFile(`${fileOf(settings)}.new`, text);
	await rename(`${fileOf(settings)}.new`, fileOf(settings));
}
