import { BoincError, messageOf } from '../common/errors.js';

/** An element as `parseXml` returns it: child lists by name, attributes dropped, text under `_`. */
export interface XmlElement {
	readonly text: string;
	readonly name: string;
	children(name: string): readonly XmlElement[];
	/** The trimmed text of the first child of that name. */
	childText(name: string): string | undefined;
	child(name: string): XmlElement | undefined;
	readonly all: readonly XmlElement[];
}

interface RawNode {
	readonly '#name': string;
	readonly _?: string;
	readonly $$?: readonly RawNode[];
}

function isRawNode(value: unknown): value is RawNode {
	return typeof value === 'object' && value !== null && '#name' in value;
}

function wrap(node: RawNode): XmlElement {
	const all = (node.$$ ?? []).map(wrap);
	const children = (name: string): readonly XmlElement[] => all.filter((child) => child.name === name);
	return {
		name: node['#name'],
		text: (node._ ?? '').trim(),
		all,
		children,
		child: (name) => children(name)[0],
		childText: (name) => children(name)[0]?.text,
	};
}

/** Parses an XML document strictly, as BOINC's PHP and Python tools do. `what` names the file in the error. */
export async function parseXml(xml: string, what: string): Promise<XmlElement> {
	const { Parser } = await import('xml2js');
	const parser = new Parser({ explicitChildren: true, preserveChildrenOrder: true, explicitRoot: false, strict: true });
	let root: unknown;
	try {
		root = await parser.parseStringPromise(xml.replace(/^\uFEFF/, ''));
	} catch (cause) {
		throw new BoincError('config-invalid', `${what} is not well-formed XML: ${messageOf(cause).replace(/\s*\n\s*/g, ', ')}.`, {
			remedy: 'Repair the file: while it is broken, the daemons, the scheduler and the web site cannot read it either.',
			detail: { what },
			cause,
		});
	}
	if (!isRawNode(root)) {
		throw new BoincError('config-invalid', `${what} is empty.`, { detail: { what } });
	}
	return wrap(root);
}

/** A BOINC flag: present and empty, or a number other than 0. */
export function xmlFlag(text: string | undefined): boolean {
	return text !== undefined && (text === '' || Number.parseInt(text, 10) !== 0);
}
