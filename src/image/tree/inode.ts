import type { RandomAccess } from '../archive/randomAccess.js';
import type { ByteString } from '../tar/tarHeader.js';

/** Owner, permissions and times: what all kinds of files have. Numbers as in `TarHeader`; whole seconds. */
export interface Metadata {
	mode: number;
	uid: number;
	gid: number;
	mtime: number;
	xattrs: ReadonlyMap<ByteString, Buffer>;
}

interface Common extends Metadata {
	/** Counts the inodes of a tree from 0; tables beside the tree are indexed by it. */
	readonly number: number;
	/** Number of the layer that it comes from: a layer follows its own symbolic links only. */
	readonly layer: number;
	/** Whether several names may lead here. */
	shared: boolean;
}

/** Where the content of a file is. */
export interface FileInode extends Common {
	readonly kind: 'file';
	readonly size: number;
	readonly source: RandomAccess;
	readonly offset: number;
	/** The first bytes of the content's SHA-256, as `contentDigest` makes it. */
	readonly digest: ByteString;
}

export interface DirectoryInode extends Common {
	readonly kind: 'directory';
	/** By name, in no particular order. */
	readonly children: Map<ByteString, Inode>;
	/** Whether an archive has an entry for it; otherwise it is there only because something is in it. */
	explicit: boolean;
}

export interface SymlinkInode extends Common {
	readonly kind: 'symlink';
	readonly target: ByteString;
}

export interface DeviceInode extends Common {
	readonly kind: 'character' | 'block';
	readonly major: number;
	readonly minor: number;
}

export interface FifoInode extends Common {
	readonly kind: 'fifo';
}

/** A file of the flattened image. Several names of one inode are hard links. */
export type Inode = FileInode | DirectoryInode | SymlinkInode | DeviceInode | FifoInode;

const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();

/** A directory that no entry describes: the builders of both engines give it these values (and the time of the build). */
export function impliedDirectory(number: number, layer: number): DirectoryInode {
	return {
		kind: 'directory',
		number,
		mode: 0o755,
		uid: 0,
		gid: 0,
		mtime: 0,
		xattrs: NO_XATTRS,
		layer,
		shared: false,
		children: new Map(),
		explicit: false,
	};
}
