import path from 'node:path';

import { given } from '../common/given.js';
import type { AppFile } from './appFile.js';
import type { GpuNeeds } from './gpu.js';
import type { AssimilatorChoice, ValidatorChoice } from './install/spec.js';
import type { IsoSource } from './isoSource.js';
import type { ProgramSources } from './programsFor.js';
import { type Platform, type Runtime, RUNTIMES } from './types.js';
import type { WrapperSource } from './wrapperSource.js';

/** What people say about an installation besides where the programs come from. */
export interface InstallChoices {
	readonly app: string;
	readonly friendlyName: string;
	readonly version: string;
	readonly resultsDir: string;
	/** Processors of each job. */
	readonly cpus: number;
	/** A GPU for each job. */
	readonly gpu: GpuNeeds;
	readonly validator: ValidatorChoice;
	readonly assimilator: AssimilatorChoice;
	/** Files or addresses. */
	readonly busybox: readonly string[];
	readonly platforms: readonly Platform[];
	/** Folder on this machine in which downloads are kept. */
	readonly keepIn: string;
}

/** Where programs come from, as far as somebody said it. */
export interface SaidSources {
	readonly runtimes?: readonly Runtime[] | undefined;
	/** docker_wrapper */
	readonly wrapper?: WrapperSource | undefined;
	readonly vboxwrapper?: WrapperSource | undefined;
	readonly iso?: IsoSource | undefined;
}

export const DEFAULT_APP = 'boinc2docker';

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/** What a `boinc2docker.yml` in `folder` says; relative paths start from there. */
export function choicesOf(file: AppFile, folder: string): Partial<InstallChoices> {
	return given<InstallChoices>({
		app: file.app,
		friendlyName: file.friendlyName,
		version: file.version,
		resultsDir: file.resultsDir,
		cpus: file.cpus,
		gpu: file.gpu,
		validator: file.validator,
		assimilator: file.assimilator,
		busybox:
			file.busybox.length === 0 ? undefined : file.busybox.map((place) => (isUrl(place) ? place : path.resolve(folder, place))),
		platforms: file.platforms,
		// A folder of its own: what is used least is removed from it.
		keepIn: file.tempDir === undefined ? undefined : path.resolve(folder, file.tempDir, 'boinc2docker-downloads'),
	});
}

/** The sources that a `boinc2docker.yml` in `folder` names. */
export function saidSources({ runtimes, wrapper, vboxwrapper, iso }: AppFile, folder: string): SaidSources {
	return { runtimes, wrapper: inFolder(wrapper, folder), vboxwrapper: inFolder(vboxwrapper, folder), iso: inFolder(iso, folder) };
}

/**
 * Both runtimes where an ISO or a vboxwrapper is given; without, containers only: the ISO does not come with the program.
 * @param builtIso where `npm run iso` puts it
 */
export function programSources(said: SaidSources, builtIso: string): ProgramSources {
	const { vboxwrapper, iso } = said;
	const runtimes = said.runtimes ?? (iso || vboxwrapper ? RUNTIMES : ['docker']);
	const docker = said.wrapper ?? { release: 'latest' };
	return {
		...(runtimes.includes('docker') && { docker }),
		...(runtimes.includes('vm') && {
			vm: {
				// A folder or a server that has one wrapper most likely has the other.
				wrapper: vboxwrapper ?? ('release' in docker ? { release: 'latest' } : docker),
				iso: iso ?? { file: builtIso },
			},
		}),
	};
}

/** Files and addresses of busybox as `programsFor` takes them. */
export function busyboxSources(places: readonly string[]): ({ readonly url: string } | { readonly file: string })[] {
	return places.map((place) => (isUrl(place) ? { url: place } : { file: path.resolve(place) }));
}

function inFolder<T extends WrapperSource | IsoSource>(source: T | undefined, folder: string): T | undefined {
	if (source && 'folder' in source) {
		return { ...source, folder: path.resolve(folder, source.folder) };
	}
	return source && 'file' in source ? { ...source, file: path.resolve(folder, source.file) } : source;
}
