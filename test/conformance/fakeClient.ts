import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { httpPost } from './http.js';
import type { Lab } from './lab.js';
import { PROBE_PLATFORM } from './probe.js';

/** A volunteer's account that exists only for the checks. */
export interface Volunteer {
	readonly id: number;
	readonly authenticator: string;
	readonly email: string;
	readonly passwordHash: string;
}

export interface RequestOptions {
	readonly authenticator?: string;
	readonly hostId?: number;
	readonly platform?: string;
	/** Seconds of work asked for. Default none. */
	readonly seconds?: number;
	/** Default 5.1.0; empty when the host has no engine. */
	readonly dockerVersion?: string;
	/** Default none. */
	readonly virtualboxVersion?: string;
	/** Default `fpu`. */
	readonly features?: string;
	/** A `<coprocs>` block: the GPUs of the host, and how much work it wants for them. */
	readonly coprocs?: string;
	readonly dontUseDocker?: 'yes' | 'no';
	/** Names of the tasks that the host still has. */
	readonly inProgress?: readonly string[];
	/** `<result>` blocks of finished tasks. */
	readonly reports?: readonly string[];
	/** The code signing key that the client already has. */
	readonly codeSignKey?: string;
}

export interface Reply {
	readonly text: string;
	/** Content of each element of that name, at any depth. */
	all(element: string): string[];
	one(element: string): string | undefined;
	messages(): string[];
	readonly delay: number;
}

/** The least of a BOINC client: it asks, is given a task, uploads and reports. One host; it waits as told between requests. */
export class FakeClient {
	readonly #lab: Lab;
	readonly #url: string;
	readonly #authenticator: string;
	readonly #cpid = randomBytes(16).toString('hex');
	#seqno = 0;
	#earliest = 0;
	hostId = 0;

	constructor(lab: Lab, url: string, volunteer: Volunteer) {
		this.#lab = lab;
		this.#url = url;
		this.#authenticator = volunteer.authenticator;
	}

	/** Sends a request as soon as the server allows it. */
	async ask(options: RequestOptions = {}): Promise<Reply> {
		await sleep(Math.max(0, this.#earliest - Date.now()));
		const answer = await httpPost(this.#lab.connection, this.#url, this.#request(options));
		const reply = parseReply(answer.body.toString('utf8'));
		if (answer.status !== 200 || !reply.text.includes('<scheduler_reply>')) {
			throw new Error(`the scheduler answers ${answer.status}: ${reply.text.slice(0, 500)}`);
		}
		const hostId = Number(reply.one('hostid') ?? 0);
		if (hostId > 0) {
			this.hostId = hostId;
		}
		this.#earliest = Date.now() + Math.min(reply.delay, 30) * 1000 + 200;
		return reply;
	}

	#request(options: RequestOptions): string {
		this.#seqno++;
		const seconds = options.seconds ?? 0;
		const docker = options.dockerVersion ?? '5.1.0';
		const lines = [
			'<scheduler_request>',
			`<authenticator>${options.authenticator ?? this.#authenticator}</authenticator>`,
			`<hostid>${options.hostId ?? this.hostId}</hostid>`,
			`<rpc_seqno>${this.#seqno}</rpc_seqno>`,
			'<core_client_major_version>8</core_client_major_version>',
			'<core_client_minor_version>2</core_client_minor_version>',
			'<core_client_release>8</core_client_release>',
			'<resource_share_fraction>1.000000</resource_share_fraction>',
			'<rrs_fraction>1.000000</rrs_fraction>',
			'<prrs_fraction>1.000000</prrs_fraction>',
			'<duration_correction_factor>1.000000</duration_correction_factor>',
			...(options.dontUseDocker === 'yes' ? ['<dont_use_docker/>'] : []),
			`<work_req_seconds>${seconds.toFixed(6)}</work_req_seconds>`,
			`<cpu_req_secs>${seconds.toFixed(6)}</cpu_req_secs>`,
			`<cpu_req_instances>${seconds > 0 ? '1.000000' : '0.000000'}</cpu_req_instances>`,
			'<estimated_delay>0.000000</estimated_delay>',
			'<client_cap_plan_class>1</client_cap_plan_class>',
			`<platform_name>${options.platform ?? PROBE_PLATFORM}</platform_name>`,
			...(options.codeSignKey === undefined ? [] : ['<code_sign_key>', options.codeSignKey.trim(), '</code_sign_key>']),
			'<time_stats>',
			'<on_frac>1.000000</on_frac>',
			'<connected_frac>-1.000000</connected_frac>',
			'<active_frac>1.000000</active_frac>',
			'</time_stats>',
			'<host_info>',
			'<timezone>0</timezone>',
			`<domain_name>${this.#cpid.slice(0, 12)}</domain_name>`,
			'<ip_addr>127.0.0.1</ip_addr>',
			`<host_cpid>${this.#cpid}</host_cpid>`,
			'<p_ncpus>1</p_ncpus>',
			'<p_vendor>Conformance</p_vendor>',
			'<p_model>Conformance</p_model>',
			`<p_features>${options.features ?? 'fpu'}</p_features>`,
			'<p_fpops>1000000000.000000</p_fpops>',
			'<p_iops>1000000000.000000</p_iops>',
			'<p_membw>1000000000.000000</p_membw>',
			'<p_calculated>1700000000.000000</p_calculated>',
			'<m_nbytes>8000000000.000000</m_nbytes>',
			'<m_cache>1000000.000000</m_cache>',
			'<m_swap>8000000000.000000</m_swap>',
			'<d_total>100000000000.000000</d_total>',
			'<d_free>90000000000.000000</d_free>',
			'<os_name>Linux</os_name>',
			'<os_version>1</os_version>',
			...(docker === '' ? [] : [`<docker_version>${docker}</docker_version>`, '<docker_type>2</docker_type>']),
			...(options.virtualboxVersion === undefined
				? []
				: [`<virtualbox_version>${options.virtualboxVersion}</virtualbox_version>`]),
			'</host_info>',
			'<disk_usage>',
			'<d_boinc_used_total>0.000000</d_boinc_used_total>',
			'<d_boinc_used_project>0.000000</d_boinc_used_project>',
			'<d_project_share>50000000000.000000</d_project_share>',
			'</disk_usage>',
			...(options.coprocs === undefined ? [] : [options.coprocs]),
			...(options.reports ?? []),
			'<other_results>',
			...(options.inProgress ?? []).map((name) => `<other_result>\n<name>${name}</name>\n</other_result>`),
			'</other_results>',
			'</scheduler_request>',
		];
		return `${lines.join('\n')}\n`;
	}
}

export interface Task {
	readonly name: string;
	readonly appVersionNum: number;
	readonly exitStatus: number;
	/** 5 = everything uploaded. */
	readonly state: number;
	readonly output?: { readonly name: string; readonly bytes: Buffer };
}

/** The `<result>` block that reports a finished task. */
export function report(task: Task): string {
	const { output } = task;
	const lines = [
		'<result>',
		`<name>${task.name}</name>`,
		'<final_cpu_time>0.500000</final_cpu_time>',
		// The scheduler cuts it down to the time since sending.
		'<final_elapsed_time>1.000000</final_elapsed_time>',
		`<exit_status>${task.exitStatus}</exit_status>`,
		`<state>${task.state}</state>`,
		`<platform>${PROBE_PLATFORM}</platform>`,
		`<version_num>${task.appVersionNum}</version_num>`,
		'<plan_class>b2dprobe_docker</plan_class>',
		'<final_peak_working_set_size>1048576</final_peak_working_set_size>',
		'<final_peak_swap_size>2097152</final_peak_swap_size>',
		'<final_peak_disk_usage>3145728</final_peak_disk_usage>',
		`<app_version_num>${task.appVersionNum}</app_version_num>`,
		'<stderr_out>',
		'<core_client_version>8.2.8</core_client_version>',
		'<![CDATA[',
		'<stderr_txt>',
		'said on stderr, with a "quote" and an \'apostrophe\'',
		'</stderr_txt>',
		']]>',
		'</stderr_out>',
		...(output
			? [
					'<file_info>',
					`<name>${output.name}</name>`,
					`<nbytes>${output.bytes.length}.000000</nbytes>`,
					'<max_nbytes>1000000.000000</max_nbytes>',
					`<md5_cksum>${createHash('md5').update(output.bytes).digest('hex')}</md5_cksum>`,
					'</file_info>',
				]
			: []),
		'</result>',
	];
	return lines.join('\n');
}

export function parseReply(text: string): Reply {
	const all = (element: string): string[] =>
		[...text.matchAll(new RegExp(`<${element}(?: [^>]*)?>([\\s\\S]*?)</${element}>`, 'g'))].map((match) =>
			(match[1] ?? '').trim(),
		);
	return {
		text,
		all,
		one: (element) => all(element)[0],
		messages: () => all('message'),
		delay: Number(all('request_delay')[0] ?? 0),
	};
}

/** What the upload handler says. */
export interface UploadAnswer {
	readonly status: number;
	readonly message: string;
	readonly size: number | undefined;
}

const CLIENT_LINES =
	'    <core_client_major_version>8</core_client_major_version>\n    <core_client_minor_version>2</core_client_minor_version>\n    <core_client_release>8</core_client_release>\n';

/** Sends `bytes` of a file of `nbytes`, beginning at `offset`, as a client does. */
export async function upload(
	lab: Lab,
	name: string,
	bytes: Buffer,
	how: { readonly offset?: number; readonly nbytes?: number; readonly maxBytes?: number } = {},
): Promise<UploadAnswer> {
	const header = `<data_server_request>\n${CLIENT_LINES}<file_upload>\n<file_info>\n<name>${name}</name>\n<xml_signature>\n</xml_signature>\n<max_nbytes>${how.maxBytes ?? 1000000}</max_nbytes>\n</file_info>\n<nbytes>${how.nbytes ?? bytes.length}</nbytes>\n<md5_cksum>${createHash('md5').update(bytes).digest('hex')}</md5_cksum>\n<offset>${how.offset ?? 0}</offset>\n<data>\n`;
	return answerOf(await httpPost(lab.connection, lab.project.config.uploadUrl, Buffer.concat([Buffer.from(header), bytes])));
}

/** How much of an output the server has. */
export async function uploadedSize(lab: Lab, name: string): Promise<UploadAnswer> {
	const body = `<data_server_request>\n${CLIENT_LINES}<get_file_size>${name}</get_file_size>\n</data_server_request>\n`;
	return answerOf(await httpPost(lab.connection, lab.project.config.uploadUrl, body));
}

function answerOf(answer: { status: number; body: Buffer }): UploadAnswer {
	const reply = parseReply(answer.body.toString('utf8'));
	const status = reply.one('status');
	if (answer.status !== 200 || status === undefined || !reply.text.includes('<data_server_reply>')) {
		throw new Error(`the upload handler answers ${answer.status}: ${reply.text.slice(0, 300)}`);
	}
	const size = reply.one('file_size');
	return { status: Number(status), message: reply.one('message') ?? '', size: size === undefined ? undefined : Number(size) };
}
