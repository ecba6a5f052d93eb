import type { Problem } from '../../common/problem.js';

/** An element and where it stands; offsets count UTF-16 units. A half-typed element ends where the next thing begins. */
export interface XmlNode {
	readonly name: string;
	/** Offset of `<`. */
	start: number;
	/** Offset after `>` of the start tag. */
	contentStart: number;
	/** Offset of `</`, or of what ends an element that is not closed. */
	contentEnd: number;
	/** Offset after the element. */
	end: number;
	readonly selfClosing: boolean;
	/** Whether it has an end tag or needs none. */
	closed: boolean;
	parent: XmlNode | undefined;
	children: readonly XmlNode[];
}

/** What could be read of a file, however broken it is. `root` is a node without a name around everything. */
export interface XmlTree {
	readonly text: string;
	readonly root: XmlNode;
	readonly problems: Problem[];
}

const NO_CHILDREN: readonly XmlNode[] = [];
const MAX_PROBLEMS = 200;

/** Reads XML as people type it: goes on after mistakes. Takes some ten milliseconds for a file of 5 MB. Never throws. */
export function parseXmlTree(text: string): XmlTree {
	return new XmlReader(text).read();
}

class XmlReader {
	readonly #text: string;
	readonly #root: XmlNode;
	readonly #problems: Problem[] = [];
	#open: XmlNode;

	constructor(text: string) {
		this.#text = text;
		this.#root = new Element(undefined, '', 0, 0, false);
		this.#root.contentEnd = text.length;
		this.#root.end = text.length;
		this.#root.closed = true;
		this.#open = this.#root;
	}

	read(): XmlTree {
		const text = this.#text;
		for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at)) {
			at = this.#markup(at);
		}
		while (this.#open !== this.#root) {
			this.#notClosed(this.#open, text.length);
		}
		return { text, root: this.#root, problems: this.#problems };
	}

	/** Reads what begins with `<`; the offset after it. */
	#markup(at: number): number {
		const text = this.#text;
		switch (text.charCodeAt(at + 1)) {
			case 47: // </
				return this.#endTag(at);
			case 33: // <!
				return text.startsWith('<!--', at)
					? this.#until(at, '-->', 'comment')
					: text.startsWith('<![CDATA[', at)
						? this.#until(at, ']]>', 'CDATA section')
						: this.#until(at, '>', 'declaration');
			case 63: // <?
				return this.#until(at, '?>', 'processing instruction');
			default:
				return this.#startTag(at);
		}
	}

	#until(at: number, end: string, what: string): number {
		const found = this.#text.indexOf(end, at + 2);
		if (found === -1) {
			this.#problem(at, Math.min(at + 4, this.#text.length), 'xml-open', `The ${what} is not closed.`);
			return this.#text.length;
		}
		return found + end.length;
	}

	#startTag(at: number): number {
		const text = this.#text;
		const nameEnd = endOfName(text, at + 1);
		if (nameEnd === at + 1) {
			this.#problem(at, at + 1, 'xml-bracket', 'A “<” that begins no element is written as &lt;.', [
				{ title: 'Change to &lt;', edits: [{ start: at, end: at + 1, text: '&lt;' }] },
			]);
			return at + 1;
		}
		const name = text.slice(at + 1, nameEnd);
		const end = this.#tagEnd(nameEnd);
		const isWhole = text[end - 1] === '>';
		const selfClosing = isWhole && text[end - 2] === '/';
		this.#adopt(new Element(this.#open, name, at, end, selfClosing));
		if (!isWhole) {
			this.#problem(at, end, 'xml-tag', `The tag <${name}> has no “>”.`, [
				{ title: 'Add “>”', edits: [{ start: end, end, text: '>' }] },
			]);
		}
		return end;
	}

	#adopt(node: XmlNode): void {
		const parent = this.#open;
		if (parent.children === NO_CHILDREN) {
			parent.children = [node];
		} else {
			(parent.children as XmlNode[]).push(node);
		}
		if (!node.selfClosing) {
			this.#open = node;
		}
	}

	/** Offset after the tag's `>`, or where a tag that has none ends: at the next `<` or the end of its line. */
	#tagEnd(from: number): number {
		const text = this.#text;
		for (let at = from; at < text.length; at++) {
			const code = text.charCodeAt(at);
			if (code === 62) {
				return at + 1;
			}
			if (code === 60 || code === 10) {
				return at;
			}
			if (code === 34 || code === 39) {
				const close = text.indexOf(code === 34 ? '"' : "'", at + 1);
				if (close === -1) {
					return at;
				}
				at = close;
			}
		}
		return text.length;
	}

	#endTag(at: number): number {
		const text = this.#text;
		const nameEnd = endOfName(text, at + 2);
		const name = text.slice(at + 2, nameEnd);
		const end = this.#tagEnd(nameEnd);
		let match: XmlNode | undefined = this.#open;
		while (match && match.name !== name) {
			match = match.parent;
		}
		if (!match || match === this.#root) {
			this.#problem(at, end, 'xml-end', name === '' ? 'The end tag has no name.' : `</${name}> closes nothing.`, [
				{ title: 'Remove it', edits: [{ start: at, end, text: '' }] },
			]);
			return Math.max(end, at + 2);
		}
		while (this.#open !== match) {
			this.#notClosed(this.#open, at);
		}
		match.contentEnd = at;
		match.end = end;
		match.closed = true;
		this.#open = match.parent ?? this.#root;
		return end;
	}

	#notClosed(node: XmlNode, at: number): void {
		node.contentEnd = at;
		node.end = at;
		const textEnd =
			node.children.length > 0
				? at
				: node.contentStart + (/^[^<\n]*/.exec(this.#text.slice(node.contentStart, at))?.[0].trimEnd().length ?? 0);
		this.#problem(node.start, node.contentStart, 'xml-not-closed', `<${node.name}> is not closed.`, [
			{ title: `Add </${node.name}>`, edits: [{ start: textEnd, end: textEnd, text: `</${node.name}>` }] },
		]);
		this.#open = node.parent ?? this.#root;
	}

	#problem(start: number, end: number, code: string, message: string, fixes: Problem['fixes'] = []): void {
		if (this.#problems.length < MAX_PROBLEMS) {
			this.#problems.push({ start, end, code, message, severity: 'error', fixes });
		}
	}
}

/** Offset after the name that begins at `at`; `at` itself if none does. */
function endOfName(text: string, at: number): number {
	for (let end = at; ; end++) {
		const code = text.charCodeAt(end);
		const isLetter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code === 58 || code > 127;
		const isOther = (code >= 48 && code <= 57) || code === 45 || code === 46;
		if (!isLetter && !(isOther && end > at)) {
			return end;
		}
	}
}

/** All of them have one shape, which makes reading them fast. */
class Element implements XmlNode {
	contentEnd: number;
	end: number;
	closed: boolean;
	children = NO_CHILDREN;

	constructor(
		public parent: XmlNode | undefined,
		readonly name: string,
		public start: number,
		public contentStart: number,
		readonly selfClosing: boolean,
	) {
		this.contentEnd = contentStart;
		this.end = contentStart;
		this.closed = selfClosing;
	}
}

/** The text directly in an element without children, trimmed; entities and CDATA stay as they are written. */
export function textOf({ text }: XmlTree, node: XmlNode): string {
	return text.slice(node.contentStart, node.contentEnd).trim();
}

/** Where that text stands. */
export function textRange({ text }: XmlTree, node: XmlNode): { readonly start: number; readonly end: number } {
	const raw = text.slice(node.contentStart, node.contentEnd);
	const start = node.contentStart + (raw.length - raw.trimStart().length);
	return raw.trim() === '' ? { start: node.start, end: node.contentStart } : { start, end: start + raw.trim().length };
}

export function childOf(node: XmlNode | undefined, name: string): XmlNode | undefined {
	return node?.children.find((child) => child.name === name);
}

export function childrenOf(node: XmlNode | undefined, name: string): XmlNode[] {
	return node?.children.filter((child) => child.name === name) ?? [];
}

/** The trimmed text of the first child of that name. */
export function childText(tree: XmlTree, node: XmlNode | undefined, name: string): string | undefined {
	const child = childOf(node, name);
	return child && textOf(tree, child);
}

/** A BOINC flag: present and empty, or a number other than 0. */
export function hasFlag(tree: XmlTree, node: XmlNode | undefined, name: string): boolean {
	const text = childText(tree, node, name);
	return text !== undefined && (text === '' || Number.parseInt(text, 10) !== 0);
}

/** The innermost element whose inside holds `offset`. Looks at some elements of each level only. */
export function nodeAt(root: XmlNode, offset: number): XmlNode {
	let node = root;
	for (;;) {
		const { children } = node;
		let low = 0;
		let high = children.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if ((children[middle]?.start ?? 0) <= offset) {
				low = middle;
			} else {
				high = middle - 1;
			}
		}
		const child = children[low];
		if (
			!child ||
			child.start > offset ||
			offset > child.end ||
			(offset === child.end && child.closed) ||
			offset === child.start
		) {
			return node;
		}
		node = child;
	}
}
