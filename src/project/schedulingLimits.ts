import { readText } from './install/survey.js';
import type { Project } from './project.js';
import { parseXml, xmlFlag } from './xml.js';

/** What `config.xml` says about how many jobs go where. */
export interface SchedulingLimits {
	/** Jobs that the feeder offers at a time (`shmem_work_items`). */
	readonly feederSlots: number;
	/** Jobs a day for each processor, host and app version; 0 = no limit. */
	readonly dailyQuota: number;
	/** Unfinished jobs for each processor of a host; 0 = no limit. */
	readonly inProgress: number;
	/** The same for jobs with a GPU, for each GPU. */
	readonly inProgressGpu: number;
	/** Whether a second instance of a job stays away from the user or the host of the first. */
	readonly oneResultPerUser: boolean;
	readonly oneResultPerHost: boolean;
}

const DEFAULT_FEEDER_SLOTS = 100;

/** Reads the limits from the project's `config.xml`. Rejects with `config-invalid` or `file-not-found`. */
export async function readSchedulingLimits(project: Project): Promise<SchedulingLimits> {
	const text = (await readText(project, 'config.xml')) ?? '<boinc/>';
	const config = (await parseXml(text, `${project.root}/config.xml`)).child('config');
	const number = (name: string): number => Math.max(0, Number.parseInt(config?.childText(name) ?? '', 10) || 0);
	return {
		feederSlots: number('shmem_work_items') || DEFAULT_FEEDER_SLOTS,
		dailyQuota: number('daily_result_quota'),
		inProgress: number('max_wus_in_progress'),
		inProgressGpu: number('max_wus_in_progress_gpu'),
		oneResultPerUser: xmlFlag(config?.childText('one_result_per_user_per_wu')),
		oneResultPerHost: xmlFlag(config?.childText('one_result_per_host_per_wu')),
	};
}
