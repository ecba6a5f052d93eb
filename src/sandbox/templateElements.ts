/** An element of a template as the parser of BOINC’s tools reads it: names and texts, no attributes. */
export interface TemplateElement {
	readonly name: string;
	readonly selfClosing: boolean;
	readonly inner: string;
}

/** The elements at the top level of `text`; one that is never closed reaches to the end. */
export function templateElements(text: string): TemplateElement[] {
	const found: TemplateElement[] = [];
	const source = text.replace(/<!--[\s\S]*?-->/g, '');
	const tag = /<([^\s<>/?!][^\s<>/]*)([^<>]*?)(\/?)>/g;
	for (let match = tag.exec(source); match; match = tag.exec(source)) {
		const name = match[1] ?? '';
		if (match[3] === '/') {
			found.push({ name, selfClosing: true, inner: '' });
			continue;
		}
		const start = tag.lastIndex;
		const end = source.indexOf(`</${name}>`, start);
		found.push({ name, selfClosing: false, inner: source.slice(start, end < 0 ? undefined : end) });
		tag.lastIndex = end < 0 ? source.length : end + name.length + 3;
	}
	return found;
}

/** An element that the parser does not know is copied, without attributes. */
export const copied = ({ name, selfClosing, inner }: TemplateElement): string =>
	selfClosing ? `<${name}/>\n` : `<${name}>${inner}</${name}>\n`;
