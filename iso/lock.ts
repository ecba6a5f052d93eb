import { readFile } from 'node:fs/promises';

import * as v from 'valibot';

const HEX256 = /^[0-9a-f]{64}$/;

const lockedPackage = v.object({
	name: v.string(),
	version: v.string(),
	/** Name and version of the source package: who gives away the image owes its source. */
	source: v.string(),
	sourceVersion: v.string(),
	/** Which archive of a mirror: `debian`, or `debian-security` beside it. */
	archive: v.picklist(['debian', 'debian-security']),
	/** Below the archive. */
	path: v.pipe(v.string(), v.regex(/^pool\/(?!.*\.\.)[A-Za-z0-9_./+~%-]+\.deb$/)),
	size: v.number(),
	sha256: v.pipe(v.string(), v.regex(HEX256)),
	/** Whether the package is in the image, or only needed to build it. */
	use: v.picklist(['image', 'tool']),
});

const lock = v.object({
	/** Debian's code name. */
	release: v.string(),
	/** Seconds since 1970 of the lock; all times in the image are this. */
	time: v.number(),
	packages: v.array(lockedPackage),
});

export type LockedPackage = v.InferOutput<typeof lockedPackage>;
/** The Debian packages that the image is made of, exactly. */
export type Lock = v.InferOutput<typeof lock>;

/** Reads a lock file. Throws when it is not one. */
export async function readLock(file: string): Promise<Lock> {
	return v.parse(lock, JSON.parse(await readFile(file, 'utf8')));
}

/** The name of a package's file in a folder of packages. */
export const fileNameOf = ({ path }: LockedPackage): string => path.slice(path.lastIndexOf('/') + 1);
