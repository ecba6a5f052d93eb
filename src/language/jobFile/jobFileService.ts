import {
	type CompletionItem,
	CompletionItemKind,
	type DocumentSymbol,
	type FoldingRange,
	InsertTextFormat,
	SymbolKind,
} from 'vscode-languageserver/node';

import { formatSeconds } from '../../common/format.js';
import { parseBytes, parseSeconds } from '../../common/parseUnits.js';
import type { TextPositions } from '../../common/textPositions.js';
import { FILE } from '../../job/schema/jobKeys.js';
import { describe, type Key, type Shape } from '../../job/schema/shape.js';
import { OWN_PARAMETERS, placeholders } from '../../job/sweep/names.js';
import { type Span, valueOf, type YamlNode, type YamlPair, type YamlTree } from '../../project/yaml/yamlTree.js';

const MAX_SYMBOLS = 1000;
/** Characters before the cursor that are looked at: the entries around it begin there, in any file that people write. */
const LOOK_BACK = 2_000_000;

/** What can stand under a key: keys of a section, or nothing known. */
function inside(shape: Shape, name: string): { readonly shape: Shape; readonly key?: Key } | undefined {
	switch (shape.type) {
		case 'section': {
			const key = shape.keys().find((each) => each.name === name);
			return key && { shape: key.shape, key };
		}
		case 'pairs':
			return { shape: shape.of };
		case 'list':
			return inside(shape.of, name);
		case 'either':
			return shape.of.flatMap((each) => inside(each, name) ?? [])[0];
		default:
			return undefined;
	}
}

function keysOf(shape: Shape): readonly Key[] {
	switch (shape.type) {
		case 'section':
			return shape.keys();
		case 'list':
			return keysOf(shape.of);
		case 'either':
			return shape.of.flatMap(keysOf);
		default:
			return [];
	}
}

/** The shape at the end of a path of keys. */
function shapeAt(path: readonly string[]): { readonly shape: Shape; readonly key?: Key } | undefined {
	let found: { readonly shape: Shape; readonly key?: Key } | undefined = { shape: FILE };
	for (const name of path) {
		found = found && inside(found.shape, name);
	}
	return found;
}

/** Keys above a line by their indentation; goes by lines, so a half-typed file gives them too. */
function pathAbove(text: string, lineStart: number, indent: number): string[] {
	const path: string[] = [];
	let least = indent;
	let end = lineStart - 1;
	const limit = Math.max(0, lineStart - LOOK_BACK);
	while (end > limit && least > 0) {
		const start = text.lastIndexOf('\n', end - 1) + 1;
		let at = start;
		while (text.charCodeAt(at) === 32) {
			at++;
		}
		// Cheap first: most lines are deeper.
		const above = at - start < least ? keyAbove(text.slice(start, end), least) : undefined;
		if (above) {
			least = above.least;
			if (above.key !== undefined) {
				path.unshift(above.key);
			}
		}
		end = start - 1;
	}
	return path;
}

/** The key of a line that what is below belongs to, and the indentation that the next one above must be below. */
function keyAbove(line: string, least: number): { readonly key?: string; readonly least: number } | undefined {
	const match = /^( *)(- +)?([\w.-]+):/.exec(line);
	if (match) {
		const own = (match[1]?.length ?? 0) + (match[2]?.length ?? 0);
		return own < least ? { key: match[3] ?? '', least: match[1]?.length ?? 0 } : undefined;
	}
	const dash = /^( *)- /.exec(line);
	return dash ? { least: Math.min(least, (dash[1]?.length ?? 0) + 1) } : undefined;
}

/** What can be typed at an offset: keys, values, parameters. */
export function completeJobFile(text: string, offset: number, tree: YamlTree | undefined): CompletionItem[] {
	const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
	const line = text.slice(lineStart, offset);
	const open = /\{\{\s*\w*$/.exec(line);
	if (open) {
		return [...parametersOf(tree), ...OWN_PARAMETERS].map((label) => ({ label, kind: CompletionItemKind.Variable }));
	}
	const flow = /^( *)(?:- +)?([\w.-]+):\s*\{(?:[^{}]*,)?\s*([\w.-]*)$/.exec(line);
	if (flow) {
		return keyItems([...pathAbove(text, lineStart, indentOf(flow)), flow[2] ?? ''], undefined, true);
	}
	const key = /^( *)(- +)?([\w.-]*)$/.exec(line);
	if (key) {
		return keyItems(
			pathAbove(text, lineStart, (key[1]?.length ?? 0) + (key[2]?.length ?? 0)),
			siblings(text, lineStart, line),
			false,
		);
	}
	const value = /^( *)(- +)?([\w.-]+):\s+(\[?[^\]]*)$/.exec(line);
	return value ? valueItems([...pathAbove(text, lineStart, indentOf(value)), value[3] ?? '']) : [];
}

const indentOf = (match: RegExpExecArray): number => match[1]?.length ?? 0;

/** Keys that the same map has already, on the lines around. */
function siblings(text: string, lineStart: number, line: string): ReadonlySet<string> {
	const indent = /^ */.exec(line)?.[0] ?? '';
	const found = new Set<string>();
	// The first key of a list's entry stands after its dash.
	const pattern = new RegExp(`^(?:${indent}|${indent.slice(2)}- )([\\w.-]+):`);
	for (const step of [-1, 1]) {
		let at = step < 0 ? lineStart - 1 : text.indexOf('\n', lineStart) + 1;
		for (let count = 0; count < 200 && at > 0; count++) {
			const start = step < 0 ? text.lastIndexOf('\n', at - 1) + 1 : at;
			const lineEnd = text.indexOf('\n', start);
			const content = text.slice(start, lineEnd === -1 ? undefined : lineEnd);
			const match = pattern.exec(content);
			if (match?.[1] !== undefined) {
				found.add(match[1]);
			} else if (content.trim() !== '' && (/^ */.exec(content)?.[0].length ?? 0) < indent.length) {
				break;
			}
			at = step < 0 ? start - 1 : lineEnd + 1;
		}
	}
	return found;
}

function keyItems(path: readonly string[], present: ReadonlySet<string> | undefined, isFlow: boolean): CompletionItem[] {
	const found = shapeAt(path);
	return (found ? keysOf(found.shape) : [])
		.filter(({ name }) => present?.has(name) !== true)
		.map((key) => ({
			label: key.name,
			kind: CompletionItemKind.Property,
			detail: describe(key.shape),
			documentation: { kind: 'markdown' as const, value: explainKey(key) },
			insertTextFormat: InsertTextFormat.Snippet,
			insertText: isFlow ? `${key.name}: ` : snippet(key),
			sortText: `${key.later !== undefined ? '2' : key.install === true ? '1' : '0'}${key.name}`,
			...(key.later !== undefined && { tags: [1 as const] }),
		}));
}

function snippet({ name, shape }: Key): string {
	const isBlock = keysOf(shape).length > 0 || shape.type === 'pairs';
	return isBlock ? `${name}:\n  ` : `${name}: `;
}

function valueItems(path: readonly string[]): CompletionItem[] {
	const found = shapeAt(path);
	if (!found) {
		return [];
	}
	const { key } = found;
	const labels = choices(found.shape);
	const list = labels.length > 0 ? labels : key?.example === undefined ? [] : [key.example];
	return list.map((label) => ({ label, kind: CompletionItemKind.Value, ...(label === key?.default && { detail: 'default' }) }));
}

function choices(shape: Shape): readonly string[] {
	switch (shape.type) {
		case 'choice':
			return shape.of;
		case 'flag':
			return ['true', 'false'];
		case 'list':
			return choices(shape.of);
		case 'either':
			return shape.of.flatMap(choices);
		case 'bytes':
			return ['500 MB', '1 GiB', '2 GiB', '4 GiB'];
		case 'seconds':
			return ['10 min', '1 h', '3 h', '1 d', '7 d'];
		default:
			return [];
	}
}

/** All that is said about a key, as Markdown. */
function explainKey({ name, doc, shape, default: fallback, trap, later, example }: Key): string {
	return [
		`**\`${name}\`** ${doc}`,
		`Value: ${describe(shape)}.`,
		...(fallback === undefined ? [] : [`Default: ${fallback}.`]),
		...(example === undefined ? [] : [`Example: \`${name}: ${example}\``]),
		...(trap === undefined ? [] : [`⚠ ${trap}`]),
		...(later === undefined ? [] : [`Refused for now. ${later}`]),
	].join('\n\n');
}

/** What is known of the key or value at an offset, as Markdown. */
export function hoverJobFile(tree: YamlTree, offset: number): ({ readonly text: string } & Readonly<Span>) | undefined {
	const found = pairAt(tree.root, offset, []);
	if (!found) {
		return undefined;
	}
	const { path, pair } = found;
	const at = shapeAt(path);
	if (offset <= pair.key.end) {
		return at?.key && { text: explainKey(at.key), start: pair.key.start, end: pair.key.end };
	}
	const { value } = pair;
	const meaning = value?.kind === 'scalar' && at ? meaningOf(at.shape, value.text) : undefined;
	return value && meaning !== undefined ? { text: meaning, start: value.start, end: value.end } : undefined;
}

function meaningOf(shape: Shape, text: string): string | undefined {
	try {
		switch (shape.type) {
			case 'bytes':
				return `${parseBytes(text).toLocaleString('en')} bytes`;
			case 'seconds':
				return `${parseSeconds(text).toLocaleString('en')} s, ${formatSeconds(parseSeconds(text))}`;
			default:
				return undefined;
		}
	} catch {
		return undefined; // a diagnostic says it
	}
}

function pairAt(
	node: YamlNode | undefined,
	offset: number,
	path: readonly string[],
): { path: string[]; pair: YamlPair } | undefined {
	if (node?.kind === 'list') {
		const item = node.items.find(({ start, end }) => start <= offset && offset <= end);
		return pairAt(item, offset, path);
	}
	for (const pair of node?.kind === 'map' ? node.pairs : []) {
		const end = Math.max(pair.key.end, pair.value?.end ?? 0);
		if (pair.key.start <= offset && offset <= end) {
			const here = [...path, pair.key.text];
			return (offset > pair.key.end ? pairAt(pair.value, offset, here) : undefined) ?? { path: here, pair };
		}
	}
	return undefined;
}

/** Names of the sweep's parameters as far as the file itself says them. */
function parametersOf(tree: YamlTree | undefined): string[] {
	return parameterKeys(valueOf(tree?.root, 'sweep'))
		.map(({ text }) => text)
		.filter((name, index, all) => all.indexOf(name) === index);
}

/** Where the sweep names its parameters. */
function parameterKeys(sweep: YamlNode | undefined): YamlPair['key'][] {
	const maps = [
		valueOf(sweep, 'grid'),
		...['random', 'sobol', 'latin'].map((kind) => valueOf(valueOf(sweep, kind), 'parameters')),
		...['list', 'include', 'exclude'].flatMap((kind) => listOf(valueOf(sweep, kind))),
	];
	return [
		...maps.flatMap((map) => (map?.kind === 'map' ? map.pairs.map(({ key }) => key) : [])),
		...['zip', 'product'].flatMap((kind) => listOf(valueOf(sweep, kind)).flatMap(parameterKeys)),
	];
}

const listOf = (node: YamlNode | undefined): readonly YamlNode[] => (node?.kind === 'list' ? node.items : []);

/** The parameter at an offset, in the sweep or between braces, with all places that name it. */
export function parameterPlaces(
	text: string,
	tree: YamlTree,
	offset: number,
): { readonly name: string; readonly definition: Span | undefined; readonly places: Span[] } | undefined {
	const keys = parameterKeys(valueOf(tree.root, 'sweep'));
	const uses = placeholders(text).map(({ name, start, end }) => {
		const at = text.indexOf(name, start);
		return { name, start: at, end: at + name.length, whole: { start, end } };
	});
	const name =
		keys.find(({ start, end }) => start <= offset && offset <= end)?.text ??
		uses.find(({ whole }) => whole.start <= offset && offset <= whole.end)?.name;
	if (name === undefined) {
		return undefined;
	}
	const named = keys.filter((key) => key.text === name);
	const places = [...named, ...uses.filter((use) => use.name === name)].map(({ start, end }) => ({ start, end }));
	return { name, definition: named[0], places };
}

/** Keys of the file and of its sections. */
export function symbolsJobFile(tree: YamlTree, positions: TextPositions): DocumentSymbol[] {
	let left = MAX_SYMBOLS;
	const list = (node: YamlNode | undefined): DocumentSymbol[] =>
		(node?.kind === 'map' ? node.pairs : []).flatMap(({ key, value }) => {
			if (left-- <= 0) {
				return [];
			}
			const selectionRange = { start: positions.at(key.start), end: positions.at(key.end) };
			return [
				{
					name: key.text === '' ? '?' : key.text,
					detail:
						value?.kind === 'scalar' ? value.text.slice(0, 80) : value?.kind === 'list' ? `${value.items.length} entries` : '',
					kind: value?.kind === 'scalar' ? SymbolKind.Field : SymbolKind.Object,
					range: { start: selectionRange.start, end: positions.at(Math.max(key.end, value?.end ?? 0)) },
					selectionRange,
					children: list(value),
				},
			];
		});
	return list(tree.root);
}

/** Maps and lists of several lines. */
export function foldsJobFile(tree: YamlTree, positions: TextPositions): FoldingRange[] {
	const folds: FoldingRange[] = [];
	const visit = (node: YamlNode | undefined): void => {
		for (const { key, value } of node?.kind === 'map' ? node.pairs : []) {
			if (value && value.kind !== 'scalar') {
				const [start, end] = [positions.at(key.start).line, positions.at(Math.max(value.start, value.end - 1)).line];
				if (end > start && folds.length < MAX_SYMBOLS) {
					folds.push({ startLine: start, endLine: end });
				}
				visit(value);
			}
		}
		listOf(node).forEach(visit);
	};
	visit(tree.root);
	return folds;
}

/** Kinds of semantic tokens, in the order of their numbers. */
export const TOKEN_TYPES = ['variable', 'number'] as const;

/** Parameters between braces, and values with a unit, which the grammar of YAML does not tell apart. */
export function tokensJobFile(text: string, positions: TextPositions): number[] {
	const found = [
		...placeholders(text).map(({ start, end }) => ({ start, end, type: 0 })),
		...[
			...text.matchAll(
				/:[ \t]+((?:\d+(?:\.\d+)?|\.\d+) ?(?:[kmgt]i?b|[smhdw]|sec|min|seconds?|minutes?|hours?|days?|weeks?))(?=\s*(?:$|[,}#\n]))/gim,
			),
		].map((match) => {
			const start = match.index + match[0].length - (match[1]?.length ?? 0);
			return { start, end: match.index + match[0].length, type: 1 };
		}),
	].sort((a, b) => a.start - b.start);
	const data: number[] = [];
	let [line, character] = [0, 0];
	for (const { start, end, type } of found) {
		const at = positions.at(start);
		data.push(at.line - line, at.line === line ? at.character - character : at.character, end - start, type, 0);
		({ line, character } = at);
	}
	return data;
}
