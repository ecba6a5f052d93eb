import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

import { contentOfBytes } from '../../common/content.js';
import { BoincError } from '../../common/errors.js';
import { given } from '../../common/given.js';
import { runnerScript } from '../../job/runner.js';
import { type AppFile, parseAppFile } from '../../project/appFile.js';
import type { AssimilatorChoice, InstallSpec, ValidatorChoice } from '../../project/install/spec.js';
import type { ProgramOptions, Programs } from '../../project/programsFor.js';
import { type Platform, PLATFORMS } from '../../project/types.js';
import type { WrapperSource } from '../../project/wrapperSource.js';
import type { GlobalOptions } from '../session.js';

export interface InstallOptions extends GlobalOptions {
	readonly file?: string;
	readonly title?: string;
	readonly wrappers?: string;
	readonly release?: string;
	readonly busybox?: string[];
	readonly platform?: string[];
	readonly appVersion?: string;
	readonly resultsDir?: string;
	readonly validator?: string;
	readonly assimilator?: string;
	readonly downloadOnly?: string;
	readonly plan?: boolean;
	readonly undo?: string;
}

export const DEFAULT_APP = 'boinc2docker';
const DEFAULT_FILE = 'boinc2docker.yml';

/** What to install as options and `boinc2docker.yml` say together; options win. */
export interface InstallWish {
	readonly source: WrapperSource;
	readonly programs: Omit<ProgramOptions, 'server'>;
	/** Folder to fetch the programs into, instead of installing. */
	readonly downloadTo: string | undefined;
	readonly notes: readonly string[];
	spec(programs: Programs): InstallSpec;
}

/** Reads the options and the file. Throws `usage` or `config-invalid`. */
export async function installWish(options: InstallOptions): Promise<InstallWish> {
	const file = await appFile(options.file);
	const folder = path.dirname(path.resolve(options.file ?? DEFAULT_FILE));
	const chosen = { ...given<Choices>(fromFile(file, folder)), ...given<Choices>(fromOptions(options)) };
	const { app = DEFAULT_APP, friendlyName = 'Containers', busybox = [], platforms, ...rest } = chosen;
	return {
		source: sourceOf(options, file, folder),
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
			busybox: programs.busybox,
			runner: contentOfBytes(runnerScript),
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
		validator: choice('validator', options.validator, ['trivial', 'bitwise', 'none'] as const),
		assimilator: choice('assimilator', options.assimilator, ['collect', 'none'] as const),
		busybox: options.busybox,
		platforms: options.platform?.map(parsePlatform),
	};
}

/** The named file, or `boinc2docker.yml` of this folder if there is one. */
async function appFile(named: string | undefined): Promise<AppFile | undefined> {
	const name = named ?? DEFAULT_FILE;
	let text: string;
	try {
		text = await readFile(name, 'utf8');
	} catch (cause) {
		if (named === undefined) {
			return undefined;
		}
		throw new BoincError('input-missing', `The file ${name} cannot be read.`, { remedy: 'Check its path.', cause });
	}
	return parseAppFile(text, name);
}

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

function sourceOf(options: InstallOptions, file: AppFile | undefined, folder: string): WrapperSource {
	if (options.wrappers !== undefined) {
		return isUrl(options.wrappers) ? { url: options.wrappers } : { folder: path.resolve(options.wrappers) };
	}
	if (options.release !== undefined) {
		return { release: options.release };
	}
	const own = file?.wrapper;
	return own && 'folder' in own ? { folder: path.resolve(folder, own.folder) } : (own ?? { release: 'latest' });
}

function choice<T extends string>(what: string, text: string | undefined, known: readonly T[]): T | undefined {
	const found = known.find((each) => each === text);
	if (text !== undefined && found === undefined) {
		throw new BoincError('usage', `“${text}” is not a ${what}.`, { remedy: `Choose one of: ${known.join(', ')}.` });
	}
	return found;
}

const parsePlatform = (text: string): Platform => choice('platform', text, PLATFORMS) ?? 'x86_64-pc-linux-gnu';
