import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

import { contentOfBytes } from '../../common/content.js';
import { BoincError } from '../../common/errors.js';
import { given } from '../../common/given.js';
import { runnerScript } from '../../job/runner.js';
import { type AppFile, isoSource, parseAppFile, wrapperSource } from '../../project/appFile.js';
import type { AssimilatorChoice, InstallSpec, ValidatorChoice } from '../../project/install/spec.js';
import type { IsoSource } from '../../project/isoSource.js';
import type { ProgramOptions, Programs, ProgramSources } from '../../project/programsFor.js';
import { type Platform, PLATFORMS, RUNTIMES } from '../../project/types.js';
import type { WrapperSource } from '../../project/wrapperSource.js';
import type { GlobalOptions } from '../session.js';

export interface InstallOptions extends GlobalOptions {
	readonly file?: string;
	readonly title?: string;
	readonly wrappers?: string;
	readonly release?: string;
	readonly runtime?: string[];
	readonly vboxwrapper?: string;
	readonly iso?: string;
	readonly busybox?: string[];
	readonly platform?: string[];
	readonly appVersion?: string;
	readonly resultsDir?: string;
	readonly validator?: string;
	readonly assimilator?: string;
	readonly signingKey?: string;
	readonly downloadOnly?: string;
	readonly plan?: boolean;
	readonly undo?: string;
}

export const DEFAULT_APP = 'boinc2docker';
const DEFAULT_FILE = 'boinc2docker.yml';

/** What to install as options and `boinc2docker.yml` say together; options win. */
export interface InstallWish {
	readonly sources: ProgramSources;
	readonly programs: Omit<ProgramOptions, 'server'>;
	/** Folder to fetch the programs into, instead of installing. */
	readonly downloadTo: string | undefined;
	readonly notes: readonly string[];
	spec(programs: Programs): InstallSpec;
}

/** Reads the options and the file. Throws `usage`, `input-missing` or `config-invalid`. */
export async function installWish(options: InstallOptions): Promise<InstallWish> {
	const file = await appFile(options.file);
	const folder = path.dirname(path.resolve(options.file ?? DEFAULT_FILE));
	const chosen = { ...given<Choices>(fromFile(file, folder)), ...given<Choices>(fromOptions(options)) };
	const signingKey = options.signingKey === undefined ? undefined : await readGiven(options.signingKey);
	const { app = DEFAULT_APP, friendlyName = 'Containers', busybox = [], platforms, ...rest } = chosen;
	return {
		sources: sourcesOf(options, file, folder),
		programs: {
			pinFile: path.join(process.env.XDG_CONFIG_HOME ?? path.join(homedir(), '.config'), 'boinc2docker', 'programs.json'),
			busybox: busybox.map((place) => (isUrl(place) ? { url: place } : { file: path.resolve(place) })),
			...(platforms && { platforms }),
		},
		downloadTo: options.downloadOnly ?? (file?.downloadOnly === true ? path.resolve(folder, file.tempDir ?? '.') : undefined),
		notes: file?.notes ?? [],
		spec: (programs) => ({
			app,
			friendlyName,
			wrappers: programs.wrappers,
			...(programs.vm && { vm: programs.vm }),
			busybox: programs.busybox,
			runner: contentOfBytes(runnerScript),
			...(signingKey !== undefined && { signingKey }),
			...rest,
		}),
	};
}

/** What both the options and the file can say. */
interface Choices {
	readonly app: string;
	readonly friendlyName: string;
	readonly version: string;
	readonly resultsDir: string;
	readonly validator: ValidatorChoice;
	readonly assimilator: AssimilatorChoice;
	/** Files or addresses. */
	readonly busybox: readonly string[];
	readonly platforms: readonly Platform[];
}

type Said = { readonly [K in keyof Choices]: Choices[K] | undefined };

function fromFile(file: AppFile | undefined, folder: string): Said {
	return {
		app: file?.app,
		friendlyName: file?.friendlyName,
		version: file?.version,
		resultsDir: file?.resultsDir,
		validator: file?.validator,
		assimilator: file?.assimilator,
		busybox: file?.busybox.map((place) => (isUrl(place) ? place : path.resolve(folder, place))),
		platforms: file?.platforms,
	};
}

function fromOptions(options: InstallOptions): Said {
	return {
		app: options.app,
		friendlyName: options.title,
		version: options.appVersion,
		resultsDir: options.resultsDir,
		validator: validatorChoice(options.validator),
		assimilator: assimilatorChoice(options.assimilator),
		busybox: options.busybox,
		platforms: options.platform?.map(parsePlatform),
	};
}

/** Names of programs after `script:`; whether they can be such is checked with the rest of the spec. */
const SCRIPTS = /^script:(?<first>[^,]*)(?:,(?<second>.+))?$/;

function validatorChoice(text: string | undefined): ValidatorChoice | undefined {
	const { first = '', second } = SCRIPTS.exec(text ?? '')?.groups ?? {};
	if (first !== '') {
		return { initScript: first, ...(second !== undefined && { compareScript: second }) };
	}
	return second === undefined ? choice('validator', text, ['trivial', 'bitwise', 'none'] as const) : { compareScript: second };
}

function assimilatorChoice(text: string | undefined): AssimilatorChoice | undefined {
	const { first = '', second } = SCRIPTS.exec(text ?? '')?.groups ?? {};
	return first !== '' && second === undefined ? { script: first } : choice('assimilator', text, ['collect', 'none'] as const);
}

/** The named file, or `boinc2docker.yml` of this folder if there is one. */
async function appFile(named: string | undefined): Promise<AppFile | undefined> {
	const name = named ?? DEFAULT_FILE;
	const text = await readGiven(name).catch((error: unknown) => {
		if (named === undefined) {
			return undefined;
		}
		throw error;
	});
	return text === undefined ? undefined : parseAppFile(text, name);
}

/** A file that a person named. Rejects with `input-missing`. */
async function readGiven(file: string): Promise<string> {
	try {
		return await readFile(file, 'utf8');
	} catch (cause) {
		throw new BoincError('input-missing', `The file ${file} cannot be read.`, { remedy: 'Check its path.', cause });
	}
}

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/** The ISO that `npm run iso` puts beside the program. */
const builtIso = (): string => path.join(path.dirname(realpathSync(process.argv[1] ?? '.')), 'iso', 'boinc2docker.iso');

/** Both runtimes where an ISO or a vboxwrapper is given; without, containers only: the ISO does not come with the program. */
function sourcesOf(options: InstallOptions, file: AppFile | undefined, folder: string): ProgramSources {
	const asked = options.runtime?.map((text) => choice('runtime', text, RUNTIMES)) ?? file?.runtimes;
	const iso = options.iso === undefined ? inFolder(file?.iso, folder) : isoSource(options.iso);
	const vboxwrapper =
		options.vboxwrapper === undefined ? inFolder(file?.vboxwrapper, folder) : wrapperSource(options.vboxwrapper);
	const runtimes = asked ?? (iso || vboxwrapper ? RUNTIMES : ['docker']);
	const docker = dockerSource(options, file, folder);
	return {
		...(runtimes.includes('docker') && { docker }),
		...(runtimes.includes('vm') && {
			vm: {
				// A folder or a server that has one wrapper most likely has the other.
				wrapper: vboxwrapper ?? ('release' in docker ? { release: 'latest' } : docker),
				iso: iso ?? { file: builtIso() },
			},
		}),
	};
}

function dockerSource(options: InstallOptions, file: AppFile | undefined, folder: string): WrapperSource {
	if (options.wrappers !== undefined) {
		return isUrl(options.wrappers) ? { url: options.wrappers } : { folder: path.resolve(options.wrappers) };
	}
	if (options.release !== undefined) {
		return { release: options.release };
	}
	return inFolder(file?.wrapper, folder) ?? { release: 'latest' };
}

/** Paths of a file start from the folder that it is in. */
function inFolder<T extends WrapperSource | IsoSource>(source: T | undefined, folder: string): T | undefined {
	if (source && 'folder' in source) {
		return { ...source, folder: path.resolve(folder, source.folder) };
	}
	return source && 'file' in source ? { ...source, file: path.resolve(folder, source.file) } : source;
}

function choice<T extends string>(what: string, text: string | undefined, known: readonly T[]): T | undefined {
	const found = known.find((each) => each === text);
	if (text !== undefined && found === undefined) {
		throw new BoincError('usage', `“${text}” is not a ${what}.`, { remedy: `Choose one of: ${known.join(', ')}.` });
	}
	return found;
}

const parsePlatform = (text: string): Platform => choice('platform', text, PLATFORMS) ?? 'x86_64-pc-linux-gnu';
