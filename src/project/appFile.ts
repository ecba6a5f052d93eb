import { messageOf } from '../common/errors.js';
import { GPU_TEXTS, type GpuNeeds, gpuNeeds, type GpuTexts } from './gpu.js';
import { type AssimilatorChoice, isAppName, isScriptName, type ValidatorChoice } from './install/spec.js';
import type { IsoSource } from './isoSource.js';
import { type Platform, PLATFORMS, type Runtime, RUNTIMES } from './types.js';
import { WRAPPER_PROGRAMS } from './wrapperNames.js';
import type { WrapperSource } from './wrapperSource.js';
import { readYamlMap, type YamlMap } from './yamlMap.js';

const DONT_INSTALL = ['template_in', 'template_out', 'assimilator'] as const;

/** What `boinc2docker.yml` says about installing an app. Keys of the original boinc2docker keep their names. */
export interface AppFile {
	/** `appname` */
	readonly app: string | undefined;
	/** `friendly_name` */
	readonly friendlyName: string | undefined;
	/** `appver`: `M.mm` with an even `mm`. */
	readonly version: string | undefined;
	/** `projhome`: the project's folder on the server. */
	readonly projectHome: string | undefined;
	/** `resultsdir` */
	readonly resultsDir: string | undefined;
	/** `tmpdir`: where downloads are kept on this machine. */
	readonly tempDir: string | undefined;
	/** `download_only`: fetch the programs, install nothing. */
	readonly downloadOnly: boolean;
	/** `resources.cpus`: processors of each job, which an app has one number of. */
	readonly cpus: number | undefined;
	/** `resources.gpu`: a GPU for each job. */
	readonly gpu: GpuNeeds | undefined;
	/** `dont_install` */
	readonly dontInstall: readonly (typeof DONT_INSTALL)[number][];
	/** `runtimes`; undefined: `docker`, and `vm` too where `iso` or `vboxwrapper` is given. */
	readonly runtimes: readonly Runtime[] | undefined;
	/** `wrapper`: a folder, an address, a release number or `latest`. */
	readonly wrapper: WrapperSource | undefined;
	/** `vboxwrapper`: the same for the wrapper of VirtualBox. */
	readonly vboxwrapper: WrapperSource | undefined;
	/** `iso`: a file or an address. */
	readonly iso: IsoSource | undefined;
	/** `busybox`: files, folders or addresses of static busybox programs. */
	readonly busybox: readonly string[];
	/** `platforms` */
	readonly platforms: readonly Platform[] | undefined;
	/** `validator`: `trivial`, `bitwise`, `none`, or a map with `init_script` and `compare_script`. */
	readonly validator: ValidatorChoice | undefined;
	/** `assimilator`: `collect`, `none`, or a map with `script`; `dont_install: [assimilator]` means `none`. */
	readonly assimilator: AssimilatorChoice | undefined;
	/** Plain sentences about keys that have no effect here. */
	readonly notes: readonly string[];
}

/**
 * Reads the install keys of a `boinc2docker.yml`; other keys belong to jobs and are left alone. Rejects with
 * `config-invalid` naming the line.
 */
export async function parseAppFile(text: string, name = 'boinc2docker.yml'): Promise<AppFile> {
	const map = await readYamlMap(text, name);
	const notes: string[] = [];
	const dontInstall = map.texts('dont_install').map((entry) => map.oneOf('dont_install', entry, DONT_INSTALL));
	if (dontInstall.some((entry) => entry !== 'assimilator')) {
		notes.push('Templates are made for each batch, so there are none of the app to leave out.');
	}
	const app = map.text('appname');
	if (app !== undefined && !isAppName(app)) {
		throw map.problem('appname', 'it may hold letters, digits, dashes and underscores only');
	}
	return {
		app,
		friendlyName: map.text('friendly_name'),
		version: version(map, notes),
		projectHome: map.text('projhome'),
		resultsDir: map.text('resultsdir'),
		tempDir: map.text('tmpdir'),
		downloadOnly: map.flag('download_only'),
		cpus: cpus(map),
		gpu: gpu(map),
		dontInstall,
		runtimes: map.has('runtimes') ? map.texts('runtimes').map((entry) => map.oneOf('runtimes', entry, RUNTIMES)) : undefined,
		wrapper: wrapperSource(map.text('wrapper')),
		vboxwrapper: vboxwrapper(map, notes),
		iso: iso(map, notes),
		busybox: map.texts('busybox'),
		platforms: map.has('platforms') ? map.texts('platforms').map((entry) => map.oneOf('platforms', entry, PLATFORMS)) : undefined,
		validator: validator(map),
		assimilator: dontInstall.includes('assimilator') ? 'none' : assimilator(map),
		notes,
	};
}

/** The original counted by ones; here the even numbers are for amd64 and the odd ones after them for arm64. */
function version(map: YamlMap, notes: string[]): string | undefined {
	const text = map.text('appver');
	if (text === undefined) {
		return undefined;
	}
	const match = /^(\d{1,5})(?:\.(\d{1,2}))?$/.exec(text);
	if (!match) {
		throw map.problem('appver', 'a version looks like 1.00');
	}
	const number = Number(match[1]) * 100 + Number(match[2] ?? '0');
	const even = number + (number % 2);
	if (even !== number) {
		notes.push(
			`appver ${text} becomes ${String(Math.floor(even / 100))}.${String(even % 100).padStart(2, '0')}: odd numbers are for ARM.`,
		);
	}
	if (even <= 0) {
		throw map.problem('appver', 'it must be greater than 0');
	}
	return `${String(Math.floor(even / 100))}.${String(even % 100).padStart(2, '0')}`;
}

function cpus(map: YamlMap): number | undefined {
	const text = map.map('resources')?.text('cpus');
	if (text !== undefined && !/^[1-9]\d{0,2}$/.test(text)) {
		throw map.problem('resources', 'cpus must be a whole number');
	}
	return text === undefined ? undefined : Number(text);
}

/** A kind of GPU, or a map with `type`. */
function gpu(map: YamlMap): GpuNeeds | undefined {
	const resources = map.map('resources');
	const inner = resources?.map('gpu');
	const texts: Partial<GpuTexts> = inner
		? Object.fromEntries(GPU_TEXTS.map((key) => [key, inner.text(key)]))
		: { type: resources?.text('gpu') };
	const { type } = texts;
	if (!inner && type === undefined) {
		return undefined;
	}
	try {
		return gpuNeeds({ ...texts, type: type ?? '' });
	} catch (error) {
		throw map.problem('resources', `gpu: ${messageOf(error).replace(/\.$/, '')}`);
	}
}

/** A folder, an address, a release number or `latest`. */
export function wrapperSource(text: string | undefined): WrapperSource | undefined {
	if (text === undefined) {
		return undefined;
	}
	if (/^https?:\/\//i.test(text)) {
		return { url: text };
	}
	return text === 'latest' || /^\d{1,6}$/.test(text) ? { release: text } : { folder: text };
}

/** A file or an address. */
export function isoSource(text: string): IsoSource {
	return /^https?:\/\//i.test(text) ? { url: text } : { file: text };
}

/** The original named releases from before 26208, for all platforms or for each; they cannot run our jobs. */
function vboxwrapper(map: YamlMap, notes: string[]): WrapperSource | undefined {
	const each = map.map('vboxwrapper');
	const releases = each ? each.keys().map((platform) => each.text(platform) ?? '') : [map.text('vboxwrapper') ?? ''];
	const { least } = WRAPPER_PROGRAMS.vm;
	if (releases.every((release) => /^\d+$/.test(release) && Number(release) < least)) {
		notes.push(
			`vboxwrapper ${releases.join(', ')} cannot run our jobs: ${String(least)} is the first that can, and the newest is taken.`,
		);
		return undefined;
	}
	if (each) {
		throw map.problem('vboxwrapper', 'give one release, folder or address for all platforms');
	}
	return wrapperSource(map.text('vboxwrapper'));
}

/** The original named a release of its own ISO. */
function iso(map: YamlMap, notes: string[]): IsoSource | undefined {
	const text = map.text('iso');
	if (text === undefined) {
		return undefined;
	}
	if (/^v?\d+(\.\d+)*$/.test(text)) {
		notes.push(
			`iso ${text} is a release of the original boinc2docker, which cannot run our jobs. Virtual machines need the ISO that “npm run iso” builds: name its file or address.`,
		);
		return undefined;
	}
	return isoSource(text);
}

function validator(map: YamlMap): ValidatorChoice | undefined {
	const scripts = map.map('validator');
	if (!scripts) {
		const text = map.text('validator');
		return text === undefined ? undefined : map.oneOf('validator', text, ['trivial', 'bitwise', 'none'] as const);
	}
	const initScript = scriptOf(scripts, 'init_script');
	const compareScript = scriptOf(scripts, 'compare_script');
	if (initScript !== undefined) {
		return { initScript, ...(compareScript !== undefined && { compareScript }) };
	}
	if (compareScript !== undefined) {
		return { compareScript };
	}
	throw map.problem('validator', 'it needs init_script or compare_script');
}

function assimilator(map: YamlMap): AssimilatorChoice | undefined {
	const own = map.map('assimilator');
	if (!own) {
		const text = map.text('assimilator');
		return text === undefined ? undefined : map.oneOf('assimilator', text, ['collect', 'none'] as const);
	}
	const script = scriptOf(own, 'script');
	if (script === undefined) {
		throw map.problem('assimilator', 'it needs a script');
	}
	return { script };
}

function scriptOf(map: YamlMap, key: string): string | undefined {
	const script = map.text(key);
	if (script !== undefined && !isScriptName(script)) {
		throw map.problem(key, 'it must be the name of a program in the project’s bin folder, without arguments');
	}
	return script;
}
