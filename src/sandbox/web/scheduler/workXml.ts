import { escapeXml } from '../lenientXml.js';
import type { HostUsage } from './capacity.js';

/** C's `%f`. */
const fixed = (value: number): string => value.toFixed(6);

/** The `<app>` block of a reply. */
export function appXml(app: { readonly name: string; readonly friendlyName: string; readonly nonCpuIntensive: boolean }): string {
	return (
		'<app>\n' +
		`    <name>${escapeXml(app.name)}</name>\n` +
		`    <user_friendly_name>${escapeXml(app.friendlyName)}</user_friendly_name>\n` +
		`    <non_cpu_intensive>${app.nonCpuIntensive ? 1 : 0}</non_cpu_intensive>\n` +
		'    <fraction_done_exact>0</fraction_done_exact>\n' +
		'</app>\n'
	);
}

export interface VersionUse {
	readonly platform: string;
	readonly versionNum: number;
	readonly planClass: string;
	readonly avgNcpus: number;
	/** Floating point operations a second that the version is expected to reach on the host. */
	readonly flops: number;
	/** What the plan class adds to the command line. */
	readonly commandLine: string;
	readonly gpu?: HostUsage['gpu'];
}

/**
 * The files and the `<app_version>` of a version, with what depends on the host. `undefined` when the stored text has no
 * end tag: the stock scheduler then sends nothing useful either.
 */
export function appVersionXml(xmlDoc: string, use: VersionUse): string | undefined {
	const end = xmlDoc.indexOf('</app_version>');
	if (end < 0) {
		return undefined;
	}
	return (
		xmlDoc.slice(0, end) +
		`    <platform>${escapeXml(use.platform)}</platform>\n` +
		(use.planClass === '' ? '' : `    <plan_class>${escapeXml(use.planClass)}</plan_class>\n`) +
		`    <avg_ncpus>${fixed(use.avgNcpus)}</avg_ncpus>\n` +
		`    <flops>${fixed(use.flops)}</flops>\n` +
		(use.gpu ? coprocXml(use.gpu) : '') +
		(use.commandLine === '' ? '' : `    <cmdline>${escapeXml(use.commandLine)}</cmdline>\n`) +
		'</app_version>\n'
	);
}

/** Names of GPUs in replies. */
const COPROC_NAMES = { nvidia: 'NVIDIA', amd: 'ATI', intel: 'intel_gpu', apple: 'apple_gpu' } as const;

const coprocXml = ({ type, count, ramBytes }: NonNullable<HostUsage['gpu']>): string =>
	`    <coproc>\n        <type>${COPROC_NAMES[type]}</type>\n        <count>${fixed(count)}</count>\n    </coproc>\n` +
	(ramBytes > 0 ? `    <gpu_ram>${fixed(ramBytes)}</gpu_ram>\n` : '');

export interface WorkunitValues {
	readonly name: string;
	readonly appName: string;
	readonly fpopsEst: number;
	readonly fpopsBound: number;
	readonly memoryBound: number;
	readonly diskBound: number;
}

/**
 * The stored description of a job with its numbers. Like the stock scheduler it looks for `<workunit>` alone on its line;
 * `undefined` without it.
 */
export function workunitXml(xmlDoc: string, values: WorkunitValues): string | undefined {
	return insertAfter(
		xmlDoc,
		'<workunit>\n',
		`    <rsc_fpops_est>${fixed(values.fpopsEst)}</rsc_fpops_est>\n` +
			`    <rsc_fpops_bound>${fixed(values.fpopsBound)}</rsc_fpops_bound>\n` +
			`    <rsc_memory_bound>${fixed(values.memoryBound)}</rsc_memory_bound>\n` +
			`    <rsc_disk_bound>${fixed(values.diskBound)}</rsc_disk_bound>\n` +
			`    <name>${escapeXml(values.name)}</name>\n` +
			`    <app_name>${escapeXml(values.appName)}</app_name>\n`,
	)?.replace(/\n*$/, '\n');
}

/**
 * The stored description of an instance with names and deadline, which go behind `<result>` directly followed by a line
 * feed. Without that text the stock scheduler marks the instance as sent but the client never gets it; `undefined` then.
 */
export function resultXml(
	xmlDocIn: string,
	values: { readonly name: string; readonly wuName: string; readonly deadline: number; readonly use: VersionUse },
): string | undefined {
	const named = insertAfter(
		xmlDocIn,
		'<result>\n',
		`    <report_deadline>${values.deadline}</report_deadline>\n` +
			`    <wu_name>${escapeXml(values.wuName)}</wu_name>\n` +
			`    <name>${escapeXml(values.name)}</name>\n`,
	);
	const end = named?.indexOf('</result>') ?? -1;
	if (named === undefined || end < 0) {
		return undefined;
	}
	return (
		`${named.slice(0, end)}\n` +
		`    <platform>${escapeXml(values.use.platform)}</platform>\n` +
		`    <version_num>${values.use.versionNum}</version_num>\n` +
		`    <plan_class>${escapeXml(values.use.planClass)}</plan_class>\n` +
		'</result>\n'
	);
}

function insertAfter(text: string, mark: string, insertion: string): string | undefined {
	const index = text.indexOf(mark);
	return index < 0 ? undefined : text.slice(0, index + mark.length) + insertion + text.slice(index + mark.length);
}
