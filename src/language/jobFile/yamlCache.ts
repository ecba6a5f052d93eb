import type { Problem } from '../../common/problem.js';
import {
	readYamlTree,
	TreeReader,
	type YamlDictionary,
	type YamlList,
	type YamlNode,
	type YamlTree,
} from '../../project/yaml/yamlTree.js';

/** Smaller files are read as a whole each time. */
const SMALL = 20_000;
/** Lines that are read at once: few enough to be quick after an edit, enough to be worth it. */
const PART_LINES = 100;
/** Anchors, aliases and several documents reach over parts. */
const WHOLE_ONLY = /(^|[\s[{,:-])[&*][A-Za-z0-9_]|^(---|\.\.\.|%)/m;

interface Part {
	start: number;
	readonly node: YamlNode | undefined;
	readonly problems: readonly Problem[];
}

interface Lines {
	readonly text: string;
	/** Offset of each line, and of the end. */
	readonly starts: readonly number[];
}

/**
 * Reads one file again and again. A long file is read in parts at the entries of its lists and maps, and after an edit only the part
 * that changed is read; the others are moved in place, so an older tree is used up.
 */
export class YamlCache {
	#parts = new Map<string, Part[]>();
	#used = new Map<string, Part[]>();
	#problems: Problem[] = [];
	#read: (text: string, offset: number) => Part = () => {
		throw new Error('not reading');
	};

	async read(text: string): Promise<YamlTree> {
		if (text.length < SMALL || WHOLE_ONLY.test(text)) {
			this.#parts.clear();
			return readYamlTree(text);
		}
		const yaml = await import('yaml');
		this.#read = (part, offset) => {
			const reader = new TreeReader(yaml, offset);
			const node = reader.read(part);
			return { start: offset, node, problems: reader.problems };
		};
		this.#used = new Map();
		this.#problems = [];
		const starts = [0];
		for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
			starts.push(at + 1);
		}
		if (starts.at(-1) !== text.length) {
			starts.push(text.length);
		}
		const root = this.#entries({ text, starts }, 0, starts.length - 1);
		this.#parts = this.#used;
		return { root, problems: this.#problems };
	}

	/** The map or list in the lines from `from` up to `to`. */
	#entries(lines: Lines, from: number, to: number): YamlNode | undefined {
		const first = nextEntry(lines, from, to);
		if (first === to) {
			return undefined;
		}
		const indent = indentOf(lines, first);
		const isList = isItem(lines, first);
		const heads: number[] = [];
		for (let line = first; line < to; line++) {
			if (line === first || (!isBlank(lines, line) && indentOf(lines, line) === indent && isItem(lines, line) === isList)) {
				heads.push(line);
			}
		}
		const start = (lines.starts[first] ?? 0) + indent;
		const end = lines.starts[to] ?? lines.text.length;
		const node: YamlDictionary | YamlList = isList
			? { kind: 'list', start, end, items: [] }
			: { kind: 'map', start, end, pairs: [] };
		this.#gather(lines, node, heads, to);
		return node;
	}

	/** Reads the entries that begin in the lines `heads`, several at once. */
	#gather(lines: Lines, node: YamlDictionary | YamlList, heads: readonly number[], to: number): void {
		const endOf = (index: number): number => heads[index + 1] ?? to;
		for (let index = 0; index < heads.length; index++) {
			const line = heads[index] ?? to;
			if (node.kind === 'map' && endOf(index) - line > 2 * PART_LINES && this.#nested(lines, node, line, endOf(index))) {
				continue;
			}
			while (index + 1 < heads.length && endOf(index + 1) - line <= PART_LINES) {
				index++;
			}
			this.#part(lines, node, line, endOf(index));
		}
	}

	/** An entry that has a long block as its value and nothing beside it; `false` for another one. */
	#nested(lines: Lines, node: YamlDictionary, line: number, next: number): boolean {
		const start = lines.starts[line] ?? 0;
		const match = /^(\s*)([\w.-]+):\s*(#.*)?$/.exec(lines.text.slice(start, lines.starts[line + 1]).trimEnd());
		if (!match) {
			return false;
		}
		const from = start + (match[1]?.length ?? 0);
		const name = match[2] ?? '';
		node.pairs.push({ key: { text: name, start: from, end: from + name.length }, value: this.#entries(lines, line + 1, next) });
		return true;
	}

	#part(lines: Lines, node: YamlDictionary | YamlList, from: number, to: number): void {
		const start = lines.starts[from] ?? 0;
		const text = lines.text.slice(start, lines.starts[to]);
		let part = this.#parts.get(text)?.pop();
		if (part) {
			part = moved(part, start - part.start);
		} else {
			part = this.#read(text, start);
		}
		const used = this.#used.get(text);
		if (used) {
			used.push(part);
		} else {
			this.#used.set(text, [part]);
		}
		this.#problems.push(...part.problems);
		if (part.node?.kind === 'map' && node.kind === 'map') {
			node.pairs.push(...part.node.pairs);
		} else if (part.node?.kind === 'list' && node.kind === 'list') {
			node.items.push(...part.node.items);
		} else if (part.node && part.problems.length === 0) {
			const { start: at, end } = part.node;
			this.#problems.push({
				start: at,
				end,
				code: 'yaml-syntax',
				severity: 'error',
				message: 'A list and names are mixed here.',
			});
		}
	}
}

function moved(part: Part, delta: number): Part {
	if (delta === 0) {
		return part;
	}
	if (part.node) {
		move(part.node, delta);
	}
	const problems = part.problems.map((found) => ({ ...found, start: found.start + delta, end: found.end + delta }));
	return { start: part.start + delta, node: part.node, problems };
}

function move(node: YamlNode, delta: number): void {
	node.start += delta;
	node.end += delta;
	if (node.kind === 'list') {
		node.items.forEach((item) => move(item, delta));
	} else if (node.kind === 'map') {
		for (const { key, value } of node.pairs) {
			key.start += delta;
			key.end += delta;
			if (value) {
				move(value, delta);
			}
		}
	}
}

function nextEntry(lines: Lines, from: number, to: number): number {
	let line = from;
	while (line < to && isBlank(lines, line)) {
		line++;
	}
	return line;
}

/** Whether a line is empty or a comment. */
function isBlank(lines: Lines, line: number): boolean {
	const code = lines.text.charCodeAt((lines.starts[line] ?? 0) + indentOf(lines, line));
	return Number.isNaN(code) || code === 10 || code === 13 || code === 35;
}

function indentOf({ text, starts }: Lines, line: number): number {
	const start = starts[line] ?? 0;
	let at = start;
	while (text.charCodeAt(at) === 32) {
		at++;
	}
	return at - start;
}

/** Whether a line begins with a dash of a list. */
function isItem(lines: Lines, line: number): boolean {
	const at = (lines.starts[line] ?? 0) + indentOf(lines, line);
	return lines.text[at] === '-' && /\s/.test(lines.text[at + 1] ?? '\n');
}
