import sax from 'sax';

import { BoincError } from '../common/errors.js';

/** An element and where it stands in the text; offsets count UTF-16 units. */
export interface PositionedElement {
	readonly name: string;
	/** Offset of `<` of the start tag. */
	readonly start: number;
	/** Offset after `>` of the start tag. */
	readonly contentStart: number;
	/** Offset of `<` of the end tag; equals `contentStart` for `<x/>`. */
	readonly contentEnd: number;
	/** Offset after the element. */
	readonly end: number;
	readonly selfClosing: boolean;
	/** Text and CDATA directly inside, entities resolved, trimmed. */
	readonly text: string;
	readonly children: readonly PositionedElement[];
}

type Mutable = { -readonly [K in keyof PositionedElement]: PositionedElement[K] } & { children: Mutable[] };

/**
 * Parses strictly and keeps positions. Throws `config-invalid` naming `what` and the line. Returns the root element.
 */
export function parseWithPositions(xml: string, what: string): PositionedElement {
	// The option is absent from the type declarations. Without it HTML's entities would pass, which Python and PHP refuse.
	const options: sax.SAXOptions & { strictEntities: boolean } = { position: true, strictEntities: true };
	const parser = sax.parser(true, options);
	const open: Mutable[] = [];
	let root: Mutable | undefined;
	const failure = (why: string): BoincError =>
		new BoincError('config-invalid', `${what} is not well-formed XML: ${why} (line ${parser.line + 1}).`, {
			remedy: 'Repair the file first: we change only files that we can read completely.',
			detail: { what, line: parser.line + 1 },
		});
	parser.onerror = (error) => {
		throw failure((error.message.split('\n')[0] ?? '').replace(/\.$/, ''));
	};
	parser.onopentag = (tag) => {
		const element: Mutable = {
			name: tag.name,
			start: parser.startTagPosition - 1,
			contentStart: parser.position,
			contentEnd: parser.position,
			end: parser.position,
			selfClosing: tag.isSelfClosing,
			text: '',
			children: [],
		};
		open.at(-1)?.children.push(element);
		root ??= element;
		open.push(element);
	};
	const addText = (text: string): void => {
		const element = open.at(-1);
		if (element) {
			element.text += text;
		}
	};
	parser.ontext = addText;
	parser.oncdata = addText;
	parser.onclosetag = () => {
		const element = open.pop();
		if (element) {
			element.text = element.text.trim();
			element.end = parser.position;
			element.contentEnd = element.selfClosing ? element.contentStart : parser.startTagPosition - 1;
		}
	};
	parser.write(xml).close();
	if (!root) {
		throw failure('it has no element');
	}
	return root;
}

/** The first child of that name. */
export function childOf(element: PositionedElement, name: string): PositionedElement | undefined {
	return element.children.find((child) => child.name === name);
}

/** Text of the first child of that name. */
export function childTextOf(element: PositionedElement, name: string): string | undefined {
	return childOf(element, name)?.text;
}
