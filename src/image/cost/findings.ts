import { SECRET_FILE, SECRET_NAME, SECRET_VALUE } from '../../common/secretNames.js';
import { displayName } from '../tar/tarHeader.js';
import { type FileTree, followLinks, resolveTarget } from '../tree/fileTree.js';
import type { Inode } from '../tree/inode.js';
import { walkTree } from '../tree/walkTree.js';
import type { ImageConfig } from '../types.js';

/** What somebody should know of an image before volunteers download it. */
export type FindingCode = 'root-user' | 'secret-file' | 'secret-variable' | 'dangling-link' | 'large-file';

export interface ImageFinding {
	readonly code: FindingCode;
	/** How many; the names are the first few. */
	readonly count: number;
	/** Paths, or names of variables. Never a secret itself. */
	readonly names: readonly string[];
	/** Of large files. */
	readonly bytes: number;
}

/** A file from this size on may be an input of the jobs that need it, instead of a part of the image. */
export const LARGE_FILE = 100_000_000;
const EXAMPLES = 5;
/** Keys that everybody has: certificates of authorities and samples of packages. */
const PUBLIC_FOLDERS =
	/^(usr|lib|lib64|etc\/(ssl|pki|ca-certificates)|opt\/[^/]*conda[^/]*|var\/lib)\/|\/(site-packages|dist-packages|node_modules|testdata)\//;
/** Places that a container has without the image. */
const PROVIDED = /^\/?(proc|dev|sys|run|var\/run|tmp|root\/shared|boinc|etc\/(mtab|resolv\.conf|hosts|hostname|localtime))(\/|$)/;

class Names {
	count = 0;
	bytes = 0;
	readonly #first: string[] = [];

	add(name: string, bytes = 0): void {
		this.count += 1;
		this.bytes += bytes;
		if (this.#first.length < EXAMPLES) {
			this.#first.push(name);
		}
	}

	finding(code: FindingCode): ImageFinding[] {
		return this.count === 0 ? [] : [{ code, count: this.count, names: this.#first, bytes: this.bytes }];
	}
}

/** Looks at the files, the user and the variables of an image. Names alone are judged: a file’s content stays unread. */
export function imageFindings(tree: FileTree, config: ImageConfig): ImageFinding[] {
	const secrets = new Names();
	const links = new Names();
	const large = new Names();
	for (const { path, inode } of walkTree(tree)) {
		const shown = `/${displayName(path)}`;
		if (inode.kind === 'file') {
			if (inode.size > 0 && SECRET_FILE.test(path) && !PUBLIC_FOLDERS.test(path)) {
				secrets.add(shown);
			}
			if (inode.size >= LARGE_FILE) {
				large.add(shown, inode.size);
			}
		} else if (isDangling(tree, inode)) {
			links.add(`${shown} → ${displayName(inode.target)}`);
		}
	}
	return [
		...secrets.finding('secret-file'),
		...secretVariables(config).finding('secret-variable'),
		...rootUser(config).finding('root-user'),
		...large.finding('large-file'),
		...links.finding('dangling-link'),
	];
}

/** An absolute link to what is on the computer where it was made, and not in the image. */
function isDangling(tree: FileTree, inode: Inode): boolean {
	const { target } = inode;
	return (
		inode.kind === 'symlink' &&
		target.startsWith('/') &&
		!PROVIDED.test(target) &&
		followLinks(tree.root, resolveTarget([], target)).inode === undefined
	);
}

function secretVariables({ env }: ImageConfig): Names {
	const found = new Names();
	for (const text of env) {
		const at = text.indexOf('=');
		const [name, value] = [text.slice(0, at), text.slice(at + 1)];
		if (value !== '' && (SECRET_NAME.test(name) || SECRET_VALUE.test(value))) {
			found.add(name);
		}
	}
	return found;
}

function rootUser({ user }: ImageConfig): Names {
	const found = new Names();
	if (/^(root|0)?(:|$)/.test(user)) {
		found.add(user === '' ? 'root' : user);
	}
	return found;
}
