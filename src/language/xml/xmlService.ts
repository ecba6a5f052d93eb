import {
	type CompletionItem,
	CompletionItemKind,
	type DocumentSymbol,
	type FoldingRange,
	InsertTextFormat,
	SymbolKind,
} from 'vscode-languageserver/node';

import type { TextPositions } from '../../common/textPositions.js';
import type { ElementSpec } from '../formats/element.js';
import { XML_FORMATS, type XmlFormat } from '../formats/identify.js';
import { specsByName } from '../rules/shapeRules.js';
import { childOf, childrenOf, childText, nodeAt, textOf, textRange, type XmlNode, type XmlTree } from './xmlTree.js';

const MAX_SYMBOLS = 2000;
const MAX_FOLDS = 5000;

/** What may stand in an element. */
function specsIn(node: XmlNode, format: XmlFormat): readonly ElementSpec[] {
	if (!node.parent) {
		return XML_FORMATS[format];
	}
	return specOf(node, format)?.children ?? [];
}

/** What is known of an element where it stands. */
export function specOf(node: XmlNode, format: XmlFormat): ElementSpec | undefined {
	return node.parent && specsByName(specsIn(node.parent, format)).get(node.name);
}

/** What can be typed at an offset: elements that fit there, values, the end tag. */
export function completeXml(tree: XmlTree, format: XmlFormat, offset: number): CompletionItem[] {
	const before = tree.text.slice(Math.max(0, offset - 200), offset);
	const tag = /<(\/?)([\w:.-]*)$/.exec(before);
	let node = nodeAt(tree.root, offset);
	if (tag && node.start === offset - tag[0].length) {
		node = node.parent ?? node;
	}
	if (tag?.[1] === '/') {
		return node.parent ? [{ label: `/${node.name}>`, insertText: `${node.name}>`, kind: CompletionItemKind.Property }] : [];
	}
	const spec = specOf(node, format);
	if (spec && spec.kind !== 'block') {
		return values(spec, tree, node);
	}
	const present = new Set(node.children.map(({ name }) => name));
	return specsIn(node, format)
		.filter((each) => each.repeat === true || !present.has(each.name))
		.map((each) => ({
			label: each.name,
			kind: each.kind === 'block' ? CompletionItemKind.Class : CompletionItemKind.Property,
			documentation: { kind: 'markdown', value: explain(each) },
			insertTextFormat: InsertTextFormat.Snippet,
			insertText: `${tag ? '' : '<'}${snippet(each)}`,
			filterText: `${tag ? '' : '<'}${each.name}`,
		}));
}

function snippet(spec: ElementSpec): string {
	switch (spec.kind) {
		case 'flag':
			return `${spec.name}/>`;
		case 'block':
			return `${spec.name}>\n\t$0\n</${spec.name}>`;
		default:
			return `${spec.name}>$1</${spec.name}>`;
	}
}

function values(spec: ElementSpec, tree: XmlTree, node: XmlNode): CompletionItem[] {
	const names =
		spec.name === 'file_name'
			? childrenOf(childOf(tree.root, 'output_template') ?? tree.root, 'file_info').flatMap(
					(info) => childText(tree, info, 'name') ?? [],
				)
			: spec.name === 'name' && node.parent?.name === 'file_info'
				? ['<OUTFILE_0/>']
				: spec.name === 'url' && node.parent?.name === 'file_info'
					? ['<UPLOAD_URL/>']
					: (spec.values ?? []);
	return names.map((label) => ({ label, kind: CompletionItemKind.Value }));
}

/** What is known of the element at an offset, as Markdown. */
export function hoverXml(
	tree: XmlTree,
	format: XmlFormat,
	offset: number,
): { readonly text: string; readonly start: number; readonly end: number } | undefined {
	const node = nodeAt(tree.root, offset);
	const spec = specOf(node, format);
	return spec && offset <= node.contentStart
		? { text: explain(spec), start: node.start + 1, end: node.start + 1 + node.name.length }
		: undefined;
}

function explain(spec: ElementSpec): string {
	return [
		`**\`<${spec.name}>\`** ${spec.doc}`,
		...(spec.unit === undefined ? [] : [`Unit: ${spec.unit}.`]),
		...(spec.default === undefined ? [] : [`Default: ${spec.default}.`]),
		...(spec.values === undefined ? [] : [`Values: ${spec.values.join(', ')}.`]),
		...(spec.trap === undefined ? [] : [`⚠ ${spec.trap.replaceAll('<', '\\<')}`]),
	].join('\n\n');
}

/** Elements with elements in them, named by what tells them apart. */
export function symbolsXml(tree: XmlTree, positions: TextPositions): DocumentSymbol[] {
	let left = MAX_SYMBOLS;
	const list = (parent: XmlNode, depth: number): DocumentSymbol[] =>
		parent.children.flatMap((node) => {
			if (left <= 0 || (node.children.length === 0 && depth > 1)) {
				return [];
			}
			left--;
			const range = { start: positions.at(node.start), end: positions.at(node.end) };
			return [
				{
					name: node.name,
					detail: labelOf(tree, node),
					kind: node.children.length > 0 ? SymbolKind.Object : SymbolKind.Field,
					range,
					selectionRange: { start: range.start, end: positions.at(Math.min(node.contentStart, node.end)) },
					children: list(node, depth + 1),
				},
			];
		});
	return list(tree.root, 0);
}

function labelOf(tree: XmlTree, node: XmlNode): string {
	const key = ['name', 'physical_name', 'open_name', 'cmd', 'app_name'].find((name) => childOf(node, name));
	return key !== undefined
		? (childText(tree, node, key) ?? '')
		: node.children.length === 0
			? textOf(tree, node).slice(0, 80)
			: '';
}

/** Elements of several lines. */
export function foldsXml(tree: XmlTree, positions: TextPositions): FoldingRange[] {
	const folds: FoldingRange[] = [];
	const visit = (node: XmlNode): void => {
		if (folds.length >= MAX_FOLDS) {
			return;
		}
		const [start, end] = [positions.at(node.start).line, positions.at(node.contentEnd).line];
		if (node.parent && end > start + 1) {
			folds.push({ startLine: start, endLine: end - 1 });
		}
		node.children.forEach(visit);
	};
	visit(tree.root);
	return folds;
}

/** Where the other half of what stands at an offset is, in the same file. */
export function definitionXml(tree: XmlTree, format: XmlFormat, offset: number): XmlNode | undefined {
	const chain = ancestors(nodeAt(tree.root, offset));
	const ref = chain.find(({ name }) => name === 'file_ref');
	const info = chain.find(({ name }) => name === 'file_info');
	const top = childOf(tree.root, format === 'input-template' ? 'input_template' : 'output_template') ?? tree.root;
	const infos = childrenOf(top, 'file_info');
	const refs = childrenOf(childOf(top, format === 'input-template' ? 'workunit' : 'result'), 'file_ref');
	if (format === 'input-template') {
		return ref ? infos[refs.indexOf(ref)] : info ? refs[infos.indexOf(info)] : undefined;
	}
	if (format !== 'output-template') {
		return undefined;
	}
	const named = (list: readonly XmlNode[], key: string, name: string | undefined): XmlNode | undefined =>
		name === undefined ? undefined : list.find((each) => childText(tree, each, key) === name);
	return ref
		? named(infos, 'name', childText(tree, ref, 'file_name'))
		: info
			? named(refs, 'file_name', childText(tree, info, 'name'))
			: undefined;
}

/** The element at an offset and those around it, innermost first. */
export function ancestors(node: XmlNode): XmlNode[] {
	const chain: XmlNode[] = [];
	for (let each = node; each.parent; each = each.parent) {
		chain.push(each);
	}
	return chain;
}

/** All places that a new name must be written to: both tags of an element, or all texts that name one thing. */
export function renameXml(tree: XmlTree, format: XmlFormat, offset: number): { readonly start: number; readonly end: number }[] {
	const node = nodeAt(tree.root, offset);
	const inStart = offset > node.start && offset <= node.start + 1 + node.name.length;
	const inEnd =
		node.closed && !node.selfClosing && offset >= node.contentEnd + 2 && offset <= node.contentEnd + 2 + node.name.length;
	if (node.parent && (inStart || inEnd)) {
		const places = [{ start: node.start + 1, end: node.start + 1 + node.name.length }];
		return node.selfClosing || !node.closed
			? places
			: [...places, { start: node.contentEnd + 2, end: node.contentEnd + 2 + node.name.length }];
	}
	const whole = ancestors(node).find(({ name }) => name === 'name' || name === 'file_name');
	if (!whole || format !== 'output-template') {
		return [];
	}
	const name = textOf(tree, whole);
	const top = childOf(tree.root, 'output_template') ?? tree.root;
	return [...childrenOf(top, 'file_info'), ...childrenOf(childOf(top, 'result'), 'file_ref')]
		.flatMap((each) => [...childrenOf(each, 'name'), ...childrenOf(each, 'file_name')])
		.filter((each) => textOf(tree, each) === name)
		.map((each) => textRange(tree, each));
}

/** Each line's indentation by its depth. Text of several lines and comments stay as they are; nothing else changes. */
export function formatXml(
	tree: XmlTree,
	step: string,
): { readonly start: number; readonly end: number; readonly text: string }[] {
	if (tree.problems.length > 0) {
		return []; // the depth is not sure
	}
	const edits: { start: number; end: number; text: string }[] = [];
	const indent = (at: number, depth: number): void => {
		const lineStart = tree.text.lastIndexOf('\n', at - 1) + 1;
		const old = tree.text.slice(lineStart, at);
		const wanted = step.repeat(depth);
		if (/^[ \t]*$/.test(old) && old !== wanted) {
			edits.push({ start: lineStart, end: at, text: wanted });
		}
	};
	const visit = (node: XmlNode, depth: number): void => {
		indent(node.start, depth);
		node.children.forEach((child) => visit(child, depth + 1));
		if (node.children.length > 0) {
			indent(node.contentEnd, depth);
		}
	};
	tree.root.children.forEach((child) => visit(child, 0));
	return edits;
}
