import { readdirSync } from 'node:fs';
import path from 'node:path';

import { commandLine, readPid } from '../../processes.js';

/**
 * Whether the project's feeder runs: without it the scheduler has nothing to send from. Judged by the pid files that
 * `bin/start` writes and by the command line of the process behind them.
 */
export function isFeederRunning(projectRoot: string): boolean {
	let folders: string[];
	try {
		folders = readdirSync(projectRoot).filter((name) => name.startsWith('pid_'));
	} catch {
		return false;
	}
	return folders.some((folder) => {
		const pid = readPid(path.join(projectRoot, folder, 'feeder.pid'));
		return pid !== undefined && commandLine(pid).some((word) => word.includes('feeder'));
	});
}
