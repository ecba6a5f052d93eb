import { formatBytes, formatSeconds } from '../common/format.js';
import type { Equipment } from '../project/ownPlanClasses.js';
import type { Resources } from './types.js';

/** Speed of an ordinary core as BOINC measures it, in floating point operations a second. BOINC learns the real ones. */
export const REFERENCE_FLOPS = 4e9;

/**
 * BOINC's own time limit is only a net below the runner's: it counts operations, so the seconds that it allows depend on the
 * speed at which BOINC takes a host to run the app's version, and below 120 s it silently becomes 12 hours. That speed may be far from
 * the host's: after some results it is the operations that jobs were expected to need, divided by the seconds that they took, so a hundred
 * jobs that end in a second instead of an hour make it thousands of times as large. With this many operations for each second, the
 * most that BOINC does not take for a mistake (1000 TFLOPS), the net never comes first.
 */
const BACKSTOP_FLOPS = 1e15;

/**
 * As many cores of its host BOINC takes a GPU for (`GPU_CPU_RATIO` of the scheduler), whatever its client reports, until it has results
 * of the app's version. From then on it goes by how long they took, compared with the operations that they were expected to need.
 */
const GPU_CORES = 10;

const MB = 1_000_000;
const DAY = 86_400;

/** What is known of an image before a job runs. */
export interface ImageSizes {
	/** Bytes of the packs as they travel; a slot holds a copy. */
	readonly packBytes: number;
	/** Bytes of a job's inputs. */
	readonly inputBytes: number;
}

/** What a run leaves besides results: logs of wrapper and program, parameter table, recipe. */
const DISK_MARGIN = 100 * MB;

/**
 * Limits for a job: those that are given, and defaults for the others. `notes` say in plain sentences what was computed
 * and why, `warnings` where a given limit may be too low.
 */
export function defaultResources(
	sizes: ImageSizes,
	given: Partial<Resources> = {},
): { resources: Resources; notes: string[]; warnings: string[] } {
	const notes: string[] = [];
	const maxOutputBytes = given.maxOutputBytes ?? 128 * 2 ** 20;
	const memoryBytes = given.memoryBytes ?? 1000 * MB;
	if (given.memoryBytes === undefined) {
		notes.push(
			`Memory: a job may use ${formatBytes(memoryBytes)}, because nothing else was said. A program that uses more is stopped.`,
		);
	}
	const needed = sizes.packBytes + sizes.inputBytes;
	// The results lie in the slot twice at the end: as they are, and packed.
	const diskBytes = given.diskBytes ?? needed + 3 * maxOutputBytes + DISK_MARGIN;
	if (given.diskBytes === undefined) {
		notes.push(
			`Disk: a job may use ${formatBytes(diskBytes)}: ${formatBytes(needed)} for image and inputs, three times the ${formatBytes(maxOutputBytes)} that a result may have, and ${formatBytes(DISK_MARGIN)} for logs.`,
		);
	}
	const expectedSeconds = given.expectedSeconds ?? Math.min(3600, given.limitSeconds ?? 3600);
	const limitSeconds = given.limitSeconds ?? Math.max(DAY, 10 * expectedSeconds);
	if (given.limitSeconds === undefined) {
		notes.push(`Time: the program is stopped after ${formatSeconds(limitSeconds)}; expected: ${formatSeconds(expectedSeconds)}.`);
	}
	const delayBoundSeconds = given.delayBoundSeconds ?? Math.max(7 * DAY, 2 * limitSeconds);
	const resources = { memoryBytes, diskBytes, expectedSeconds, limitSeconds, delayBoundSeconds, maxOutputBytes };
	return { resources, notes, warnings: warningsOf(sizes, given, resources) };
}

function warningsOf(sizes: ImageSizes, given: Partial<Resources>, resources: Resources): string[] {
	const found: string[] = [];
	const oldDisk = sizes.packBytes + sizes.inputBytes + resources.maxOutputBytes + DISK_MARGIN;
	if (given.diskBytes !== undefined && given.diskBytes < oldDisk) {
		found.push(
			`${formatBytes(given.diskBytes)} of disk are less than image, inputs, the largest result and 100 MB for logs together (${formatBytes(oldDisk)}). A client aborts a job that uses more than its limit.`,
		);
	}
	if (resources.limitSeconds < resources.expectedSeconds) {
		found.push(
			`The time limit of ${formatSeconds(resources.limitSeconds)} is below the expected time of ${formatSeconds(resources.expectedSeconds)}.`,
		);
	}
	if (resources.delayBoundSeconds < resources.expectedSeconds) {
		found.push(
			`Hosts must return a job within ${formatSeconds(resources.delayBoundSeconds)}, and the job is expected to run for ${formatSeconds(resources.expectedSeconds)}. BOINC sends such a job to nobody.`,
		);
	}
	return found;
}

/** How many times as fast as one core of its host BOINC takes a job to run, before it has results. */
export const expectedCores = (cpus: number, gpus: number): number => cpus + GPU_CORES * gpus;

/** BOINC's own limit of operations for a job that the runner stops after so many seconds. */
export const backstopOperations = (limitSeconds: number): number => Math.max(limitSeconds, 600) * BACKSTOP_FLOPS;

/**
 * The limits as BOINC's columns want them. `hosts` is what hosts must have where that is more than the job's own limits: BOINC
 * chooses hosts by the columns, and the client ends a job that uses more disk. BOINC takes a job with several processors or a GPU for as much
 * faster (`expectedCores`), so the expected operations are those of all of them.
 */
export function boincBounds(
	resources: Resources,
	hosts: { readonly memoryBytes: number; readonly diskBytes: number } = { memoryBytes: 0, diskBytes: 0 },
	{ cpus, gpu }: Equipment = { cpus: 1 },
): {
	readonly rscFpopsEst: number;
	readonly rscFpopsBound: number;
	readonly rscMemoryBound: number;
	readonly rscDiskBound: number;
	readonly delayBound: number;
} {
	return {
		rscFpopsEst: resources.expectedSeconds * REFERENCE_FLOPS * expectedCores(cpus, gpu ? 1 : 0),
		rscFpopsBound: backstopOperations(resources.limitSeconds),
		rscMemoryBound: Math.ceil(Math.max(resources.memoryBytes, hosts.memoryBytes)),
		rscDiskBound: Math.ceil(Math.max(resources.diskBytes, hosts.diskBytes)),
		delayBound: Math.ceil(resources.delayBoundSeconds),
	};
}
