import type { Replacement } from '../../common/problem.js';
import { readYamlTree, valueOf, type YamlDictionary, type YamlPair } from '../../project/yaml/yamlTree.js';

/**
 * The edits that give keys of a section of a job file new values, and leave all else as it is: comments, order, blanks. Values are
 * plain scalars. A section that is absent is added at the end.
 */
export async function editSection(
	text: string,
	section: string,
	values: Readonly<Record<string, string>>,
): Promise<Replacement[]> {
	const { root } = await readYamlTree(text);
	const pair = root?.kind === 'map' ? root.pairs.find(({ key }) => key.text === section) : undefined;
	const inner = valueOf(root, section);
	if (!pair || inner?.kind !== 'map' || inner.pairs.length === 0) {
		return pair ? [emptySection(text, pair, values)] : [newSection(text, section, values)];
	}
	const edits: Replacement[] = [];
	const added: [string, string][] = [];
	for (const [name, value] of Object.entries(values)) {
		const known = inner.pairs.find(({ key }) => key.text === name);
		if (!known) {
			added.push([name, value]);
		} else if (known.value && known.value.end > known.value.start) {
			edits.push({ start: known.value.start, end: known.value.end, text: value });
		} else {
			const after = text.indexOf(':', known.key.end) + 1;
			edits.push({ start: after, end: after, text: ` ${value}` });
		}
	}
	return added.length === 0 ? edits : [...edits, addition(text, inner, added)];
}

/** Applies edits that do not overlap. */
export function applyEdits(text: string, edits: readonly Replacement[]): string {
	return [...edits]
		.sort((a, b) => b.start - a.start)
		.reduce((done, edit) => done.slice(0, edit.start) + edit.text + done.slice(edit.end), text);
}

/** Behind the last key: in braces after a comma, else on lines of their own. */
function addition(text: string, inner: YamlDictionary, added: readonly [string, string][]): Replacement {
	const last = inner.pairs.at(-1);
	const end = last?.value?.end ?? last?.key.end ?? inner.end;
	if (text[inner.start] === '{') {
		return { start: end, end, text: added.map(([name, value]) => `, ${name}: ${value}`).join('') };
	}
	const first = inner.pairs[0]?.key.start ?? inner.start;
	const indent = text.slice(text.lastIndexOf('\n', first - 1) + 1, first);
	const lineEnd = text.indexOf('\n', end);
	const at = lineEnd === -1 ? text.length : lineEnd;
	return { start: at, end: at, text: added.map(([name, value]) => `\n${indent}${name}: ${value}`).join('') };
}

const lines = (values: Readonly<Record<string, string>>): string =>
	Object.entries(values)
		.map(([name, value]) => `\n  ${name}: ${value}`)
		.join('');

/** `{}` and `null` are replaced; a comment behind the name stays there. */
function emptySection(text: string, { key, value }: YamlPair, values: Readonly<Record<string, string>>): Replacement {
	if (value && value.end > value.start) {
		return { start: key.end + 1, end: value.end, text: lines(values) };
	}
	const lineEnd = text.indexOf('\n', key.end);
	const at = lineEnd === -1 ? text.length : lineEnd;
	return { start: at, end: at, text: lines(values) };
}

function newSection(text: string, section: string, values: Readonly<Record<string, string>>): Replacement {
	const gap = text === '' || text.endsWith('\n') ? '' : '\n';
	return { start: text.length, end: text.length, text: `${gap}${section}:${lines(values)}\n` };
}
