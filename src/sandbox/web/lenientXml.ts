/**
 * A reader for what BOINC clients send: tags matched by their text, no well-formedness, text that may hold anything
 * inside CDATA sections. Unclosed elements end with their parent, end tags without a start are ignored.
 */
export interface LenientElement {
	readonly name: string;
	readonly children: readonly LenientElement[];
	/** What stands between the tags, unchanged. */
	readonly inner: string;
}

interface Open {
	readonly name: string;
	readonly children: LenientElement[];
	readonly start: number;
}

const TOKEN =
	/<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<!--[\s\S]*?(?:-->|$)|<\?[\s\S]*?(?:\?>|$)|<(\/?)([A-Za-z_][\w.:-]*)(?:\s[^<>]*?)?(\/?)>/g;

/** Reads a document; the result has no name and holds the top elements. Never throws. */
export function readLenient(text: string): LenientElement {
	const root: Open = { name: '', children: [], start: 0 };
	const stack: Open[] = [root];
	const close = (until: number, end: number): void => {
		while (stack.length > until) {
			const open = stack.pop();
			if (open) {
				stack.at(-1)?.children.push({ name: open.name, children: open.children, inner: text.slice(open.start, end) });
			}
		}
	};
	for (const match of text.matchAll(TOKEN)) {
		const [token, slash, name, selfClosing] = match;
		if (name === undefined) {
			continue;
		}
		if (slash === '/') {
			const index = stack.findLastIndex((open) => open.name === name);
			if (index > 0) {
				close(index, match.index);
			}
		} else if (selfClosing === '/') {
			stack.at(-1)?.children.push({ name, children: [], inner: '' });
		} else {
			stack.push({ name, children: [], start: match.index + token.length });
		}
	}
	close(1, text.length);
	return { name: '', children: root.children, inner: text };
}

/** The first child of that name. */
export function childOf(element: LenientElement | undefined, name: string): LenientElement | undefined {
	return element?.children.find((child) => child.name === name);
}

/** All children of that name. */
export function childrenOf(element: LenientElement | undefined, name: string): readonly LenientElement[] {
	return element?.children.filter((child) => child.name === name) ?? [];
}

/** The decoded, trimmed text of a child; empty when it is absent. */
export function childText(element: LenientElement | undefined, name: string): string {
	const child = childOf(element, name);
	return child ? decodeText(child.inner) : '';
}

/** A child as a number; `otherwise` when it is absent or no number. */
export function childNumber(element: LenientElement | undefined, name: string, otherwise = 0): number {
	const value = Number.parseFloat(childText(element, name));
	return Number.isFinite(value) ? value : otherwise;
}

/** A flag: `<x/>`, `<x></x>` or a number other than 0. */
export function childFlag(element: LenientElement | undefined, name: string): boolean {
	const child = childOf(element, name);
	if (!child) {
		return false;
	}
	const text = decodeText(child.inner);
	return text === '' || (Number.parseFloat(text) || 0) !== 0;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Text with entities decoded and CDATA sections unwrapped, trimmed. */
export function decodeText(raw: string): string {
	return raw
		.split(/(<!\[CDATA\[[\s\S]*?(?:\]\]>|$))/)
		.map((part) =>
			part.startsWith('<![CDATA[')
				? part.slice(9).replace(/\]\]>$/, '')
				: part.replace(/&(?:#(\d{1,7})|(lt|gt|amp|quot|apos));/g, (whole, code: string | undefined, name: string | undefined) =>
						code === undefined ? (ENTITIES[name ?? ''] ?? whole) : codePoint(Number(code), whole),
					),
		)
		.join('')
		.trim();
}

function codePoint(code: number, otherwise: string): string {
	return code <= 0x10ffff ? String.fromCodePoint(code) : otherwise;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for use inside an element or a double-quoted attribute. */
export function escapeXml(text: string): string {
	return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}
