import { BoincError } from '../../common/errors.js';
import { type ByteString, displayName } from '../tar/tarHeader.js';
import { type FileTree, followLinks } from './fileTree.js';
import { impliedDirectory, type Inode } from './inode.js';

/** Where docker_wrapper mounts the slot; the recipe, `job.toml` and the runner agree on it. */
export const SLOT_MOUNT = '/boinc';
const SHARED_TARGET = `${SLOT_MOUNT}/shared`;

export interface SharedFolder {
	/** Path of the link in the tree. */
	readonly link: ByteString;
	/** What it hides, in plain words. */
	readonly warnings: readonly string[];
}

/**
 * Puts the link `/root/shared → /boinc/shared` into the tree: programs find their job's files in `/root/shared` under
 * every runtime. No step of the recipe could make it, since nothing runs while a host builds the image.
 * Throws `image-unsupported` where the link cannot be.
 */
export function addSharedFolder(tree: FileTree): SharedFolder {
	const { root } = tree;
	const warnings: string[] = [];
	const { path, inode: home } = homeDirectory(tree);
	const present = home.children.get('shared');
	const hidden = describeHidden(present);
	if (hidden !== undefined) {
		warnings.push(`${hidden} is not visible in the job: /root/shared is the folder of the job’s own files.`);
	}
	const link = tree.add({
		kind: 'symlink',
		target: SHARED_TARGET,
		mode: 0o777,
		uid: 0,
		gid: 0,
		mtime: 0,
		xattrs: new Map(),
		layer: 0,
	});
	home.children.set('shared', link);
	const mount = root.children.get(SLOT_MOUNT.slice(1));
	if (mount !== undefined && mount.kind !== 'directory') {
		throw unsupported(
			`${SLOT_MOUNT} is a ${mount.kind}, but the job’s folder is mounted there`,
			`Rename ${SLOT_MOUNT} in the image.`,
		);
	}
	if (mount !== undefined && mount.children.size > 0) {
		warnings.push(`What the image has in ${SLOT_MOUNT} is not visible in the job: the job’s folder is mounted there.`);
	}
	return { link: [...path, 'shared'].join('/'), warnings };
}

/** The directory that `/root` leads to, made if it is missing. */
function homeDirectory(tree: FileTree): { readonly path: readonly ByteString[]; readonly inode: Inode } {
	const { parts, inode } = followLinks(tree.root, ['root']);
	if (inode?.kind === 'directory') {
		return { path: parts, inode };
	}
	let directory = tree.root;
	for (const [index, part] of parts.entries()) {
		const next = directory.children.get(part);
		if (next?.kind === 'directory') {
			directory = next;
		} else if (next === undefined) {
			const made = tree.add({ ...impliedDirectory(0), mode: 0o700, explicit: true });
			directory.children.set(part, made);
			directory = made;
		} else {
			const name = displayName(parts.slice(0, index + 1).join('/'));
			throw unsupported(`/root leads to /${name}, which is no directory`, 'Make /root a directory in the image.');
		}
	}
	return { path: parts, inode: directory };
}

function describeHidden(present: Inode | undefined): string | undefined {
	switch (present?.kind) {
		case undefined:
			return undefined;
		case 'directory':
			return present.children.size === 0 ? undefined : 'What the image has in the folder /root/shared';
		case 'symlink':
			return present.target === SHARED_TARGET ? undefined : 'The image’s own link /root/shared';
		default:
			return 'The image’s own file /root/shared';
	}
}

function unsupported(why: string, remedy: string): BoincError {
	return new BoincError('image-unsupported', `The image cannot run as a job: ${why}.`, { remedy });
}
