import { childNumber, childOf, childText, readLenient } from '../web/lenientXml.js';

/** What a task learns from the client's `init_data.xml`. */
export interface InitData {
	/** Name of the project's folder on the client: `example.org_proj`. */
	readonly projectDir: string;
	readonly wuName: string;
	readonly resultName: string;
	readonly ncpus: number;
	/** Seconds of processor time of earlier runs. */
	readonly wuCpuTime: number;
	/** 0 when the client does not say. */
	readonly clientPid: number;
	/** `undefined` when the client reports no engine, as clients before 8.1 do. */
	readonly engine: 'docker' | 'podman' | undefined;
}

/** Reads the text of an `init_data.xml`; `undefined` when it is none. */
export function parseInitData(text: string): InitData | undefined {
	const data = childOf(readLenient(text), 'app_init_data');
	if (!data) {
		return undefined;
	}
	const host = childOf(data, 'host_info');
	const type = childNumber(host, 'docker_type');
	const known = childText(host, 'docker_version') !== '';
	return {
		projectDir: childText(data, 'project_dir').split('/').at(-1) ?? '',
		wuName: childText(data, 'wu_name'),
		resultName: childText(data, 'result_name'),
		ncpus: childNumber(data, 'ncpus', 1),
		wuCpuTime: childNumber(data, 'wu_cpu_time'),
		clientPid: childNumber(data, 'client_pid'),
		engine: known && type === 1 ? 'docker' : known && type === 2 ? 'podman' : undefined,
	};
}

/** Name of the image or container of a job, `boinc__PROJDIR__NAME` in lower case. */
export function boincName(projectDir: string, name: string): string {
	return `boinc__${projectDir.toLowerCase()}__${name.toLowerCase()}`;
}
