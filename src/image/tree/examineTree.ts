import { BoincError } from '../../common/errors.js';
import { type ByteString, displayName } from '../tar/tarHeader.js';
import type { FileTree } from './fileTree.js';
import type { Inode } from './inode.js';
import { travels } from './travels.js';
import { walkNames, walkTree } from './walkTree.js';

/** Accounts that rootless Podman maps by default: 0 to 65535. */
const LAST_MAPPED_ID = 65_535;
const EXAMPLES = 3;

/** Collects a few names for one warning. */
class Finding {
	#count = 0;
	readonly #names: string[] = [];

	add(path: ByteString): void {
		if (this.#count++ < EXAMPLES) {
			this.#names.push(`/${displayName(path)}`);
		}
	}

	/** `3 things (/a, /b, …)`, or `undefined` if nothing was found. */
	text(one: string, many: string): string | undefined {
		const more = this.#count > EXAMPLES ? ', …' : '';
		return this.#count === 0
			? undefined
			: `${this.#count === 1 ? `1 ${one}` : `${this.#count} ${many}`} (${this.#names.join(', ')}${more})`;
	}
}

/**
 * What a builder on a host cannot keep of the tree, in sentences. Found with Docker 20.10 (both builders) and Podman
 * 4.3 (root and rootless). Throws `image-empty` for a tree without files.
 */
export function examineTree(tree: FileTree): string[] {
	const devices = new Finding();
	const attributes = new Finding();
	const userAttributes = new Finding();
	const owners = new Finding();
	if (!hasFiles(tree)) {
		throw new BoincError('image-empty', 'The image has no files.', {
			remedy: 'Copy a program into it, for example with COPY in the Dockerfile.',
		});
	}
	for (const { path, inode } of hasUnusual(tree) ? walkTree(tree) : []) {
		if (inode.kind === 'character' || inode.kind === 'block') {
			devices.add(path);
		}
		if (inode.uid > LAST_MAPPED_ID || inode.gid > LAST_MAPPED_ID) {
			owners.add(path);
		}
		examineAttributes(path, inode, attributes, userAttributes);
	}
	const warnings: (string | undefined)[] = [
		after(devices.text('device file', 'device files'), 'hosts with rootless Podman leave them out.'),
		after(
			owners.text(`file belongs to an account above ${LAST_MAPPED_ID}`, `files belong to accounts above ${LAST_MAPPED_ID}`),
			'hosts with rootless Podman cannot build such an image, so jobs fail there. Change the owner in the Dockerfile (chown).',
		),
		after(
			attributes.text('file has extended attributes', 'files have extended attributes'),
			'only user.* and security.capability travel; the others are left out.',
		),
		after(userAttributes.text('file has user.* attributes', 'files have user.* attributes'), 'hosts with Docker drop them.'),
		rootWarning(tree.root),
	];
	return warnings.filter((warning) => warning !== undefined);
}

function hasFiles(tree: FileTree): boolean {
	for (const name of walkNames(tree)) {
		if (tree.inodeOf(name).kind !== 'directory') {
			return true;
		}
	}
	return false;
}

/** Whether any inode, in the tree or not, is worth a walk, which takes far longer than this. */
function hasUnusual(tree: FileTree): boolean {
	for (let number = 0; number < tree.count; number++) {
		const { kind, uid, gid, xattrs } = tree.inode(number);
		if (kind === 'character' || kind === 'block' || uid > LAST_MAPPED_ID || gid > LAST_MAPPED_ID || xattrs.size > 0) {
			return true;
		}
	}
	return false;
}

const after = (what: string | undefined, consequence: string): string | undefined =>
	what === undefined ? undefined : `${what}: ${consequence}`;

function examineAttributes(path: ByteString, inode: Inode, attributes: Finding, userAttributes: Finding): void {
	if (inode.xattrs.size === 0) {
		return;
	}
	const names = [...inode.xattrs.keys()];
	if (names.some((name) => !travels(name))) {
		attributes.add(path);
	}
	if (names.some((name) => name.startsWith('user.'))) {
		userAttributes.add(path);
	}
}

/** Both engines make the root directory of an image themselves. */
function rootWarning(root: Inode): string | undefined {
	const usual = root.uid === 0 && root.gid === 0 && (root.mode & 0o5555) === 0o555;
	return usual || !root.explicit
		? undefined
		: `The root directory has owner ${root.uid}:${root.gid} and mode ${root.mode.toString(8)}; on hosts it belongs to root and everybody may enter it.`;
}
