import type { LocalJobReport } from './runLocally.js';

/** What a run here suggests for the job file, as it is written there. */
export interface MeasuredResources {
	readonly memory?: string;
	readonly disk: string;
	readonly time: string;
	readonly max_output: string;
}

/** Volunteers' computers and other parameters differ from this run. */
const MARGIN = 1.5;
const LEAST_MEMORY = 64e6;
const LEAST_DISK = 100e6;
const LEAST_OUTPUT = 1e6;
const LEAST_SECONDS = 60;

/** Limits and estimates from a measurement, with half as much again. Memory is left out where it was not measured. */
export function measuredResources(report: LocalJobReport): MeasuredResources {
	const output = Math.max(LEAST_OUTPUT, report.outputBytes * 2);
	// The packed result lies beside what was packed at the end.
	const disk = Math.max(LEAST_DISK, report.diskBytes * MARGIN) + report.imageBytes + output;
	return {
		...(report.peakMemoryBytes > 0 && { memory: bytesText(Math.max(LEAST_MEMORY, report.peakMemoryBytes * MARGIN)) }),
		disk: bytesText(disk),
		time: secondsText(Math.max(LEAST_SECONDS, report.seconds * MARGIN)),
		max_output: bytesText(output),
	};
}

/** Rounded up to two digits: `720 MB`, `1.3 GB`. */
function bytesText(bytes: number): string {
	const unit = bytes >= 1e9 ? 1e9 : 1e6;
	return `${String(Number(roundedUp(bytes / unit).toPrecision(3)))} ${unit === 1e9 ? 'GB' : 'MB'}`;
}

/** `2 min`, `1.5 h`. */
function secondsText(seconds: number): string {
	const unit = seconds >= 3600 ? 3600 : 60;
	return `${String(Number(roundedUp(seconds / unit).toPrecision(3)))} ${unit === 3600 ? 'h' : 'min'}`;
}

function roundedUp(value: number): number {
	const step = 10 ** (Math.floor(Math.log10(value)) - 1);
	return Math.ceil(value / step - 1e-9) * step;
}
