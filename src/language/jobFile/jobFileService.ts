import { type DocumentSymbol, type FoldingRange, SymbolKind } from 'vscode-languageserver/node';

import { formatSeconds } from '../../common/format.js';
import { parseBytes, parseSeconds } from '../../common/parseUnits.js';
import type { TextPositions } from '../../common/textPositions.js';
import type { Shape } from '../../job/schema/shape.js';
import { placeholders } from '../../job/sweep/names.js';
import type { Span, YamlNode, YamlPair, YamlTree } from '../../project/yaml/yamlTree.js';
import { explainKey, shapeAt } from './keyPath.js';
import { listOf } from './parameterPlaces.js';

const MAX_SYMBOLS = 1000;
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
