import type { Content } from '../../common/content.js';
import { BoincError } from '../../common/errors.js';
import type { GpuNeeds } from '../gpu.js';
import { type Equipment, MOST_MACHINE_CPUS } from '../ownPlanClasses.js';
import { type Architecture, type Platform, type Runtime, VM_PLATFORMS } from '../types.js';

/** A wrapper program for one platform. */
export interface WrapperFile {
	readonly platform: Platform;
	/** Physical name on the server and on hosts; carries the wrapper's version. */
	readonly fileName: string;
	readonly content: Content;
	/** Of the BOINC library in it, as `8.3.0`: clients go by it. Absent: it names none. */
	readonly apiVersion?: string;
}

/** A static busybox for the containers of one architecture. */
export interface BusyboxFile {
	readonly architecture: Architecture;
	readonly content: Content;
}

/** Which program decides whether results are valid. Script names are programs in the project's `bin/`. */
export type ValidatorChoice =
	| 'trivial'
	| 'bitwise'
	| 'none'
	| { readonly initScript: string; readonly compareScript?: string }
	| { readonly initScript?: string; readonly compareScript: string };

/**
 * `collect`: our script, which stores results by batch. A program in the project's `bin/` that BOINC's script_assimilator calls
 * as it calls ours (see `templates/assimilator.sh`). `none`: the app's assimilator is somebody else's business.
 */
export type AssimilatorChoice = 'collect' | 'none' | { readonly script: string };

/** Whether a text can be the name of a program in the project's `bin/`: BOINC loses arguments, and other characters break its commands. */
export function isScriptName(name: string): boolean {
	return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name);
}

/** What app versions for hosts with VirtualBox are made of, besides busybox and runner. */
export interface VmFiles {
	/** vboxwrapper programs; one app version is made for each. */
	readonly wrappers: readonly WrapperFile[];
	/** The image of a CD that the virtual machine boots. */
	readonly iso: Content;
	/** The empty disk that the guest formats and puts the job's image on. */
	readonly disk: Content;
}

/** What to install. */
export interface InstallSpec {
	/** BOINC's short name: letters, digits, `_` and `-`. */
	readonly app: string;
	/** For volunteers. */
	readonly friendlyName: string;
	/** `M.mm` with an even `mm`: the number of the amd64 versions; arm64 gets the next. Default: the next free one. */
	readonly version?: string;
	/** docker_wrapper programs; one app version is made for each. May be empty when there is `vm`. */
	readonly wrappers: readonly WrapperFile[];
	/** Absent: no app versions for VirtualBox are made; those that exist stay. */
	readonly vm?: VmFiles;
	readonly busybox: readonly BusyboxFile[];
	/** The script that runs inside containers. */
	readonly runner: Content;
	/** Processors of each job. Absent: what the app gives now, else 1. */
	readonly cpus?: number;
	/** A GPU for each job. Absent: what the app gives now, else none. */
	readonly gpu?: GpuNeeds;
	/** Where results are collected on the server; relative to the project. Default `results/<app>`. */
	readonly resultsDir?: string;
	/** Absent: keep what the app has, else `trivial`. */
	readonly validator?: ValidatorChoice;
	/** Absent: keep what the app has, else `collect`. */
	readonly assimilator?: AssimilatorChoice;
	/**
	 * BOINC's text of the project's `code_sign_private`, to sign on this computer: only signatures are sent. Absent: the key
	 * on the server is used.
	 */
	readonly signingKey?: string;
}

/** Processors of a job; few hosts have more. */
export const MOST_CPUS = 256;

function invalid(message: string, remedy: string): BoincError {
	return new BoincError('install-failed', message, { remedy });
}

/** The runtimes that the spec makes app versions for. */
export function runtimesOf(spec: InstallSpec): Runtime[] {
	return [
		...(spec.wrappers.length > 0 ? (['docker'] as const) : []),
		...((spec.vm?.wrappers.length ?? 0) > 0 ? (['vm'] as const) : []),
	];
}

/** Platforms of all app versions, each once. */
export function platformsOf(spec: InstallSpec): Platform[] {
	return [...new Set([...spec.wrappers, ...(spec.vm?.wrappers ?? [])].map(({ platform }) => platform))];
}

/** Whether a text can be the short name of an app that we install. */
export function isAppName(name: string): boolean {
	return /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/.test(name);
}

/** Throws `install-failed` for a name that BOINC's tools would put unescaped into SQL, a shell command or a path. */
function checkNames(spec: InstallSpec): void {
	if (!isAppName(spec.app)) {
		throw invalid(`“${spec.app}” cannot be the name of an app.`, 'Use at most 64 letters, digits, dashes and underscores.');
	}
	// oxlint-disable-next-line no-control-regex -- none of them belongs into a name
	if (/['"\\`\u0000-\u001F\u007F]/.test(spec.friendlyName) || spec.friendlyName.trim() === '' || spec.friendlyName.length > 254) {
		throw invalid(
			`“${spec.friendlyName}” cannot be the friendly name of an app: BOINC’s xadd writes it into the database unescaped.`,
			'Use a name of at most 254 characters without quotes and backslashes.',
		);
	}
	checkFileNames([...spec.wrappers, ...(spec.vm?.wrappers ?? [])]);
	// oxlint-disable-next-line no-control-regex -- the folder's name is kept as one line of a file
	if (spec.resultsDir !== undefined && (spec.resultsDir.trim() === '' || /[\u0000-\u001F]/.test(spec.resultsDir))) {
		throw invalid(
			'The folder for results cannot be empty or hold line breaks.',
			'Give an absolute path, or one relative to the project.',
		);
	}
	const { validator, assimilator } = spec;
	checkScripts('validator', typeof validator === 'object' ? [validator.initScript, validator.compareScript] : []);
	checkScripts('assimilator', typeof assimilator === 'object' ? [assimilator.script] : []);
}

function checkScripts(role: string, scripts: readonly (string | undefined)[]): void {
	for (const script of scripts) {
		if (script !== undefined && !isScriptName(script)) {
			throw invalid(
				`“${script}” cannot be the name of a script of the ${role}.`,
				'Give the name of a program in the project’s bin folder, without arguments.',
			);
		}
	}
}

function checkFileNames(wrappers: readonly WrapperFile[]): void {
	for (const { fileName } of wrappers) {
		if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(fileName) || fileName.includes('..')) {
			throw invalid(
				`“${fileName}” cannot be the name of a file that clients download.`,
				'Rename the wrapper: letters, digits, dots, dashes, underscores.',
			);
		}
	}
}

/** Checks what can be checked without a server. Throws `install-failed` or `wrapper-missing`. */
export function checkSpec(spec: InstallSpec): void {
	checkNames(spec);
	const machines = spec.vm?.wrappers ?? [];
	if (spec.wrappers.length + machines.length === 0) {
		throw new BoincError('wrapper-missing', 'There is no wrapper program for any platform, so no app version can be made.', {
			remedy: 'Give a folder or an address with docker_wrapper programs.',
		});
	}
	for (const wrappers of [spec.wrappers, machines]) {
		const platforms = wrappers.map((wrapper) => wrapper.platform);
		const twice = platforms.find((platform, index) => platforms.indexOf(platform) !== index);
		if (twice) {
			throw invalid(`Two wrappers are given for ${twice}.`, 'Give one wrapper for each platform.');
		}
	}
	const wrong = machines.find(({ platform }) => !VM_PLATFORMS.includes(platform));
	if (wrong) {
		throw invalid(
			`There can be no version for VirtualBox on ${wrong.platform}: the virtual machine is for x86-64 processors.`,
			`Leave ${wrong.fileName} out.`,
		);
	}
	checkCpus(spec, machines.length > 0);
	checkGpu(spec);
	parseVersion(spec.version);
}

function checkCpus({ cpus = 1 }: InstallSpec, isForMachines: boolean): void {
	const most = isForMachines ? MOST_MACHINE_CPUS : MOST_CPUS;
	if (!Number.isInteger(cpus) || cpus < 1 || cpus > most) {
		throw invalid(`Jobs cannot have ${cpus} processors.`, `Give a whole number from 1 to ${most}.`);
	}
}

/** Throws `install-failed` for versions with VirtualBox, where virtual machines have no GPU. */
export function checkGpu(spec: InstallSpec): void {
	if (spec.gpu && runtimesOf(spec).includes('vm')) {
		throw invalid(
			`The jobs of the app ${spec.app} have a GPU, and VirtualBox gives a virtual machine none.`,
			'Leave VirtualBox out: runtimes: docker in the job file, or --runtime docker.',
		);
	}
}

/** What the spec says that each job gets. */
export const equipmentOfSpec = ({ cpus = 1, gpu }: InstallSpec): Equipment => ({ cpus, gpu });

/** `M.mm` as BOINC's number 100·M + mm; `undefined` for absent. Throws `install-failed`. */
export function parseVersion(version: string | undefined): number | undefined {
	if (version === undefined) {
		return undefined;
	}
	const match = /^(\d{1,5})\.(\d\d)$/.exec(version);
	const number = match ? Number(match[1]) * 100 + Number(match[2]) : 0;
	if (number <= 0 || number % 2 !== 0) {
		throw invalid(
			`“${version}” cannot be the version of the app.`,
			'Write it as 1.00: two digits after the dot, the last one even; the versions for ARM get the odd number after it.',
		);
	}
	return number;
}

/** BOINC's directory name of a version number: 102 → `1.02`. */
export function formatVersion(versionNum: number): string {
	return `${String(Math.floor(versionNum / 100))}.${String(versionNum % 100).padStart(2, '0')}`;
}
