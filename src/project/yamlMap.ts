import type * as Yaml from 'yaml';

import { BoincError } from '../common/errors.js';

/** Typed access to a YAML map; a value of the wrong kind is a `config-invalid` error with its line. */
export interface YamlMap {
	/** Keys that are texts, in order. */
	keys(): string[];
	has(key: string): boolean;
	/** A text, or a number or boolean as it is written (`1.10` stays `1.10`). */
	text(key: string): string | undefined;
	/** A list of texts; a single text counts as a list of one. */
	texts(key: string): string[];
	/** Absent is false. */
	flag(key: string): boolean;
	/** A map under a key; `undefined` if the value is none. */
	map(key: string): YamlMap | undefined;
	oneOf<T extends string>(key: string, value: string, allowed: readonly T[]): T;
	/** The error for a wrong value. */
	problem(key: string, why: string): BoincError;
}

/** Parses a file that holds one map. An empty file is an empty map. */
export async function readYamlMap(text: string, name: string): Promise<YamlMap> {
	const yaml = await import('yaml');
	const lines = new yaml.LineCounter();
	const document = yaml.parseDocument(text, { lineCounter: lines });
	const fail = (line: number, why: string): BoincError =>
		new BoincError('config-invalid', `${name}, line ${line}: ${why}.`, { detail: { file: name, line } });
	const first = document.errors[0];
	if (first) {
		const message = (first.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '').replace(/\.$/, '');
		throw fail(lines.linePos(first.pos[0]).line, message);
	}
	const { contents } = document;
	if (contents !== null && !yaml.isMap(contents) && !(yaml.isScalar(contents) && contents.value === null)) {
		throw fail(1, 'it must be a list of “key: value” lines');
	}
	return wrap(yaml, yaml.isMap(contents) ? contents : undefined, (node) => lines.linePos(rangeStart(yaml, node)).line, fail);
}

function rangeStart(yaml: typeof Yaml, node: unknown): number {
	return yaml.isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function wrap(
	yaml: typeof Yaml,
	map: Yaml.YAMLMap | undefined,
	lineOf: (node: unknown) => number,
	fail: (line: number, why: string) => BoincError,
): YamlMap {
	const pair = (key: string): Yaml.Pair | undefined =>
		map?.items.find((item) => yaml.isScalar(item.key) && item.key.value === key);
	const problem = (key: string, why: string): BoincError => fail(lineOf(pair(key)?.key), `${key}: ${why}`);
	const scalar = (key: string, node: unknown): string => {
		const value: unknown = yaml.isScalar(node) ? node.value : undefined;
		if (typeof value === 'string') {
			return value;
		}
		if (yaml.isScalar(node) && (typeof value === 'number' || typeof value === 'boolean')) {
			return node.source ?? String(value);
		}
		throw problem(key, 'a single value is expected');
	};
	const value = (key: string): unknown => {
		const node = pair(key)?.value;
		return yaml.isScalar(node) && node.value === null ? undefined : (node ?? undefined);
	};
	return {
		keys: () => (map?.items ?? []).flatMap(({ key }) => (yaml.isScalar(key) && typeof key.value === 'string' ? [key.value] : [])),
		has: (key) => value(key) !== undefined,
		text: (key) => (value(key) === undefined ? undefined : scalar(key, value(key))),
		texts: (key) => {
			const node = value(key);
			if (node === undefined) {
				return [];
			}
			return yaml.isSeq(node) ? node.items.map((item) => scalar(key, item)) : [scalar(key, node)];
		},
		flag: (key) => {
			const node = value(key);
			if (node === undefined) {
				return false;
			}
			if (!yaml.isScalar(node) || typeof node.value !== 'boolean') {
				throw problem(key, 'true or false is expected');
			}
			return node.value;
		},
		map: (key) => {
			const node = value(key);
			return yaml.isMap(node) ? wrap(yaml, node, lineOf, fail) : undefined;
		},
		oneOf: (key, text, allowed) => {
			const found = allowed.find((each) => each === text);
			if (found === undefined) {
				throw problem(key, `“${text}” is not one of ${allowed.join(', ')}`);
			}
			return found;
		},
		problem,
	};
}
