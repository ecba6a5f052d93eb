import { messageOf } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { Connection } from '../connection/connection.js';
import { architectureOf } from './apps.js';
import { busyboxBinaries, type BusyboxSource, ownBusybox } from './busyboxSource.js';
import type { BusyboxFile, WrapperFile } from './install/spec.js';
import type { Architecture } from './types.js';
import { wrapperBinaries, type WrapperOptions, type WrapperSource } from './wrapperSource.js';

/** Static builds that the busybox project offers; checked to be static and of the architecture before use. */
const OFFICIAL_BUSYBOX: Readonly<Record<Architecture, string>> = {
	amd64: 'https://busybox.net/downloads/binaries/1.35.0-x86_64-linux-musl/busybox',
	arm64: 'https://busybox.net/downloads/binaries/1.31.0-defconfig-multiarch-musl/busybox-armv8l',
};

/** The programs that app versions are made of. */
export interface Programs {
	readonly wrappers: readonly WrapperFile[];
	readonly busybox: readonly BusyboxFile[];
	/** Platforms that were left out, and why. */
	readonly notes: readonly string[];
}

export interface ProgramOptions extends WrapperOptions {
	/** The project's server: its own busybox is taken before one is fetched. */
	readonly server?: Connection;
	/** A person's own choice of busybox; tried first. */
	readonly busybox?: readonly BusyboxSource[];
}

/**
 * Wrappers from `source`, and a static busybox for each of their architectures: a given one, one beside the wrappers, this computer's,
 * the server's, or the busybox project's. Platforms for which there is none are left out with a note. Rejects as
 * `wrapperBinaries` and `busyboxBinaries` do.
 */
export async function programsFor(source: WrapperSource, ctx: OperationContext, options: ProgramOptions = {}): Promise<Programs> {
	const wrappers = await wrapperBinaries(source, ctx, options);
	const needed = [...new Set(wrappers.map(({ platform }) => architectureOf(platform)))];
	const given = [...(options.busybox ?? []), ...('folder' in source ? [{ folder: source.folder }] : [])];
	const busybox = new Map((await busyboxBinaries(given, ctx, options)).map((file) => [file.architecture, file]));
	const missing = (): Architecture[] => needed.filter((architecture) => !busybox.has(architecture));
	for (const place of [undefined, ...(options.server ? [options.server] : [])]) {
		const own = missing().length === 0 ? undefined : await ownBusybox(ctx, place);
		if (own && !busybox.has(own.architecture)) {
			busybox.set(own.architecture, own);
		}
	}
	const notes: string[] = [];
	for (const architecture of missing()) {
		try {
			const [file] = await busyboxBinaries([{ url: OFFICIAL_BUSYBOX[architecture] }], ctx, options);
			if (file?.architecture === architecture) {
				busybox.set(architecture, file);
			}
		} catch (error) {
			ctx.signal?.throwIfAborted();
			notes.push(`No static busybox for ${architecture} was found, and none could be fetched: ${messageOf(error)}`);
		}
	}
	const left = new Set(missing());
	const usable = wrappers.filter(({ platform }) => !left.has(architectureOf(platform)));
	for (const { platform } of wrappers.filter((wrapper) => !usable.includes(wrapper))) {
		notes.push(`${platform} is left out: there is no static busybox for its containers.`);
	}
	return { wrappers: usable, busybox: needed.flatMap((architecture) => busybox.get(architecture) ?? []), notes };
}
