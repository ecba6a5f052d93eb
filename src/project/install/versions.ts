import type { Content } from '../../common/content.js';
import { BoincError } from '../../common/errors.js';
import { architectureOf, isContainerClass } from '../apps.js';
import type { Architecture, Platform } from '../types.js';
import { formatVersion, type InstallSpec, parseVersion, type WrapperFile } from './spec.js';

/** The class of our app versions; BOINC's client and server go by the word in the name. */
export const PLAN_CLASS = 'docker';

/** One file of an app version. */
export interface VersionFile {
	readonly physicalName: string;
	/** Name in the slot; absent for the main program. */
	readonly logicalName?: string;
	readonly content: Content;
}

/** An app version to be made. */
export interface NewVersion {
	readonly platform: Platform;
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

/** Physical names of what we would install, so that the survey can look whether they are taken. */
export function wantedNames(spec: InstallSpec): Map<string, Content> {
	const names = new Map<string, Content>();
	for (const wrapper of spec.wrappers) {
		for (const file of filesFor(spec, wrapper, new Map())) {
			names.set(file.physicalName, file.content);
		}
	}
	return names;
}

function filesFor(spec: InstallSpec, wrapper: WrapperFile, taken: ReadonlyMap<string, string>): VersionFile[] {
	const architecture = architectureOf(wrapper.platform);
	const busybox = spec.busybox.find((file) => file.architecture === architecture);
	if (!busybox) {
		throw new BoincError(
			'wrapper-missing',
			`There is no static busybox for ${architecture}, which the app version for ${wrapper.platform} needs.`,
			{
				remedy: `Give a static busybox for ${architecture}, or leave ${wrapper.platform} out.`,
				detail: { architecture, platform: wrapper.platform },
			},
		);
	}
	const otherContent = taken.get(wrapper.fileName);
	const mainName =
		otherContent === undefined || otherContent === wrapper.content.md5
			? wrapper.fileName
			: withHash(wrapper.fileName, wrapper.content);
	return [
		{ physicalName: mainName, content: wrapper.content },
		{ physicalName: `b2d_busybox_${hash8(busybox.content)}_${architecture}`, logicalName: 'busybox', content: busybox.content },
		{ physicalName: `b2d_runner_${hash8(spec.runner)}`, logicalName: 'runner', content: spec.runner },
	];
}

function hash8(content: Content): string {
	return content.sha256.slice(0, 8);
}

/** `docker_wrapper_22_x.exe` → `docker_wrapper_22_x_0a1b2c3d.exe` */
function withHash(name: string, content: Content): string {
	const extension = /\.exe$/i.exec(name)?.[0] ?? '';
	return `${name.slice(0, name.length - extension.length)}_${hash8(content)}${extension}`;
}

function versionXml(files: readonly VersionFile[]): string {
	const lines = files.map(
		(file) =>
			`\t<file>\n\t\t<physical_name>${file.physicalName}</physical_name>\n${
				file.logicalName === undefined
					? '\t\t<main_program/>\n'
					: `\t\t<logical_name>${file.logicalName}</logical_name>\n\t\t<copy_file/>\n`
			}\t</file>\n`,
	);
	return `<version>\n${lines.join('')}\t<is_wrapper/>\n</version>\n`;
}

function sameFiles(existing: ExistingVersion, files: readonly VersionFile[]): boolean {
	return (
		existing.files.size === files.length && files.every((file) => existing.files.get(file.physicalName) === file.content.size)
	);
}

/** What is to be made, and what a person should know about it. */
export interface VersionPlan {
	readonly create: readonly NewVersion[];
	readonly upToDate: readonly { readonly platform: Platform; readonly versionNum: number }[];
	readonly warnings: readonly string[];
}

/**
 * Decides which app versions to make. All platforms of an architecture share one number, even for amd64 and odd for
 * arm64, because a job that is pinned to the number must reach all of them. `taken` holds the MD5 of files that are at
 * the top level of `download/` under names that we want.
 */
export function planVersions(
	spec: InstallSpec,
	existing: readonly ExistingVersion[],
	taken: ReadonlyMap<string, string>,
): VersionPlan {
	const create: NewVersion[] = [];
	const upToDate: { platform: Platform; versionNum: number }[] = [];
	const warnings: string[] = [];
	const highest = Math.max(0, ...existing.map((version) => version.versionNum));
	const nextEven = parseVersion(spec.version) ?? Math.max(100, Math.ceil((highest + 1) / 2) * 2);
	for (const architecture of ['amd64', 'arm64'] as const) {
		const wanted = spec.wrappers
			.filter((wrapper) => architectureOf(wrapper.platform) === architecture)
			.map((wrapper) => ({ platform: wrapper.platform, files: filesFor(spec, wrapper, taken) }));
		const installed = existing.filter((version) => isOurs(version, architecture));
		const current = Math.max(0, ...installed.map((version) => version.versionNum));
		const atCurrent = new Map(
			installed.filter((version) => version.versionNum === current).map((version) => [version.platform, version]),
		);
		const agrees = wanted.every(({ platform, files }) => {
			const version = atCurrent.get(platform);
			return !version || sameFiles(version, files);
		});
		const sameRunner = [...atCurrent.values()].every((version) => sharesRunner(version, wanted[0]?.files ?? []));
		const keep = current > 0 && agrees && sameRunner && (spec.version === undefined || current >= nextEven);
		const versionNum = keep ? current : nextEven + (architecture === 'arm64' ? 1 : 0);
		for (const { platform, files } of wanted) {
			if (keep && atCurrent.has(platform)) {
				upToDate.push({ platform, versionNum });
			} else {
				create.push(newVersion(platform, versionNum, files));
			}
		}
		const left = [...atCurrent.keys()].filter((platform) => !wanted.some((each) => each.platform === platform));
		if (!keep && wanted.length > 0 && left.length > 0) {
			warnings.push(
				`Hosts of ${left.join(', ')} get no new jobs: no wrapper for them was given with version ${formatVersion(versionNum)}.`,
			);
		}
	}
	refuseTakenNumbers(create, existing);
	return { create, upToDate, warnings };
}

function isOurs(version: ExistingVersion, architecture: Architecture): boolean {
	return !version.deprecated && isContainerClass(version.planClass) && architectureOfName(version.platform) === architecture;
}

function architectureOfName(platform: string): Architecture {
	return /^(aarch64|arm64)|arm64$/.test(platform) ? 'arm64' : 'amd64';
}

/** A platform that is added later must carry the same runner as its siblings of that number. */
function sharesRunner(version: ExistingVersion, files: readonly VersionFile[]): boolean {
	return files.every((file) => file.logicalName === undefined || version.files.has(file.physicalName));
}

function newVersion(platform: Platform, versionNum: number, files: readonly VersionFile[]): NewVersion {
	return {
		platform,
		versionNum,
		directory: `${formatVersion(versionNum)}/${platform}__${PLAN_CLASS}`,
		files,
		versionXml: versionXml(files),
	};
}

/** `bin/update_versions` silently skips numbers that are in the database, also withdrawn ones. */
function refuseTakenNumbers(create: readonly NewVersion[], existing: readonly ExistingVersion[]): void {
	for (const { platform, versionNum } of create) {
		if (existing.some((row) => row.platform === platform && row.planClass === PLAN_CLASS && row.versionNum >= versionNum)) {
			throw new BoincError(
				'conflicting-change',
				`The app has version ${formatVersion(versionNum)} or a later one for ${platform} already.`,
				{
					remedy: 'Leave the version out, or give a higher one.',
					detail: { platform, versionNum },
				},
			);
		}
	}
}
