/** An element of a BOINC file as far as an editor needs to know it. Facts are those of BOINC's sources. */
export interface ElementSpec {
	readonly name: string;
	/** One or two sentences. */
	readonly doc: string;
	readonly unit?: string;
	/** What holds when it is missing. */
	readonly default?: string;
	/** What goes wrong easily. */
	readonly trap?: string;
	/** `flag`: present and empty, or a number. `block`: has elements. */
	readonly kind: 'text' | 'number' | 'flag' | 'block';
	readonly values?: readonly string[];
	readonly children?: readonly ElementSpec[];
	/** May stand several times. */
	readonly repeat?: true;
	/** Elements that are not known are copied by BOINC, or ignored: they are no mistake. */
	readonly open?: true;
}

export const flag = (name: string, doc: string, more: Partial<ElementSpec> = {}): ElementSpec => ({
	name,
	doc,
	kind: 'flag',
	...more,
});
export const text = (name: string, doc: string, more: Partial<ElementSpec> = {}): ElementSpec => ({
	name,
	doc,
	kind: 'text',
	...more,
});
export const number = (name: string, doc: string, more: Partial<ElementSpec> = {}): ElementSpec => ({
	name,
	doc,
	kind: 'number',
	...more,
});
export const block = (
	name: string,
	doc: string,
	children: readonly ElementSpec[],
	more: Partial<ElementSpec> = {},
): ElementSpec => ({
	name,
	doc,
	kind: 'block',
	children,
	...more,
});

/** Sources in the BOINC repository that a rule follows from. */
const SOURCE = 'https://github.com/BOINC/boinc/blob/master/';
export const source = (file: string): string => `${SOURCE}${file}`;
