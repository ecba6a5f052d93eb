import { messageOf } from '../../../common/errors.js';
import type { OperationContext } from '../../../common/ports.js';
import { architectureOf } from '../../../project/apps.js';
import { busyboxBinaries, ownBusybox } from '../../../project/busyboxSource.js';
import type { BusyboxFile, WrapperFile } from '../../../project/install/spec.js';
import type { Project } from '../../../project/project.js';
import { wrapperBinaries, type WrapperSource } from '../../../project/wrapperSource.js';

/** The programs that an installation carries, and the platforms that have to wait. */
export interface Programs {
	readonly wrappers: readonly WrapperFile[];
	readonly busybox: readonly BusyboxFile[];
	/** Platforms with a wrapper but without a busybox for their containers. */
	readonly leftOut: readonly string[];
}

/**
 * Fetches the wrapper programs of a source, and a busybox for each architecture: from the same folder, from this computer,
 * or from the server. Platforms whose architecture no busybox was found for are left out. `pinFile` remembers hashes.
 */
export async function programsFor(
	source: WrapperSource,
	project: Project,
	pinFile: string,
	ctx: OperationContext,
): Promise<Programs> {
	const wrappers = await wrapperBinaries(source, ctx, { pinFile });
	const found: BusyboxFile[] = [];
	if ('folder' in source) {
		found.push(...(await busyboxBinaries([source], ctx, { pinFile }).catch((error: unknown) => none(error, ctx))));
	}
	for (const server of [undefined, project.connection]) {
		const file = await ownBusybox(ctx, server);
		if (file && !found.some(({ architecture }) => architecture === file.architecture)) {
			found.push(file);
		}
	}
	const covered = ({ platform }: WrapperFile): boolean =>
		found.some(({ architecture }) => architecture === architectureOf(platform));
	const usable = wrappers.filter(covered);
	// With none at all the plan says which busybox is missing and how to get it.
	return usable.length === 0
		? { wrappers, busybox: found, leftOut: [] }
		: { wrappers: usable, busybox: found, leftOut: wrappers.filter((each) => !covered(each)).map(({ platform }) => platform) };
}

/** A folder of wrappers without a busybox is common. */
function none(error: unknown, ctx: OperationContext): BusyboxFile[] {
	ctx.log.debug(messageOf(error));
	return [];
}
