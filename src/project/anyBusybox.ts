import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Content } from '../common/content.js';
import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { busyboxBinaries, ownBusybox } from './busyboxSource.js';
import type { BusyboxFile } from './install/spec.js';
import type { Architecture } from './types.js';

/** Static builds that the busybox project offers; checked to be static and of the architecture before use. */
export const OFFICIAL_BUSYBOX: Readonly<Record<Architecture, string>> = {
	amd64: 'https://busybox.net/downloads/binaries/1.35.0-x86_64-linux-musl/busybox',
	arm64: 'https://busybox.net/downloads/binaries/1.31.0-defconfig-multiarch-musl/busybox-armv8l',
};

/**
 * A static busybox for containers on this computer: this computer's own, one that was fetched before, or the busybox project's,
 * which then is kept in `cacheDir`. Rejects with `wrapper-missing` or `download-failed`.
 */
export async function anyBusybox(
	architecture: Architecture,
	cacheDir: string | undefined,
	ctx: OperationContext,
	file?: string,
): Promise<Content> {
	const isRight = (found: BusyboxFile | undefined): boolean => found?.architecture === architecture;
	if (file !== undefined) {
		return required((await busyboxBinaries([{ file }], ctx)).find(isRight), architecture);
	}
	const own = await ownBusybox(ctx);
	if (own && isRight(own)) {
		return own.content;
	}
	const kept = cacheDir === undefined ? undefined : path.join(cacheDir, `busybox-${architecture}`);
	if (kept !== undefined && (await readFile(kept).catch(() => undefined))) {
		return required((await busyboxBinaries([{ file: kept }], ctx)).find(isRight), architecture);
	}
	ctx.progress.report({ message: 'Fetching busybox' });
	const [fetched] = await busyboxBinaries([{ url: OFFICIAL_BUSYBOX[architecture] }], ctx);
	const content = required(fetched, architecture);
	if (kept !== undefined) {
		await mkdir(path.dirname(kept), { recursive: true });
		await writeFile(kept, content.open(0));
	}
	return content;
}

function required(found: BusyboxFile | undefined, architecture: Architecture): Content {
	if (!found) {
		throw new BoincError('wrapper-missing', `There is no static busybox for ${architecture} on this computer.`, {
			remedy: 'Give one: --busybox FILE. On Debian and Ubuntu the package busybox-static has one.',
		});
	}
	return found.content;
}
