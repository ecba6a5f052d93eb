import { messageOf } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { Connection } from '../connection/connection.js';
import { OFFICIAL_BUSYBOX } from './anyBusybox.js';
import { architectureOf } from './apps.js';
import { busyboxBinaries, type BusyboxSource, ownBusybox } from './busyboxSource.js';
import { emptyDisk } from './emptyDisk.js';
import type { BusyboxFile, InstallSpec, VmFiles, WrapperFile } from './install/spec.js';
import { isoImage, type IsoSource } from './isoSource.js';
import { type Architecture, PLATFORMS, VM_PLATFORMS } from './types.js';
import { wrapperBinaries, type WrapperOptions, type WrapperSource } from './wrapperSource.js';

/** Where the programs of each runtime come from; no app versions are made for a runtime that is absent. */
export interface ProgramSources {
	/** docker_wrapper */
	readonly docker?: WrapperSource;
	readonly vm?: {
		/** vboxwrapper */
		readonly wrapper: WrapperSource;
		readonly iso: IsoSource;
	};
}

/** The programs that app versions are made of. */
export interface Programs extends Pick<InstallSpec, 'wrappers' | 'vm' | 'busybox'> {
	/** Platforms that were left out, and why. */
	readonly notes: readonly string[];
}

export interface ProgramOptions extends Omit<WrapperOptions, 'runtime'> {
	/** The project's server: its own busybox is taken before one is fetched. */
	readonly server?: Connection;
	/** A person's own choice of busybox; tried first. */
	readonly busybox?: readonly BusyboxSource[];
}

/**
 * Wrappers from the sources, and a static busybox for each of their architectures: a given one, one beside the wrappers, this computer's,
 * the server's, or the busybox project's. Platforms for which there is none are left out with a note. Rejects as
 * `wrapperBinaries`, `isoImage` and `busyboxBinaries` do.
 */
export async function programsFor(
	sources: ProgramSources,
	ctx: OperationContext,
	options: ProgramOptions = {},
): Promise<Programs> {
	const wrappers = sources.docker ? await wrapperBinaries(sources.docker, ctx, options) : [];
	const vm = sources.vm && (await machineFiles(sources.vm, ctx, options));
	const needed = [...new Set([...wrappers, ...(vm?.wrappers ?? [])].map(({ platform }) => architectureOf(platform)))];
	const { busybox, notes } = await busyboxFor(needed, sources, ctx, options);
	const usable = (wrapper: WrapperFile): boolean =>
		busybox.some(({ architecture }) => architecture === architectureOf(wrapper.platform));
	const left = [...wrappers, ...(vm?.wrappers ?? [])].filter((wrapper) => !usable(wrapper));
	for (const platform of new Set(left.map((wrapper) => wrapper.platform))) {
		notes.push(`${platform} is left out: there is no static busybox for its containers.`);
	}
	return {
		wrappers: wrappers.filter(usable),
		...(vm && { vm: { ...vm, wrappers: vm.wrappers.filter(usable) } }),
		busybox,
		notes,
	};
}

async function machineFiles(
	{ wrapper, iso }: NonNullable<ProgramSources['vm']>,
	ctx: OperationContext,
	options: ProgramOptions,
): Promise<VmFiles> {
	const platforms = (options.platforms ?? PLATFORMS).filter((platform) => VM_PLATFORMS.includes(platform));
	const image = await isoImage(iso, ctx, options);
	const wrappers = await wrapperBinaries(wrapper, ctx, { ...options, platforms, runtime: 'vm' });
	return { wrappers, iso: image, disk: emptyDisk() };
}

async function busyboxFor(
	needed: readonly Architecture[],
	sources: ProgramSources,
	ctx: OperationContext,
	options: ProgramOptions,
): Promise<{ busybox: BusyboxFile[]; notes: string[] }> {
	const folders = [sources.docker, sources.vm?.wrapper].flatMap((source) =>
		source && 'folder' in source ? [source.folder] : [],
	);
	const given = [...(options.busybox ?? []), ...[...new Set(folders)].map((folder) => ({ folder }))];
	const found = new Map((await busyboxBinaries(given, ctx, options)).map((file) => [file.architecture, file]));
	const missing = (): Architecture[] => needed.filter((architecture) => !found.has(architecture));
	for (const place of [undefined, ...(options.server ? [options.server] : [])]) {
		const own = missing().length === 0 ? undefined : await ownBusybox(ctx, place);
		if (own && !found.has(own.architecture)) {
			found.set(own.architecture, own);
		}
	}
	const notes: string[] = [];
	for (const architecture of missing()) {
		try {
			const [file] = await busyboxBinaries([{ url: OFFICIAL_BUSYBOX[architecture] }], ctx, options);
			if (file?.architecture === architecture) {
				found.set(architecture, file);
			}
		} catch (error) {
			ctx.signal?.throwIfAborted();
			notes.push(`No static busybox for ${architecture} was found, and none could be fetched: ${messageOf(error)}`);
		}
	}
	return { busybox: needed.flatMap((architecture) => found.get(architecture) ?? []), notes };
}
