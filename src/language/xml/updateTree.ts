import type { Problem } from '../../common/problem.js';
import { nodeAt, parseXmlTree, type XmlNode, type XmlTree } from './xmlTree.js';

/** An edit in the old text: `oldText.slice(start, end)` became something of `length` units. */
export interface TextChange {
	readonly start: number;
	readonly end: number;
	readonly length: number;
}

/**
 * The tree of `text`, which is the old tree's text after one edit. Reads only what stands around the edit anew and moves the rest, in
 * place: the old tree is used up.
 */
export function updateXmlTree(tree: XmlTree, text: string, change: TextChange): XmlTree {
	const delta = change.length - (change.end - change.start);
	const around = enclosing(tree.root, change);
	const before = lastWhere(around.children, (child) => child.end <= change.start && child.closed);
	const after = firstWhere(around.children, (child) => child.start >= change.end, before + 1);
	const from = before < 0 ? around.contentStart : (around.children[before]?.end ?? 0);
	const to = around.children[after]?.start ?? around.contentEnd;
	const part = parseXmlTree(text.slice(from, to + delta));
	for (const child of part.root.children) {
		child.parent = around === tree.root ? tree.root : around;
		move(child, from);
	}
	for (const next of around.children.slice(after)) {
		move(next, delta);
	}
	around.children = [...around.children.slice(0, before + 1), ...part.root.children, ...around.children.slice(after)];
	moveAncestors(around, delta);
	const problems = [
		...tree.problems.filter((found) => found.start < from),
		...part.problems.map((found) => moved(found, from)),
		...tree.problems.filter((found) => found.start >= to).map((found) => moved(found, delta)),
	];
	return { text, root: tree.root, problems };
}

/** The innermost closed element whose content holds the whole edit. */
function enclosing(root: XmlNode, { start, end }: TextChange): XmlNode {
	let node = nodeAt(root, start);
	while (node.parent && !(node.closed && !node.selfClosing && node.contentStart <= start && end <= node.contentEnd)) {
		node = node.parent;
	}
	return node;
}

/** Ends of the element and what is around it move, and all that comes after it. */
function moveAncestors(element: XmlNode, delta: number): void {
	let node = element;
	node.contentEnd += delta;
	node.end += delta;
	while (node.parent) {
		const { parent } = node;
		const index = lastWhere(parent.children, (child) => child.start <= node.start);
		for (const next of parent.children.slice(index + 1)) {
			move(next, delta);
		}
		parent.contentEnd += delta;
		parent.end += delta;
		node = parent;
	}
}

function move(node: XmlNode, delta: number): void {
	node.start += delta;
	node.contentStart += delta;
	node.contentEnd += delta;
	node.end += delta;
	for (const child of node.children) {
		move(child, delta);
	}
}

function moved(problem: Problem, delta: number): Problem {
	return {
		...problem,
		start: problem.start + delta,
		end: problem.end + delta,
		...(problem.fixes && {
			fixes: problem.fixes.map(({ title, edits }) => ({
				title,
				edits: edits.map((edit) => ({ ...edit, start: edit.start + delta, end: edit.end + delta })),
			})),
		}),
	};
}

/** Index of the last element that passes; those that pass come first. -1: none. */
function lastWhere(nodes: readonly XmlNode[], passes: (node: XmlNode) => boolean): number {
	return firstWhere(nodes, (node) => !passes(node), 0) - 1;
}

/** Index of the first element that passes; those that pass come last. The length: none. */
function firstWhere(nodes: readonly XmlNode[], passes: (node: XmlNode) => boolean, from: number): number {
	let low = from;
	let high = nodes.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		const node = nodes[middle];
		if (node && passes(node)) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}
