import type * as Yaml from 'yaml';

import type { Problem } from '../../common/problem.js';

/** Where something stands in the file; offsets count UTF-16 units. Shifted in place when text before it changes. */
export interface Span {
	start: number;
	end: number;
}

export interface YamlScalar extends Span {
	readonly kind: 'scalar';
	/** A plain scalar as it is written (`1.10` stays `1.10`), a quoted one resolved. Empty for nothing. */
	readonly text: string;
	readonly value: string | number | boolean | null;
}

export interface YamlKey extends Span {
	readonly text: string;
}

export interface YamlPair {
	readonly key: YamlKey;
	readonly value: YamlNode | undefined;
}

export interface YamlDictionary extends Span {
	readonly kind: 'map';
	readonly pairs: YamlPair[];
}

export interface YamlList extends Span {
	readonly kind: 'list';
	readonly items: YamlNode[];
}

export type YamlNode = YamlScalar | YamlDictionary | YamlList;

/** What could be read of a file, however broken it is, and what is wrong with it. */
export interface YamlTree {
	readonly root: YamlNode | undefined;
	readonly problems: Problem[];
}

/** Most bytes of a file; longer lists belong into a table. */
export const MAX_YAML_LENGTH = 64 * 2 ** 20;
/** Nodes that aliases may add: a file that doubles itself a few times reaches it. */
const MAX_ALIASED = 100_000;
const MAX_DEPTH = 64;
const PLAIN_TAGS = /^tag:yaml\.org,2002:(str|int|float|bool|null|seq|map)$/;
const NO_TAGS = 'Tags such as “!name” have no meaning here.';

/** Turns what the library read into our tree. `offset` is added to all positions. */
export class TreeReader {
	readonly problems: Problem[] = [];
	readonly #yaml: typeof Yaml;
	readonly #offset: number;
	#document: Yaml.Document.Parsed | undefined;
	#aliased = 0;

	constructor(yaml: typeof Yaml, offset = 0) {
		this.#yaml = yaml;
		this.#offset = offset;
	}

	/** Parses a text that is a whole document or a part that stands for itself. */
	read(text: string): YamlNode | undefined {
		const document = this.#yaml.parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
		this.#document = document;
		for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
			const tag = code === 'TAG_RESOLVE_FAILED';
			this.#problem(
				{ start: pos[0] + this.#offset, end: Math.max(pos[1], pos[0] + 1) + this.#offset },
				tag ? 'yaml-tag' : 'yaml-syntax',
				tag ? NO_TAGS : `This is not YAML: ${(message.split('\n')[0] ?? '').replace(/\.$/, '')}.`,
			);
		}
		return this.#node(document.contents, 0, false, []);
	}

	#node(node: unknown, depth: number, aliased: boolean, within: readonly unknown[]): YamlNode | undefined {
		const yaml = this.#yaml;
		if (!yaml.isNode(node)) {
			return undefined;
		}
		const span = this.#span(node);
		if (aliased && ++this.#aliased > MAX_ALIASED) {
			if (this.#aliased === MAX_ALIASED + 1) {
				this.#problem(span, 'yaml-bomb', `The aliases of this file stand for more than ${MAX_ALIASED} values.`);
			}
			return undefined;
		}
		if (depth > MAX_DEPTH) {
			this.#problem(span, 'yaml-depth', `Values are nested more than ${MAX_DEPTH} levels deep.`);
			return undefined;
		}
		if (yaml.isAlias(node)) {
			return this.#alias(node, span, depth, within);
		}
		if (node.tag !== undefined && !PLAIN_TAGS.test(node.tag)) {
			this.#problem({ start: span.start, end: span.end }, 'yaml-tag', NO_TAGS);
		}
		const inside = [...within, node];
		if (yaml.isScalar(node)) {
			return this.#scalar(node, span);
		}
		if (yaml.isSeq(node)) {
			const items = node.items.flatMap((item) => this.#node(item, depth + 1, aliased, inside) ?? []);
			return { kind: 'list', ...span, items };
		}
		const pairs = yaml.isMap(node) ? node.items.flatMap((pair) => this.#pair(pair, depth, aliased, inside)) : [];
		return { kind: 'map', ...span, pairs };
	}

	#pair(pair: Yaml.Pair, depth: number, aliased: boolean, within: readonly unknown[]): YamlPair[] {
		const { key } = pair;
		if (!this.#yaml.isScalar(key)) {
			if (this.#yaml.isNode(key)) {
				this.#problem(this.#span(key), 'yaml-key', 'A key must be a plain name.');
			}
			return [];
		}
		const text = key.value === null ? '' : this.#scalar(key, { start: 0, end: 0 }).text;
		return [{ key: { text, ...this.#span(key) }, value: this.#node(pair.value, depth + 1, aliased, within) }];
	}

	#scalar(node: Yaml.Scalar, span: Span): YamlScalar {
		const { value } = node;
		const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
		// `source` keeps how a number is written.
		const text = typeof known === 'string' ? known : known === null ? '' : (node.source ?? String(known));
		return { kind: 'scalar', ...span, text, value: known };
	}

	#alias(node: Yaml.Alias, span: Span, depth: number, within: readonly unknown[]): YamlNode | undefined {
		const target = this.#document && node.resolve(this.#document);
		if (target && within.includes(target)) {
			this.#problem(span, 'yaml-circular', `The alias *${node.source} stands inside of what it stands for.`);
			return undefined;
		}
		// What an alias stands for is shown where the alias is.
		const copy = this.#node(target, depth, true, within);
		return copy && { ...copy, ...span };
	}

	#span(node: Yaml.Node): Span {
		const [start, end] = node.range ?? [0, 0, 0];
		return { start: start + this.#offset, end: end + this.#offset };
	}

	#problem({ start, end }: Span, code: string, message: string): void {
		this.problems.push({ start, end, code, message, severity: 'error' });
	}
}

/** Reads a whole file. Never throws. */
export async function readYamlTree(text: string): Promise<YamlTree> {
	if (text.length > MAX_YAML_LENGTH) {
		const message = `The file has more than ${MAX_YAML_LENGTH / 2 ** 20} MiB.`;
		return {
			root: undefined,
			problems: [
				{ start: 0, end: 1, code: 'yaml-size', message, severity: 'error', remedy: 'Put long lists into a table file.' },
			],
		};
	}
	const reader = new TreeReader(await import('yaml'));
	const root = reader.read(text);
	return { root, problems: reader.problems };
}

/** The value of a key; the first of several. */
export function valueOf(node: YamlNode | undefined, key: string): YamlNode | undefined {
	return node?.kind === 'map' ? node.pairs.find((pair) => pair.key.text === key)?.value : undefined;
}

/** Whether a key has a value: nothing, `~` and `null` are none. */
export function isGiven(node: YamlNode | undefined): node is YamlNode {
	return node !== undefined && !(node.kind === 'scalar' && node.value === null);
}
