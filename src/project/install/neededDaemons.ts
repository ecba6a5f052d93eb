import { daemonApp, daemonProgram } from '../daemonCommand.js';
import type { DaemonState } from '../daemons.js';

/** Whether a daemon must live for the app to work; others are not our business. */
export function isNeededBy(app: string): (state: DaemonState) => boolean {
	return ({ command }) => ['feeder', 'transitioner'].includes(daemonProgram(command)) || daemonApp(command) === app;
}
