import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * How long the project's programs wait, in comparison with BOINC: 1 is BOINC's own pace, 0.05 makes a pause of 5 seconds
 * a quarter of a second. From the environment (`SANDBOX_PACE`) or the sandbox's settings beside the program.
 */
export function pace(env: Readonly<Record<string, string | undefined>> = process.env): number {
	const given = Number.parseFloat(env.SANDBOX_PACE ?? '');
	if (given > 0) {
		return given;
	}
	try {
		const file = path.join(path.dirname(path.dirname(process.argv[1] ?? '')), 'sandbox.json');
		const settings: unknown = JSON.parse(readFileSync(file, 'utf8'));
		if (typeof settings === 'object' && settings !== null && 'pace' in settings && typeof settings.pace === 'number') {
			return settings.pace > 0 ? settings.pace : 1;
		}
	} catch {
		// Run outside a sandbox folder.
	}
	return 1;
}

/** A pause of BOINC's, in milliseconds at this sandbox's pace; never a busy loop. */
export function pauseMs(seconds: number, env?: Readonly<Record<string, string | undefined>>): number {
	return Math.max(20, Math.round(seconds * 1000 * pace(env)));
}
