import type { RandomAccess } from '../archive/randomAccess.js';
import { decodeParts, encodeParts } from './checkedParts.js';
import { FileTree } from './fileTree.js';
import { InodeTable, type SavedLists } from './inodeTable.js';

/** Changes with what a tree is made of, and with how layers are laid over each other. */
const MAGIC = 'boinc2docker tree 1\n';

/** A tree as a file; `undefined` when the contents of its files are not just those of the layers (files with holes). */
export function encodeTree(tree: FileTree, contents: readonly RandomAccess[]): Buffer | undefined {
	const saved = tree.saved(contents);
	if (!saved) {
		return undefined;
	}
	const { names, records, targets, lists } = saved;
	const head = { ...lists, sizes: contents.map(({ size }) => size) };
	return encodeParts(MAGIC, [Buffer.from(JSON.stringify(head)), records, targets, names.texts, names.records]);
}

/** The tree in a file; `undefined` if that is not what `encodeTree` made with contents of these sizes. */
export function decodeTree(file: Buffer, contents: readonly RandomAccess[]): FileTree | undefined {
	const [head, records, targets, texts, nameRecords] = decodeParts(MAGIC, file) ?? [];
	if (!head || !records || !targets || !texts || !nameRecords) {
		return undefined;
	}
	const { sizes, ...lists } = JSON.parse(head.toString()) as SavedLists & { readonly sizes: readonly number[] };
	const fits = sizes.length === contents.length && sizes.every((size, layer) => size === contents[layer]?.size);
	return fits
		? new FileTree(new InodeTable({ names: { texts, records: nameRecords }, records, targets, lists }, contents))
		: undefined;
}
