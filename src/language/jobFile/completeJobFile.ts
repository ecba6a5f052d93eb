import { type CompletionItem, CompletionItemKind, InsertTextFormat } from 'vscode-languageserver/node';

import { describe, type Key, type Shape } from '../../job/schema/shape.js';
import { OWN_PARAMETERS } from '../../job/sweep/names.js';
import type { YamlTree } from '../../project/yaml/yamlTree.js';
import { explainKey, keysOf, pathAbove, shapeAt } from './keyPath.js';
import { parametersOf } from './parameterPlaces.js';

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
