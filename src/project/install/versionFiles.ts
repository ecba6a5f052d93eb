import startScript from '../../../templates/host/start.sh';
import { type Content, contentOfBytes } from '../../common/content.js';
import { BoincError } from '../../common/errors.js';
import { architectureOf } from '../apps.js';
import { ownPlanClass } from '../ownPlanClasses.js';
import type { Platform, Runtime } from '../types.js';
import { equipmentOfSpec, type InstallSpec, type WrapperFile } from './spec.js';

/** One file of an app version. */
export interface VersionFile {
	readonly physicalName: string;
	/** Name of the copy in the slot; absent for programs, which are run where they are. */
	readonly logicalName?: string;
	readonly content: Content;
	/** Made on this computer. Absent: `update_versions` signs the file with the key on the server. */
	readonly signature?: string;
}

/** An app version as it should be, whatever its number. */
export interface WantedVersion {
	readonly platform: Platform;
	readonly runtime: Runtime;
	readonly planClass: string;
	/** The first one is the main program. */
	readonly files: readonly VersionFile[];
	/** Of the BOINC library in the wrapper; absent: `update_versions` looks for it in the main program. */
	readonly apiVersion?: string;
}

/** Physical names of our runner begin so: by it our own app versions are recognised. */
export const RUNNER_PREFIX = 'b2d_runner_';

/** Every app version that the spec asks for. `taken` holds the MD5 of files that are at the top level of `download/`. */
export function wantedVersions(spec: InstallSpec, taken: ReadonlyMap<string, string>): WantedVersion[] {
	const classOf = (runtime: Runtime): string => ownPlanClass(runtime, equipmentOfSpec(spec)).name;
	return [
		...spec.wrappers.map((wrapper): WantedVersion => {
			const program = wrapperProgram(wrapper, taken);
			const start = isLinux(wrapper.platform) ? [startProgram(program)] : [];
			return {
				platform: wrapper.platform,
				runtime: 'docker',
				planClass: classOf('docker'),
				files: [...start, program, ...commonFiles(spec, wrapper.platform)],
				...(wrapper.apiVersion !== undefined && { apiVersion: wrapper.apiVersion }),
			};
		}),
		...(spec.vm?.wrappers ?? []).map((wrapper): WantedVersion => ({
			platform: wrapper.platform,
			runtime: 'vm',
			planClass: classOf('vm'),
			files: [wrapperProgram(wrapper, taken), ...commonFiles(spec, wrapper.platform), ...machineFiles(spec)],
		})),
	];
}

/** Physical names of what we would install, so that the survey can look whether they are taken. */
export function wantedNames(spec: InstallSpec): Map<string, Content> {
	return new Map(
		wantedVersions(spec, new Map()).flatMap(({ files }) => files.map(({ physicalName, content }) => [physicalName, content])),
	);
}

const isLinux = (platform: Platform): boolean => platform.endsWith('linux-gnu');

function wrapperProgram({ fileName, content }: WrapperFile, taken: ReadonlyMap<string, string>): VersionFile {
	const otherContent = taken.get(fileName);
	const isFree = otherContent === undefined || otherContent === content.md5;
	return { physicalName: isFree ? fileName : withHash(fileName, content), content };
}

/** What runs before docker_wrapper on Linux hosts and then becomes it. */
function startProgram(wrapper: VersionFile): VersionFile {
	const content = contentOfBytes(startScript.replaceAll('@WRAPPER@', wrapper.physicalName));
	return { physicalName: `b2d_start_${hash8(content)}`, content };
}

/** What both runtimes find in the slot. */
function commonFiles(spec: InstallSpec, platform: Platform): VersionFile[] {
	const architecture = architectureOf(platform);
	const busybox = spec.busybox.find((file) => file.architecture === architecture);
	if (!busybox) {
		throw new BoincError(
			'wrapper-missing',
			`There is no static busybox for ${architecture}, which the app version for ${platform} needs.`,
			{
				remedy: `Give a static busybox for ${architecture}, or leave ${platform} out.`,
				detail: { architecture, platform },
			},
		);
	}
	return [
		{ physicalName: `b2d_busybox_${hash8(busybox.content)}_${architecture}`, logicalName: 'busybox', content: busybox.content },
		{ physicalName: `${RUNNER_PREFIX}${hash8(spec.runner)}`, logicalName: 'runner', content: spec.runner },
	];
}

/** What vboxwrapper boots and writes to. It deletes the slot's files when the job ends, so they are copies like all others. */
function machineFiles({ vm }: InstallSpec): VersionFile[] {
	return vm
		? [
				{ physicalName: `b2d_vm_${hash8(vm.iso)}.iso`, logicalName: 'vm_isocontext.iso', content: vm.iso },
				{ physicalName: `b2d_disk_${hash8(vm.disk)}.vdi`, logicalName: 'vm_cache.vdi', content: vm.disk },
			]
		: [];
}

function hash8(content: Content): string {
	return content.sha256.slice(0, 8);
}

/** `docker_wrapper_22_x.exe` → `docker_wrapper_22_x_0a1b2c3d.exe` */
function withHash(name: string, content: Content): string {
	const extension = /\.exe$/i.exec(name)?.[0] ?? '';
	return `${name.slice(0, name.length - extension.length)}_${hash8(content)}${extension}`;
}

/** The text of `version.xml`. */
export function versionXml({ files, apiVersion }: WantedVersion): string {
	const lines = files.flatMap((file, index) => [
		'\t<file>',
		`\t\t<physical_name>${file.physicalName}</physical_name>`,
		...(index === 0 ? ['\t\t<main_program/>'] : []),
		...(file.logicalName === undefined ? [] : [`\t\t<logical_name>${file.logicalName}</logical_name>`, '\t\t<copy_file/>']),
		'\t</file>',
	]);
	const api = apiVersion === undefined ? [] : [`\t<api_version>${apiVersion}</api_version>`];
	return ['<version>', ...lines, ...api, '\t<is_wrapper/>', '</version>', ''].join('\n');
}
