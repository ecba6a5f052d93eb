/**
 * How the values of a `boinc2docker.yml` look. One table of keys in this form is the source of the reader's checks, of the JSON
 * Schema, of the reference page, and of what the language server completes and explains.
 */
export type Shape =
	| { readonly type: 'text'; readonly pattern?: RegExp; readonly help?: string }
	/** Text or number or boolean, as it is written. */
	| { readonly type: 'value' }
	| { readonly type: 'bytes' }
	| { readonly type: 'seconds' }
	| { readonly type: 'whole'; readonly least: number; readonly most: number }
	| { readonly type: 'number'; readonly above?: number }
	| { readonly type: 'flag' }
	/** `refused`: values that people expect, with the reason why each cannot be. */
	| {
			readonly type: 'choice';
			readonly of: readonly string[];
			readonly refused?: { readonly values: Readonly<Record<string, string>>; readonly remedy: string };
	  }
	/** A command line, or a list of words. */
	| { readonly type: 'words' }
	/** A list; with `single`, one value counts as a list of one. */
	| { readonly type: 'list'; readonly of: Shape; readonly single?: true; readonly least?: number }
	/** Names of the user's own with a value each. */
	| { readonly type: 'pairs'; readonly of: Shape; readonly name?: RegExp; readonly help?: string }
	/** Known keys. `kinds`: exactly one of these must be given. */
	| { readonly type: 'section'; readonly keys: () => readonly Key[]; readonly kinds?: readonly string[] }
	/** The first of them that fits a single value, a list or a map; `what` says in words what is expected. */
	| { readonly type: 'either'; readonly of: readonly Shape[]; readonly what: string };

/** One key of the file. */
export interface Key {
	readonly name: string;
	readonly shape: Shape;
	/** One or two sentences for completion, hover and the reference page. */
	readonly doc: string;
	/** What holds when it is left out, in words. */
	readonly default?: string;
	/** What goes wrong easily. */
	readonly trap?: string;
	/** A value as it is written in the file, on one line. */
	readonly example?: string;
	/** The key is known, but nothing reads it yet; says what to do instead. */
	readonly later?: string;
	/** For installing the app, not for jobs. */
	readonly install?: true;
}

export const TEXT: Shape = { type: 'text' };
export const VALUE: Shape = { type: 'value' };
export const BYTES: Shape = { type: 'bytes' };
export const SECONDS: Shape = { type: 'seconds' };
export const FLAG: Shape = { type: 'flag' };
export const WORDS: Shape = { type: 'words' };
export const TEXTS: Shape = { type: 'list', of: TEXT, single: true };

/** Which node a shape is made for; `undefined`: several. */
export function fits(shape: Shape, kind: 'scalar' | 'list' | 'map'): boolean {
	switch (shape.type) {
		case 'words':
			return kind !== 'map';
		case 'list':
			return kind === 'list' || (shape.single === true && kind === 'scalar');
		case 'pairs':
		case 'section':
			return kind === 'map';
		case 'either':
			return shape.of.some((each) => fits(each, kind));
		default:
			return kind === 'scalar';
	}
}

/** What is expected, in words after “expected is”. */
export function describe(shape: Shape): string {
	switch (shape.type) {
		case 'text':
			return shape.help ?? 'a text';
		case 'value':
			return 'a single value';
		case 'bytes':
			return 'a size such as 500 MB or 2 GiB';
		case 'seconds':
			return 'a duration such as 90 s, 10 min, 3 h or 2 d';
		case 'whole':
			return `a whole number from ${shape.least} to ${shape.most}`;
		case 'number':
			return shape.above === undefined ? 'a number' : `a number above ${shape.above}`;
		case 'flag':
			return 'true or false';
		case 'choice':
			return `one of ${shape.of.join(', ')}`;
		case 'words':
			return 'a command line or a list of words';
		case 'list':
			return `a list${shape.single === true ? ' or a single value' : ''}`;
		case 'either':
			return shape.what;
		default:
			return 'a list of “name: value” lines';
	}
}
