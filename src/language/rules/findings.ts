import type { Problem, Replacement } from '../../common/problem.js';
import { source } from '../formats/element.js';
import { childOf, textOf, textRange, type XmlNode, type XmlTree } from '../xml/xmlTree.js';

const MAX_FINDINGS = 200;

/** Collects what the rules of one file find. `file` is BOINC's source that the rules follow from. */
export class Findings {
	readonly problems: Problem[] = [];
	readonly tree: XmlTree;
	readonly #link: string;

	constructor(tree: XmlTree, file: string) {
		this.tree = tree;
		this.#link = source(file);
	}

	get isFull(): boolean {
		return this.problems.length >= MAX_FINDINGS;
	}

	add(
		span: { readonly start: number; readonly end: number },
		severity: Problem['severity'],
		code: string,
		message: string,
		fix?: { readonly title: string; readonly edits: readonly Replacement[] },
	): void {
		if (!this.isFull) {
			const { start, end } = span;
			this.problems.push({ start, end, severity, code, message, link: this.#link, ...(fix && { fixes: [fix] }) });
		}
	}

	/** On the start tag of an element. */
	tag(node: XmlNode, severity: Problem['severity'], code: string, message: string, fix?: Parameters<Findings['add']>[4]): void {
		this.add({ start: node.start, end: node.contentStart }, severity, code, message, fix);
	}

	/** On the text of an element. */
	text(node: XmlNode, severity: Problem['severity'], code: string, message: string, fix?: Parameters<Findings['add']>[4]): void {
		this.add(textRange(this.tree, node), severity, code, message, fix);
	}

	/** On an element that lacks a child, which the fix adds. */
	lacks(node: XmlNode, severity: Problem['severity'], code: string, message: string, line: string): void {
		this.tag(node, severity, code, message, this.insertion(node, line));
	}

	/** On an element that should not be there, which the fix removes. */
	useless(node: XmlNode, severity: Problem['severity'], code: string, message: string): void {
		this.tag(node, severity, code, message, this.removal(node));
	}

	/** On an element that BOINC does not recognise as it is written; the fix writes it as `form`. */
	misspelt(node: XmlNode, code: string, message: string, form: string): void {
		const edits = [{ start: node.start, end: node.end, text: form }];
		this.tag(node, 'error', code, message, { title: `Write ${form}`, edits });
	}

	/** The fix that puts `line` as the last child into an element, on its own line. */
	insertion(node: XmlNode, line: string): { title: string; edits: Replacement[] } {
		const { text } = this.tree;
		const title = `Add ${line}`;
		if (node.selfClosing) {
			return { title, edits: [{ start: node.contentStart - 2, end: node.end, text: `>${line}</${node.name}>` }] };
		}
		const last = node.children.at(-1);
		const at = last?.end ?? node.contentStart;
		const lineStart = text.lastIndexOf('\n', (last ?? node).start - 1) + 1;
		const indent = /^[ \t]*/.exec(text.slice(lineStart, (last ?? node).start))?.[0] ?? '';
		const isBlock = last !== undefined && text.slice(last.end, node.contentEnd).includes('\n');
		return { title, edits: [{ start: at, end: at, text: isBlock ? `\n${indent}${line}` : line }] };
	}

	/** The fix that takes an element away, with its line if it has one to itself. */
	removal(node: XmlNode): { title: string; edits: Replacement[] } {
		const { text } = this.tree;
		const lineStart = text.lastIndexOf('\n', node.start - 1) + 1;
		const lineEnd = text.indexOf('\n', node.end);
		const isAlone =
			text.slice(lineStart, node.start).trim() === '' && lineEnd !== -1 && text.slice(node.end, lineEnd).trim() === '';
		const span = isAlone ? { start: lineStart, end: lineEnd + 1 } : { start: node.start, end: node.end };
		return { title: `Remove <${node.name}>`, edits: [{ ...span, text: '' }] };
	}

	/** The number in a child; `undefined` if there is none. */
	number(node: XmlNode | undefined, name: string): { readonly value: number; readonly node: XmlNode } | undefined {
		const child = childOf(node, name);
		const value = child ? Number(textOf(this.tree, child)) : Number.NaN;
		return child && Number.isFinite(value) ? { value, node: child } : undefined;
	}
}
