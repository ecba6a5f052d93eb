type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string;

function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== undefined && value !== false) {
			element.setAttribute(name, value === true ? '' : String(value));
		}
	}
	// Strings become text nodes: nothing is ever parsed as HTML.
	element.append(...children);
}

/** An HTML element. */
export function h<K extends keyof HTMLElementTagNameMap>(
	name: K,
	attributes?: Attributes,
	...children: Child[]
): HTMLElementTagNameMap[K];
export function h(name: string, attributes?: Attributes, ...children: Child[]): HTMLElement;
export function h(name: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
	const element = document.createElement(name);
	fill(element, attributes, children);
	return element;
}

/** An SVG element. */
export function svg(name: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
	const element = document.createElementNS('http://www.w3.org/2000/svg', name);
	fill(element, attributes, children);
	return element;
}

/** The element with this id, which the page's own HTML has. */
export function byId(id: string): HTMLElement {
	const found = document.getElementById(id);
	if (!found) {
		throw new Error(`the page has no #${id}`);
	}
	return found;
}
