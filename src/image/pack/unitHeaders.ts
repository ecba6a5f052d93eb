import type { ByteString, TarHeader } from '../tar/tarHeader.js';
import type { Inode } from '../tree/inode.js';
import { travels } from '../tree/travels.js';
import type { PackUnit } from './unitList.js';

/** The tar headers of a file and its further names; the file's own is the first, and its content follows that. */
export function unitHeaders({ path, inode, links }: PackUnit): TarHeader[] {
	const first = headerOf(path, inode);
	return [
		first,
		...links.map((link): TarHeader =>
			// Podman's builder follows a hard link to a symbolic link, so each of its names is a link of its own.
			inode.kind === 'symlink'
				? { ...first, name: link }
				: // Builders apply the owner, mode, time and attributes in a hard link's header to the file, so they are repeated.
					{ ...first, name: link, kind: 'hardlink', size: 0, linkName: path, deviceMajor: 0, deviceMinor: 0 },
		),
	];
}

/**
 * A header that gives a file of an earlier pack its time and nothing else: a hard link to it under the name of `link`, the
 * image's link to the shared folder. Builders apply the header of a hard link to the file. The next such header replaces the
 * name, and at last the link itself does, so that no name is left.
 */
export const timeHeader = ({ path, inode }: PackUnit, link: ByteString): TarHeader => ({
	...headerOf(path, inode),
	name: link,
	kind: 'hardlink',
	size: 0,
	linkName: path,
});

function headerOf(path: ByteString, inode: Inode): TarHeader {
	const isDevice = inode.kind === 'character' || inode.kind === 'block';
	return {
		name: path === '' ? '.' : path,
		kind: inode.kind,
		// A link has no permissions; archivers write different ones.
		mode: inode.kind === 'symlink' ? 0o777 : inode.mode,
		uid: inode.uid,
		gid: inode.gid,
		mtime: inode.mtime,
		size: inode.size,
		linkName: inode.target,
		deviceMajor: isDevice ? inode.major : 0,
		deviceMinor: isDevice ? inode.minor : 0,
		xattrs: inode.xattrs.size === 0 ? inode.xattrs : new Map([...inode.xattrs].filter(([name]) => travels(name))),
	};
}
