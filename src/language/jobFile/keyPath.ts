import { FILE } from '../../job/schema/jobKeys.js';
import { describe, type Key, type Shape } from '../../job/schema/shape.js';

/** Characters before the cursor that are looked at: the entries around it begin there, in any file that people write. */
const LOOK_BACK = 2_000_000;

/** What can stand under a key: keys of a section, or nothing known. */
function inside(shape: Shape, name: string): { readonly shape: Shape; readonly key?: Key } | undefined {
	switch (shape.type) {
		case 'section': {
			const key = shape.keys().find((each) => each.name === name);
			return key && { shape: key.shape, key };
		}
		case 'pairs':
			return { shape: shape.of };
		case 'list':
			return inside(shape.of, name);
		case 'either':
			return shape.of.flatMap((each) => inside(each, name) ?? [])[0];
		default:
			return undefined;
	}
}

/** The keys of a section, also of one in a list. */
export function keysOf(shape: Shape): readonly Key[] {
	switch (shape.type) {
		case 'section':
			return shape.keys();
		case 'list':
			return keysOf(shape.of);
		case 'either':
			return shape.of.flatMap(keysOf);
		default:
			return [];
	}
}

/** The shape at the end of a path of keys. */
export function shapeAt(path: readonly string[]): { readonly shape: Shape; readonly key?: Key } | undefined {
	let found: { readonly shape: Shape; readonly key?: Key } | undefined = { shape: FILE };
	for (const name of path) {
		found = found && inside(found.shape, name);
	}
	return found;
}

/** Keys above a line by their indentation; goes by lines, so a half-typed file gives them too. */
export function pathAbove(text: string, lineStart: number, indent: number): string[] {
	const path: string[] = [];
	let least = indent;
	let end = lineStart - 1;
	const limit = Math.max(0, lineStart - LOOK_BACK);
	while (end > limit && least > 0) {
		const start = text.lastIndexOf('\n', end - 1) + 1;
		let at = start;
		while (text.charCodeAt(at) === 32) {
			at++;
		}
		// Cheap first: most lines are deeper.
		const above = at - start < least ? keyAbove(text.slice(start, end), least) : undefined;
		if (above) {
			least = above.least;
			if (above.key !== undefined) {
				path.unshift(above.key);
			}
		}
		end = start - 1;
	}
	return path;
}

/** The key of a line that what is below belongs to, and the indentation that the next one above must be below. */
function keyAbove(line: string, least: number): { readonly key?: string; readonly least: number } | undefined {
	const match = /^( *)(- +)?([\w.-]+):/.exec(line);
	if (match) {
		const own = (match[1]?.length ?? 0) + (match[2]?.length ?? 0);
		return own < least ? { key: match[3] ?? '', least: match[1]?.length ?? 0 } : undefined;
	}
	const dash = /^( *)- /.exec(line);
	return dash ? { least: Math.min(least, (dash[1]?.length ?? 0) + 1) } : undefined;
}

/** All that is said about a key, as Markdown. */
export function explainKey({ name, doc, shape, default: fallback, trap, later, example }: Key): string {
	return [
		`**\`${name}\`** ${doc}`,
		`Value: ${describe(shape)}.`,
		...(fallback === undefined ? [] : [`Default: ${fallback}.`]),
		...(example === undefined ? [] : [`Example: \`${name}: ${example}\``]),
		...(trap === undefined ? [] : [`⚠ ${trap}`]),
		...(later === undefined ? [] : [`Refused for now. ${later}`]),
	].join('\n\n');
}
