import { BoincError } from '../../common/errors.js';
import { plural } from '../../common/format.js';
import { architectureOf, runtimeOf } from '../apps.js';
import { gpuWords, sameGpu } from '../gpu.js';
import { type Equipment, equipmentOf } from '../ownPlanClasses.js';
import type { Architecture, Platform, Runtime } from '../types.js';
import { formatVersion, type InstallSpec, parseVersion } from './spec.js';
import { RUNNER_PREFIX, type VersionFile, versionXml, type WantedVersion, wantedVersions } from './versionFiles.js';

/** An app version to be made. */
export interface NewVersion {
	readonly platform: Platform;
	readonly planClass: string;
	readonly versionNum: number;
	/** `1.00/x86_64-pc-linux-gnu__docker`, below `apps/APP/`. */
	readonly directory: string;
	readonly files: readonly VersionFile[];
	readonly versionXml: string;
}

/** An `app_version` row of the app. */
export interface ExistingVersion {
	readonly versionNum: number;
	readonly platform: string;
	readonly planClass: string;
	readonly deprecated: boolean;
	/** Physical names with sizes from its `xml_doc`. */
	readonly files: ReadonlyMap<string, number>;
}

/** Names and sizes of the `<file_info>`s of an `xml_doc`, which is no complete document. */
export function filesOfXmlDoc(xmlDoc: string): Map<string, number> {
	const files = new Map<string, number>();
	for (const [, info = ''] of xmlDoc.matchAll(/<file_info>(.*?)<\/file_info>/gs)) {
		const name = /<name>\s*(.*?)\s*<\/name>/s.exec(info)?.[1];
		const size = /<nbytes>\s*([\d.e+]+)\s*<\/nbytes>/.exec(info)?.[1];
		if (name !== undefined) {
			files.set(name, Number(size ?? Number.NaN));
		}
	}
	return files;
}

function sameFiles(existing: ExistingVersion, files: readonly VersionFile[]): boolean {
	return (
		existing.files.size === files.length && files.every((file) => existing.files.get(file.physicalName) === file.content.size)
	);
}

/** What is to be made, and what a person should know about it. */
export interface VersionPlan {
	readonly create: readonly NewVersion[];
	readonly upToDate: readonly { readonly platform: Platform; readonly runtime: Runtime; readonly versionNum: number }[];
	readonly warnings: readonly string[];
}

/**
 * Decides which app versions to make. All platforms and runtimes of an architecture share one number, even for amd64 and odd for
 * arm64, because a job that is pinned to the number must reach all of them. `taken` holds the MD5 of files that are at
 * the top level of `download/` under names that we want.
 */
export function planVersions(
	spec: InstallSpec,
	existing: readonly ExistingVersion[],
	taken: ReadonlyMap<string, string>,
): VersionPlan {
	const create: NewVersion[] = [];
	const upToDate: VersionPlan['upToDate'][number][] = [];
	const warnings: string[] = [];
	const highest = Math.max(0, ...existing.map((version) => version.versionNum));
	const nextEven = parseVersion(spec.version) ?? Math.max(100, Math.ceil((highest + 1) / 2) * 2);
	const all = wantedVersions(spec, taken);
	for (const architecture of ['amd64', 'arm64'] as const) {
		const wanted = all.filter(({ platform }) => architectureOf(platform) === architecture);
		const installed = existing.filter((version) => isOurs(version, architecture));
		const current = Math.max(0, ...installed.map((version) => version.versionNum));
		const atCurrent = new Map(
			installed.filter((version) => version.versionNum === current).map((version) => [targetOf(version), version]),
		);
		const agrees = wanted.every((each) => {
			const version = atCurrent.get(targetOf(each));
			return !version || sameFiles(version, each.files);
		});
		const sameRunner = [...atCurrent.values()].every((version) => sharesRunner(version, wanted[0]?.files ?? []));
		const keep = current > 0 && agrees && sameRunner && (spec.version === undefined || current >= nextEven);
		const versionNum = keep ? current : nextEven + (architecture === 'arm64' ? 1 : 0);
		for (const each of wanted) {
			if (keep && atCurrent.has(targetOf(each))) {
				upToDate.push({ platform: each.platform, runtime: each.runtime, versionNum });
			} else {
				create.push(newVersion(each, versionNum));
			}
		}
		const left = [...atCurrent].filter(([target]) => !wanted.some((each) => targetOf(each) === target));
		if (!keep && wanted.length > 0 && left.length > 0) {
			warnings.push(
				`Hosts of ${left.map(([, { platform, planClass }]) => `${platform} (${planClass})`).join(', ')} stay with version ${formatVersion(current)} and get none of the jobs that are for the newest number: no wrapper for them was given with version ${formatVersion(versionNum)}.`,
			);
		}
	}
	warnings.push(...foreignMachines(existing));
	refuseTakenNumbers(create, existing);
	return { create, upToDate, warnings };
}

/**
 * What the app gives a job: what is asked for, else what it gives now. Throws `conflicting-change` when it gives something else
 * now: BOINC would send its jobs to versions of either kind.
 */
export function equipmentFor(spec: InstallSpec, existing: readonly ExistingVersion[]): Equipment {
	const ours = existing.filter((version) => !version.deprecated && runsOurJobs(version));
	const now = ours.map(({ planClass }) => equipmentOf(planClass));
	const other = now.find(({ cpus }) => cpus !== spec.cpus);
	if (spec.cpus !== undefined && other !== undefined) {
		throw conflict(
			spec,
			`The app ${spec.app} gives each job ${plural(other.cpus, 'processor')}, and ${spec.cpus} are asked for: one app is for one number.`,
		);
	}
	const otherGpu = now.find(({ gpu }) => !sameGpu(gpu, spec.gpu));
	if (spec.gpu && otherGpu) {
		throw conflict(
			spec,
			`The app ${spec.app} gives each job ${gpuWords(otherGpu.gpu)}, and ${gpuWords(spec.gpu)} is asked for: one app is for one kind of jobs.`,
		);
	}
	return { cpus: spec.cpus ?? now[0]?.cpus ?? 1, gpu: spec.gpu ?? now[0]?.gpu };
}

const conflict = ({ app }: InstallSpec, message: string): BoincError =>
	new BoincError('conflicting-change', message, {
		remedy: 'Install another app for these jobs: give it another name, and name it as app in the job file.',
		detail: { app },
	});

function isOurs(version: ExistingVersion, architecture: Architecture): boolean {
	return !version.deprecated && runsOurJobs(version) && architectureOfName(version.platform) === architecture;
}

function runsOurJobs({ planClass, files }: ExistingVersion): boolean {
	return runtimeOf(planClass, hasRunner(files)) !== undefined;
}

const hasRunner = (files: ReadonlyMap<string, number>): boolean =>
	[...files.keys()].some((name) => name.startsWith(RUNNER_PREFIX));

/** BOINC sends a job to a host that has any version for it, also to one with the virtual machine of another system. */
function foreignMachines(existing: readonly ExistingVersion[]): string[] {
	const foreign = existing.filter(
		(version) => !version.deprecated && version.planClass.includes('vbox') && !hasRunner(version.files),
	);
	return foreign.map(
		({ platform, planClass, versionNum }) =>
			`The app has version ${formatVersion(versionNum)} for ${platform} (${planClass}), which is not ours and cannot run our jobs, but BOINC may choose it. Mark it as deprecated.`,
	);
}

const targetOf = ({ platform, planClass }: Pick<ExistingVersion, 'platform' | 'planClass'>): string =>
	`${platform}__${planClass}`;

function architectureOfName(platform: string): Architecture {
	return /^(aarch64|arm64)|arm64$/.test(platform) ? 'arm64' : 'amd64';
}

/** What is added later must carry the same runner and busybox as its siblings of that number. */
function sharesRunner(version: ExistingVersion, files: readonly VersionFile[]): boolean {
	return files.every(
		(file) => (file.logicalName !== 'runner' && file.logicalName !== 'busybox') || version.files.has(file.physicalName),
	);
}

function newVersion(wanted: WantedVersion, versionNum: number): NewVersion {
	const { platform, planClass, files } = wanted;
	return {
		platform,
		planClass,
		versionNum,
		directory: `${formatVersion(versionNum)}/${targetOf(wanted)}`,
		files,
		versionXml: versionXml(wanted),
	};
}

/** `bin/update_versions` silently skips numbers that are in the database, also withdrawn ones. */
function refuseTakenNumbers(create: readonly NewVersion[], existing: readonly ExistingVersion[]): void {
	for (const { platform, planClass, versionNum } of create) {
		if (existing.some((row) => targetOf(row) === targetOf({ platform, planClass }) && row.versionNum >= versionNum)) {
			throw new BoincError(
				'conflicting-change',
				`The app has version ${formatVersion(versionNum)} or a later one for ${platform} (${planClass}) already.`,
				{
					remedy: 'Leave the version out, or give a higher one.',
					detail: { platform, planClass, versionNum },
				},
			);
		}
	}
}
