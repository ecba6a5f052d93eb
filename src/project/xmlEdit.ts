import type { PositionedElement } from './xmlPositions.js';

/** Replaces `text.slice(start, end)`. */
export interface TextEdit {
	readonly start: number;
	readonly end: number;
	readonly text: string;
}

/** An element to insert: a name with text, or with children, or a flag (neither). */
export interface XmlNode {
	readonly name: string;
	readonly text?: string;
	readonly children?: readonly XmlNode[];
}

/** Text as it stands inside an element. Control characters cannot stand in XML and are dropped. */
export function escapeXml(text: string): string {
	return (
		text
			// oxlint-disable-next-line no-control-regex -- these are what XML 1.0 forbids
			.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '')
			.replaceAll('&', '&amp;')
			.replaceAll('<', '&lt;')
			.replaceAll('>', '&gt;')
	);
}

/** Applies edits that do not overlap. Of several insertions at one place the first given comes first. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
	const ordered = edits.map((edit, index) => ({ edit, index })).sort((a, b) => a.edit.start - b.edit.start || a.index - b.index);
	let result = '';
	let at = 0;
	for (const { edit } of ordered) {
		result += text.slice(at, edit.start) + edit.text;
		at = edit.end;
	}
	return result + text.slice(at);
}

/** The line end that a file uses; a mixed file counts as the one that is first. */
export function lineEndOf(text: string): string {
	return /\r?\n/.exec(text)?.[0] ?? '\n';
}

/** White space at the start of the line on which `offset` stands, if nothing else is before it. */
function indentAt(text: string, offset: number): string | undefined {
	const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
	const before = text.slice(lineStart, offset).replace(/^\uFEFF/, '');
	return /^[ \t]*$/.test(before) ? before : undefined;
}

function render(node: XmlNode, indent: string, step: string, eol: string): string {
	if (node.children && node.children.length > 0) {
		const inner = node.children.map((child) => `${render(child, indent + step, step, eol)}${eol}`).join('');
		return `${indent}<${node.name}>${eol}${inner}${indent}</${node.name}>`;
	}
	return node.text === undefined ? `${indent}<${node.name}/>` : `${indent}<${node.name}>${escapeXml(node.text)}</${node.name}>`;
}

interface Style {
	readonly parentIndent: string;
	readonly indent: string;
	readonly step: string;
	readonly eol: string;
}

/** How a file indents the children of `parent`: as its present children stand, else as far as a document's usual step. */
function styleOf(text: string, parent: PositionedElement): Style {
	const parentIndent = indentAt(text, parent.start) ?? '';
	const sibling = parent.children.map((child) => indentAt(text, child.start)).find((indent) => indent !== undefined);
	const guess = parentIndent.includes('\t') ? '\t' : '    ';
	const own = sibling?.startsWith(parentIndent) ? sibling.slice(parentIndent.length) : '';
	const step = own === '' ? guess : own;
	return { parentIndent, indent: sibling ?? parentIndent + step, step, eol: lineEndOf(text) };
}

/**
 * The edit that puts `nodes` after the last child of `parent`, each on its own lines, indented like the other children.
 * Everything else in the file stays byte for byte.
 */
export function appendChildren(text: string, parent: PositionedElement, nodes: readonly XmlNode[]): TextEdit {
	const { parentIndent, indent, step, eol } = styleOf(text, parent);
	const lines = nodes.map((node) => `${render(node, indent, step, eol)}${eol}`).join('');
	if (parent.selfClosing) {
		const startTag = text.slice(parent.start, parent.end).replace(/\s*\/>$/, '>');
		return { start: parent.start, end: parent.end, text: `${startTag}${eol}${lines}${parentIndent}</${parent.name}>` };
	}
	// Before the end tag's own line if it has one, else right before the end tag.
	const endIndent = indentAt(text, parent.contentEnd);
	if (endIndent !== undefined && parent.contentEnd - endIndent.length >= parent.contentStart) {
		const start = parent.contentEnd - endIndent.length;
		return { start, end: start, text: lines };
	}
	return { start: parent.contentEnd, end: parent.contentEnd, text: `${eol}${lines}${parentIndent}` };
}

/** The edit that gives `element` another text. */
export function setText(element: PositionedElement, text: string): TextEdit {
	return element.selfClosing
		? { start: element.start, end: element.end, text: `<${element.name}>${escapeXml(text)}</${element.name}>` }
		: { start: element.contentStart, end: element.contentEnd, text: escapeXml(text) };
}
