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
import {
	busyboxSources,
	choicesOf,
	DEFAULT_APP,
	type InstallChoices,
	programSources,
	saidSources,
} from '../../project/installChoices.js';
import type { ProgramOptions, Programs, ProgramSources } from '../../project/programsFor.js';
import { type Platform, PLATFORMS, RUNTIMES } from '../../project/types.js';
import type { WrapperSource } from '../../project/wrapperSource.js';
import type { GlobalOptions } from '../session.js';
import { flag, gpuOption } from './jobOptions.js';

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
	readonly cpus?: string;
	readonly gpu?: string;
	readonly validator?: string;
	readonly assimilator?: string;
	readonly signingKey?: string;
	readonly downloadOnly?: string;
	readonly plan?: boolean;
	/** `true`: without an id. */
	readonly undo?: string | true;
}

const DEFAULT_FILE = 'boinc2docker.yml';

/** What to install as options and `boinc2docker.yml` say together; options win. */
export interface InstallWish {
	readonly sources: ProgramSources;
	readonly programs: Omit<ProgramOptions, 'server'>;
	/** Folder to fetch the programs into, instead of installing. */
	readonly downloadTo: string | undefined;
	/** The project's folder, where the address of the server has none. */
	readonly projectHome: string | undefined;
	readonly notes: readonly string[];
	spec(programs: Programs): InstallSpec;
}

/** Reads the options and the file. Throws `usage`, `input-missing` or `config-invalid`. */
export async function installWish(options: InstallOptions): Promise<InstallWish> {
	const file = await appFile(options.file);
	const folder = path.dirname(path.resolve(options.file ?? DEFAULT_FILE));
	const chosen = { ...(file && choicesOf(file, folder)), ...fromOptions(options) };
	const downloadTo = downloadFolder(options, file, folder);
	const signingKey = options.signingKey === undefined ? undefined : await readGiven(options.signingKey);
	const { app = DEFAULT_APP, friendlyName = 'Containers', busybox = [], platforms, keepIn, ...rest } = chosen;
	return {
		sources: sourcesOf(options, file, folder),
		programs: {
			pinFile: path.join(process.env.XDG_CONFIG_HOME ?? path.join(homedir(), '.config'), 'boinc2docker', 'programs.json'),
			busybox: busyboxSources(busybox),
			...(platforms && { platforms }),
			...(downloadTo === undefined && given({ keepIn })),
		},
		downloadTo,
		projectHome: file?.projectHome,
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

/** Where programs are fetched to instead of being installed. */
function downloadFolder({ downloadOnly }: InstallOptions, file: AppFile | undefined, folder: string): string | undefined {
	return downloadOnly ?? (file?.downloadOnly === true ? path.resolve(folder, file.tempDir ?? '.') : undefined);
}

function processors(text: string): number {
	if (!/^\d{1,4}$/.test(text)) {
		throw new BoincError('usage', `--cpus: “${text}” is not a whole number.`, { remedy: 'Give the processors of a job.' });
	}
	return Number(text);
}

function fromOptions(options: InstallOptions): Partial<InstallChoices> {
	return given<InstallChoices>({
		app: options.app,
		friendlyName: options.title,
		version: options.appVersion,
		resultsDir: options.resultsDir,
		cpus: options.cpus === undefined ? undefined : processors(options.cpus),
		gpu: flag('gpu', options.gpu, gpuOption),
		validator: validatorChoice(options.validator),
		assimilator: assimilatorChoice(options.assimilator),
		busybox: options.busybox,
		platforms: options.platform?.map(parsePlatform),
		keepIn: undefined,
	});
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

/** The sources that the options name go before those of the file. */
function sourcesOf(options: InstallOptions, file: AppFile | undefined, folder: string): ProgramSources {
	const { iso, vboxwrapper, runtime } = options;
	const said = {
		...(file && saidSources(file, folder)),
		...given({
			runtimes: runtime?.map((text) => choice('runtime', text, RUNTIMES) ?? 'docker'),
			wrapper: dockerSource(options),
			vboxwrapper: vboxwrapper === undefined ? undefined : wrapperSource(vboxwrapper),
			iso: iso === undefined ? undefined : isoSource(iso),
		}),
	};
	return programSources(said, builtIso());
}

function dockerSource({ wrappers, release }: InstallOptions): WrapperSource | undefined {
	if (wrappers !== undefined) {
		return isUrl(wrappers) ? { url: wrappers } : { folder: path.resolve(wrappers) };
	}
	return release === undefined ? undefined : { release };
}

function choice<T extends string>(what: string, text: string | undefined, known: readonly T[]): T | undefined {
	const found = known.find((each) => each === text);
	if (text !== undefined && found === undefined) {
		throw new BoincError('usage', `“${text}” is not a ${what}.`, { remedy: `Choose one of: ${known.join(', ')}.` });
	}
	return found;
}

const parsePlatform = (text: string): Platform => choice('platform', text, PLATFORMS) ?? 'x86_64-pc-linux-gnu';
