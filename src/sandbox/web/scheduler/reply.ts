import { escapeXml } from '../lenientXml.js';
import type { ServerConfig } from '../serverConfig.js';

/** Version of the stock scheduler whose replies ours look like. */
const SCHEDULER_VERSION = 803;
const MAX_DELAY = 2 * 86_400;

/** Collects what goes into a scheduler reply. */
export class Reply {
	readonly messages: { readonly text: string; readonly priority: 'low' | 'notice' }[] = [];
	readonly acks: string[] = [];
	readonly aborts: string[] = [];
	readonly abortsIfNotStarted: string[] = [];
	/** XML blocks by the name that must not be repeated. */
	readonly apps = new Map<string, string>();
	readonly appVersions = new Map<string, string>();
	readonly workunits = new Map<string, string>();
	readonly results: string[] = [];
	user: { readonly id: number; readonly name: string } | undefined;
	/** Only for a host that is new to the client. */
	newHostId: number | undefined;
	codeSignKey: string | undefined;
	projectIsDown = false;
	/** The client takes our estimates of durations as they are, without a factor of its own. */
	dontUseDcf = false;
	/** Seconds. */
	delay = 0;

	constructor(private readonly config: ServerConfig) {}

	/** Adds a message to the volunteer once. */
	message(text: string, priority: 'low' | 'notice' = 'low'): void {
		if (!this.messages.some((message) => message.text === text)) {
			this.messages.push({ text, priority });
		}
	}

	/** Clients stay away for at least `seconds`. */
	delayAtLeast(seconds: number): void {
		this.delay = Math.max(this.delay, seconds);
	}

	/** The reply as a document: elements before what refers to them, each on a line of its own. */
	toXml(): string {
		const { config } = this;
		const interval = config.minSendworkInterval;
		const least = interval > 0 ? Math.max(1.01 * interval, interval + 1) : 0;
		const delay = Math.min(Math.max(this.delay, least), MAX_DELAY);
		const element = (name: string, value: string | number): string => `<${name}>${escapeXml(String(value))}</${name}>\n`;
		const named = (tag: string, names: readonly string[]): string[] =>
			names.map((name) => `<${tag}>\n${element('name', name)}</${tag}>\n`);
		const parts = [
			'<scheduler_reply>\n',
			element('scheduler_version', SCHEDULER_VERSION),
			this.dontUseDcf ? '<dont_use_dcf/>\n' : '',
			element('master_url', config.masterUrl),
			delay > 0 ? element('request_delay', delay.toFixed(6)) : '',
			...this.messages.map(({ text, priority }) => `<message priority="${priority}">${escapeXml(text)}</message>\n`),
			element('project_name', config.longName),
			this.projectIsDown ? '<project_is_down/>\n' : '',
			config.nextRpcDelay > 0 ? element('next_rpc_delay', config.nextRpcDelay.toFixed(6)) : '',
			this.user ? element('userid', this.user.id) + element('user_name', this.user.name) : '',
			this.newHostId === undefined ? '' : element('hostid', this.newHostId),
			...named('result_ack', this.acks),
			...named('result_abort', this.aborts),
			...named('result_abort_if_not_started', this.abortsIfNotStarted),
			...this.apps.values(),
			...this.appVersions.values(),
			...this.workunits.values(),
			...this.results,
			this.codeSignKey === undefined ? '' : `<code_sign_key>\n${this.codeSignKey}\n</code_sign_key>\n`,
			'</scheduler_reply>\n',
		];
		return parts.join('');
	}
}

/** The short reply of a scheduler that cannot work at all: no feeder, stopped, no database. */
export function downReply(message: string, delay: number): string {
	return (
		'<scheduler_reply>\n' +
		`    <message priority="low">${escapeXml(message)}</message>\n` +
		`    <request_delay>${Math.round(delay)}</request_delay>\n` +
		'    <project_is_down/>\n' +
		'</scheduler_reply>\n'
	);
}
