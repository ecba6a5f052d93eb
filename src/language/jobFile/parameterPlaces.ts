import { placeholders } from '../../job/sweep/names.js';
import { type Span, valueOf, type YamlNode, type YamlPair, type YamlTree } from '../../project/yaml/yamlTree.js';

/** Names of the sweep's parameters as far as the file itself says them. */
export function parametersOf(tree: YamlTree | undefined): string[] {
	return parameterKeys(valueOf(tree?.root, 'sweep'))
		.map(({ text }) => text)
		.filter((name, index, all) => all.indexOf(name) === index);
}

/** Where the sweep names its parameters. */
function parameterKeys(sweep: YamlNode | undefined): YamlPair['key'][] {
	const maps = [
		valueOf(sweep, 'grid'),
		...['random', 'sobol', 'latin'].map((kind) => valueOf(valueOf(sweep, kind), 'parameters')),
		...['list', 'include', 'exclude'].flatMap((kind) => listOf(valueOf(sweep, kind))),
	];
	return [
		...maps.flatMap((map) => (map?.kind === 'map' ? map.pairs.map(({ key }) => key) : [])),
		...['zip', 'product'].flatMap((kind) => listOf(valueOf(sweep, kind)).flatMap(parameterKeys)),
	];
}

/** The items of a list; none of anything else. */
export const listOf = (node: YamlNode | undefined): readonly YamlNode[] => (node?.kind === 'list' ? node.items : []);

/** The parameter at an offset, in the sweep or between braces, with all places that name it. */
export function parameterPlaces(
	text: string,
	tree: YamlTree,
	offset: number,
): { readonly name: string; readonly definition: Span | undefined; readonly places: Span[] } | undefined {
	const keys = parameterKeys(valueOf(tree.root, 'sweep'));
	const uses = placeholders(text).map(({ name, start, end }) => {
		const at = text.indexOf(name, start);
		return { name, start: at, end: at + name.length, whole: { start, end } };
	});
	const name =
		keys.find(({ start, end }) => start <= offset && offset <= end)?.text ??
		uses.find(({ whole }) => whole.start <= offset && offset <= whole.end)?.name;
	if (name === undefined) {
		return undefined;
	}
	const named = keys.filter((key) => key.text === name);
	const places = [...named, ...uses.filter((use) => use.name === name)].map(({ start, end }) => ({ start, end }));
	return { name, definition: named[0], places };
}
