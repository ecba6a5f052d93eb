import { splitCommandLine } from '../../common/commandLine.js';
import { BoincError, messageOf } from '../../common/errors.js';
import { parseBytes, parseSeconds } from '../../common/parseUnits.js';
import { closest, type Problem } from '../../common/problem.js';
import { isGiven, type Span, type YamlDictionary, type YamlNode, type YamlScalar } from '../../project/yaml/yamlTree.js';
import { describe, fits, type Key, type Shape } from './shape.js';

const MAX_PROBLEMS = 500;

/** Compares a file, or a part of it, with its shape. Finds everything that is wrong, not only the first. */
export class ShapeCheck {
	readonly problems: Problem[] = [];

	check(node: YamlNode, shape: Shape, where: string): void {
		if (this.problems.length >= MAX_PROBLEMS) {
			return;
		}
		if (!fits(shape, node.kind)) {
			this.#add(node, 'wrong-type', `${where}: expected is ${describe(shape)}.`);
			return;
		}
		switch (node.kind) {
			case 'scalar':
				this.#scalar(node, shape, where);
				break;
			case 'list':
				this.#list(node, shape, where);
				break;
			case 'map':
				this.#map(node, shape, where);
				break;
		}
	}

	#list(node: Extract<YamlNode, { kind: 'list' }>, shape: Shape, where: string): void {
		if (shape.type === 'either') {
			this.#either(node, shape.of, where);
			return;
		}
		const of: Shape = shape.type === 'list' ? shape.of : { type: 'text' };
		if (shape.type === 'list' && node.items.length < (shape.least ?? 0)) {
			this.#add(node, 'empty-list', `${where}: at least one entry is expected.`);
		}
		for (const item of node.items) {
			this.check(item, of, where);
		}
	}

	#map(node: YamlDictionary, shape: Shape, where: string): void {
		if (shape.type === 'either') {
			this.#either(node, shape.of, where);
			return;
		}
		this.#duplicates(node);
		if (shape.type === 'pairs') {
			for (const { key, value } of node.pairs) {
				if (shape.name && !shape.name.test(key.text)) {
					this.#add(key, 'bad-name', `“${shorten(key.text)}” cannot be a name here: expected is ${shape.help ?? 'another one'}.`);
				}
				if (isGiven(value)) {
					this.check(value, shape.of, key.text);
				}
			}
		} else if (shape.type === 'section') {
			this.section(node, shape.keys(), where, shape.kinds);
		}
	}

	/** Checks the keys of a map. Public: the language server checks a big file in parts. */
	section(node: YamlDictionary, keys: readonly Key[], where: string, kinds?: readonly string[]): void {
		for (const pair of node.pairs) {
			const known = keys.find(({ name }) => name === pair.key.text);
			if (!known) {
				this.#unknown(pair.key, keys, where);
			} else if (isGiven(pair.value)) {
				if (known.later !== undefined) {
					this.#add(pair.key, 'not-yet', `${known.name} has no effect yet, and so it is refused.`, known.later);
				} else {
					this.check(pair.value, known.shape, known.name);
				}
			}
		}
		if (kinds) {
			const given = node.pairs.filter(({ key }) => kinds.includes(key.text));
			if (given.length === 0) {
				this.#add(node, 'kind-missing', `${where}: one of ${kinds.join(', ')} is expected.`);
			}
			for (const { key } of given.slice(1)) {
				this.#add(
					key,
					'kind-twice',
					`${where}: ${given[0]?.key.text ?? ''} is given already, and only one of ${kinds.join(', ')} can be.`,
				);
			}
		}
	}

	#either(node: YamlNode, shapes: readonly Shape[], where: string): void {
		const shape = shapes.find((each) => fits(each, node.kind));
		if (shape) {
			this.check(node, shape, where);
		}
	}

	#scalar(node: YamlScalar, shape: Shape, where: string): void {
		const { text } = node;
		if (text.includes('\0')) {
			this.#add(node, 'nul', `${where}: a NUL character cannot be part of an argument or a variable.`, 'Remove it.');
			return;
		}
		switch (shape.type) {
			case 'either': {
				this.#either(node, shape.of, where);
				return;
			}
			case 'list': {
				this.check(node, shape.of, where);
				return;
			}
			case 'bytes': {
				this.#parsed(node, where, parseBytes);
				return;
			}
			case 'seconds': {
				this.#parsed(node, where, parseSeconds);
				return;
			}
			case 'words': {
				this.#parsed(node, where, splitCommandLine);
				return;
			}
			case 'choice': {
				this.#choice(node, shape, where);
				return;
			}
			default: {
				const found = scalarProblem(node, shape);
				if (found) {
					this.#add(node, found[0], `${where}: ${found[1]}`);
				}
			}
		}
	}

	#choice(node: YamlScalar, { of, refused }: Extract<Shape, { type: 'choice' }>, where: string): void {
		if (refused && Object.hasOwn(refused.values, node.text)) {
			this.#add(node, 'refused-value', `${where}: ${refused.values[node.text] ?? ''}`, refused.remedy);
		} else if (!of.includes(node.text)) {
			const near = closest(node.text, of);
			this.problems.push({
				start: node.start,
				end: node.end,
				code: 'bad-choice',
				severity: 'error',
				message: `${where}: “${shorten(node.text)}” is not one of ${of.join(', ')}.`,
				...(near !== undefined && { fixes: [replaceBy(node, near)] }),
			});
		}
	}

	#parsed(node: YamlScalar, where: string, parse: (text: string) => unknown): void {
		try {
			parse(node.text);
		} catch (error) {
			const remedy = BoincError.is(error) ? error.remedy : undefined;
			this.#add(node, 'unreadable', `${where}: ${messageOf(error)}`, remedy);
		}
	}

	#duplicates(node: YamlDictionary): void {
		const seen = new Set<string>();
		for (const { key } of node.pairs) {
			if (seen.has(key.text)) {
				this.#add(key, 'duplicate-key', `“${shorten(key.text)}” is given twice.`, 'Leave one of them out.');
			}
			seen.add(key.text);
		}
	}

	#unknown(key: Span & { readonly text: string }, keys: readonly Key[], where: string): void {
		const names = keys.map(({ name }) => name);
		const near = closest(key.text, names);
		this.problems.push({
			start: key.start,
			end: key.end,
			code: 'unknown-key',
			severity: 'error',
			message: `${where === '' ? '' : `${where}: `}the key “${shorten(key.text)}” is unknown${near === undefined ? '' : `; did you mean “${near}”?`}${near === undefined ? '.' : ''}`,
			remedy: `Known are ${[...names].sort().join(', ')}.`,
			...(near !== undefined && { fixes: [replaceBy(key, near)] }),
		});
	}

	#add({ start, end }: Span, code: string, message: string, remedy?: string): void {
		this.problems.push({
			start,
			end: Math.max(end, start),
			code,
			message,
			severity: 'error',
			...(remedy !== undefined && { remedy }),
		});
	}
}

/** Code and message of what is wrong with a value by itself. */
function scalarProblem(node: YamlScalar, shape: Shape): readonly [code: string, message: string] | undefined {
	const { text, value } = node;
	const said = `“${shorten(text)}”`;
	switch (shape.type) {
		case 'text':
			return shape.pattern && !shape.pattern.test(text)
				? ['bad-value', `${said} cannot be used; expected is ${describe(shape)}.`]
				: undefined;
		case 'whole':
			if (!/^[-+]?\d{1,15}$/.test(text)) {
				return ['bad-number', `${said} is not a whole number.`];
			}
			return Number(text) < shape.least || Number(text) > shape.most
				? ['out-of-range', `${text} is not ${describe(shape)}.`]
				: undefined;
		case 'number':
			return numberProblem(value, shape.above, said);
		case 'flag':
			return typeof value === 'boolean' ? undefined : ['bad-value', 'true or false is expected.'];
		default:
			return undefined;
	}
}

function numberProblem(
	value: YamlScalar['value'],
	above: number | undefined,
	said: string,
): readonly [string, string] | undefined {
	if (typeof value !== 'number' || !Number.isFinite(value)) {
		return ['bad-number', `${said} is not a number.`];
	}
	return above !== undefined && value <= above ? ['out-of-range', `${value} is not above ${above}.`] : undefined;
}

const replaceBy = ({ start, end }: Span, text: string): NonNullable<Problem['fixes']>[number] => ({
	title: `Change to “${text}”`,
	edits: [{ start, end, text }],
});

function shorten(text: string): string {
	return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
