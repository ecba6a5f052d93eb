/** Levels of BOINC's daemons: what is above the level given by `-d` is not written. */
export type LogLevel = 'critical' | 'warning' | 'normal' | 'debug';

const RANK: Readonly<Record<LogLevel, number>> = { critical: 1, warning: 2, normal: 2, debug: 3 };
const MARK: Readonly<Record<LogLevel, string>> = { critical: '[CRITICAL]', warning: '[warning]', normal: '', debug: '' };

/** A line of a daemon's log. */
export function logLine(level: LogLevel, text: string, now: Date): string {
	const iso = now.toISOString();
	return `${iso.slice(0, 10)} ${iso.slice(11, 23)}0 UTC ${MARK[level]} ${text}\n`;
}

/** Whether a message of that level is written at debug level `verbosity`. */
export function isLogged(level: LogLevel, verbosity: number): boolean {
	return RANK[level] <= verbosity;
}
