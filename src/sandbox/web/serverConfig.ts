import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import { parseConfig } from '../../project/config.js';
import type { ProjectConfig } from '../../project/types.js';
import { parseXml, xmlFlag } from '../../project/xml.js';

/** What the web programs read of a project beside the common part: limits, switches and the scheduler's address. */
export interface ServerConfig extends ProjectConfig {
	readonly projectRoot: string;
	readonly schedulerUrl: string;
	/** Seconds that clients stay away when something is down. */
	readonly maintenanceDelay: number;
	readonly minSendworkInterval: number;
	/** Jobs in a request, a processor. */
	readonly maxWusToSend: number;
	/** Unfinished jobs of a host, a processor; 0 means no limit. */
	readonly maxWusInProgress: number;
	/** Jobs a day of a host and app version, a processor; 0 means no limit. */
	readonly dailyResultQuota: number;
	/** Seconds; 0 sends none. */
	readonly nextRpcDelay: number;
	/** Seconds added to the deadline in the database. */
	readonly gracePeriod: number;
	readonly maxNcpus: number;
	/** Results the feeder offers at a time. */
	readonly shmemWorkItems: number;
	readonly minCoreClientVersion: number;
	readonly resendLostResults: boolean;
	readonly oneResultPerUserPerWu: boolean;
	readonly oneResultPerHostPerWu: boolean;
	readonly dontStoreSuccessStderr: boolean;
	readonly ignoreUploadCertificates: boolean;
	readonly disableAccountCreation: boolean;
	/** `<sandbox_assume_docker/>`: clients too old to report an engine count as having one. */
	readonly assumeDocker: boolean;
}

const number = (text: string | undefined, otherwise: number): number => {
	const value = Number.parseFloat(text ?? '');
	return Number.isFinite(value) && value >= 0 ? value : otherwise;
};

/**
 * Reads `config.xml` and `html/user/schedulers.txt`. Web programs read them at each request, as CGI programs do. Throws
 * `config-invalid` or the system's error.
 */
export async function readServerConfig(projectRoot: string): Promise<ServerConfig> {
	const file = path.join(projectRoot, 'config.xml');
	const text = await readFile(file, 'utf8');
	const common = await parseConfig(text, projectRoot, file);
	const config = (await parseXml(text, file)).child('config');
	const value = (name: string): string | undefined => config?.childText(name);
	const flag = (name: string): boolean => xmlFlag(value(name));
	const oldest = number(value('min_core_client_version'), 0);
	return {
		...common,
		projectRoot,
		schedulerUrl: await readSchedulerUrl(projectRoot, common.masterUrl),
		maintenanceDelay: number(value('maintenance_delay'), 3600),
		minSendworkInterval: number(value('min_sendwork_interval'), 0),
		maxWusToSend: number(value('max_wus_to_send'), 10) || 10,
		maxWusInProgress: number(value('max_wus_in_progress'), 0),
		dailyResultQuota: number(value('daily_result_quota'), 0),
		nextRpcDelay: number(value('next_rpc_delay'), 0),
		gracePeriod: number(value('report_grace_period'), 0) || number(value('grace_period_hours'), 0) * 3600,
		maxNcpus: number(value('max_ncpus'), 64) || 64,
		shmemWorkItems: number(value('shmem_work_items'), 100) || 100,
		minCoreClientVersion: oldest > 0 && oldest < 10_000 ? oldest * 100 : oldest,
		resendLostResults: flag('resend_lost_results'),
		oneResultPerUserPerWu: flag('one_result_per_user_per_wu'),
		oneResultPerHostPerWu: flag('one_result_per_host_per_wu'),
		dontStoreSuccessStderr: flag('dont_store_success_stderr'),
		ignoreUploadCertificates: flag('ignore_upload_certificates'),
		disableAccountCreation: flag('disable_account_creation') || flag('disable_account_creation_rpc'),
		assumeDocker: flag('sandbox_assume_docker'),
	};
}

/** The first `<scheduler>` of `schedulers.txt`; without that file what BOINC would have written into it. */
async function readSchedulerUrl(projectRoot: string, masterUrl: string): Promise<string> {
	try {
		const lines = await readFile(path.join(projectRoot, 'html/user/schedulers.txt'), 'utf8');
		const url = /<scheduler>\s*([^<\s]+)\s*<\/scheduler>/.exec(lines)?.[1];
		if (url !== undefined) {
			return url;
		}
	} catch {
		// The file is optional here; a real project always has it.
	}
	return `${masterUrl.replace(/\/$/, '')}_cgi/cgi`;
}

/** Whether a trigger file (`stop_sched`, `stop_upload`) exists in the project. */
export async function isTriggered(projectRoot: string, name: string): Promise<boolean> {
	return stat(path.join(projectRoot, name)).then(
		() => true,
		() => false,
	);
}
