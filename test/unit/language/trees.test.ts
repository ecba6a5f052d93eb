import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { YamlCache } from '../../../src/language/jobFile/yamlCache.js';
import { updateXmlTree } from '../../../src/language/xml/updateTree.js';
import { nodeAt, parseXmlTree, type XmlNode, type XmlTree } from '../../../src/language/xml/xmlTree.js';
import { readYamlTree } from '../../../src/project/yaml/yamlTree.js';

const plain = ({ name, start, contentStart, contentEnd, end, closed, children }: XmlNode): unknown => [
	name,
	start,
	contentStart,
	contentEnd,
	end,
	closed,
	children.map(plain),
];

function apply(tree: XmlTree, at: number, removed: number, added: string): XmlTree {
	const text = tree.text.slice(0, at) + added + tree.text.slice(at + removed);
	return updateXmlTree(tree, text, { start: at, end: at + removed, length: added.length });
}

describe('the XML tree', () => {
	test('property: never throws, and every element lies inside its parent', () => {
		const pieces = fc.array(
			fc.constantFrom(
				'<a>',
				'</a>',
				'<b>',
				'</b>',
				'<c/>',
				'text',
				'<',
				'>',
				'<!--',
				'-->',
				'<![CDATA[',
				']]>',
				'&',
				'"',
				"<d x='1'>",
				'\n',
				'<é>',
			),
		);
		fc.assert(
			fc.property(pieces, (list) => {
				const { root, text } = parseXmlTree(list.join(''));
				const visit = (node: XmlNode): void => {
					let last = node.contentStart;
					for (const child of node.children) {
						expect(child.parent).toBe(node);
						expect(child.start).toBeGreaterThanOrEqual(last);
						expect(child.end).toBeLessThanOrEqual(node.contentEnd);
						last = child.end;
						visit(child);
					}
				};
				visit(root);
				expect(root.end).toBe(text.length);
			}),
		);
	});

	const element: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
		node: fc.oneof(
			{ depthSize: 'small' },
			fc.constantFrom('<x/>', 'text', '\n  ', '<!-- c -->', '<y>1</y>'),
			fc
				.tuple(fc.constantFrom('a', 'b'), fc.array(tie('node'), { maxLength: 4 }))
				.map(([name, inner]) => `<${name}>${inner.join('')}</${name}>`),
		),
	})).node;

	test('property: after edits that keep it whole it is the tree that is read anew', () => {
		fc.assert(
			fc.property(
				fc.array(element, { maxLength: 5 }),
				fc.array(fc.tuple(fc.nat(), element, fc.boolean()), { maxLength: 6 }),
				(parts, edits) => {
					let tree = parseXmlTree(`<r>${parts.join('')}</r>`);
					for (const [seed, added, removes] of edits) {
						const all: XmlNode[] = [];
						const visit = (node: XmlNode): void => {
							all.push(node);
							node.children.forEach(visit);
						};
						tree.root.children.forEach(visit);
						const node = all[seed % all.length]!;
						tree =
							removes && node.parent !== tree.root
								? apply(tree, node.start, node.end - node.start, added)
								: apply(tree, node.selfClosing ? node.end : node.contentEnd, 0, added);
						const fresh = parseXmlTree(tree.text);
						expect(plain(tree.root)).toEqual(plain(fresh.root));
						expect(tree.problems).toEqual(fresh.problems);
					}
				},
			),
		);
	});

	it('a half-typed element is reported, and the rest stays as it was', () => {
		let tree = parseXmlTree('<r>\n<a>1</a>\n<b>2</b>\n</r>');
		tree = apply(tree, 13, 0, '<fo');
		expect(tree.problems.map(({ code }) => code)).toContain('xml-tag');
		expect(tree.root.children[0]?.children.map(({ name }) => name)).toEqual(['a', 'fo', 'b']);
		tree = apply(tree, 16, 0, 'o/>');
		expect(tree.problems).toEqual([]);
		expect(plain(tree.root)).toEqual(plain(parseXmlTree(tree.text).root));
	});

	it('positions count UTF-16 units', () => {
		const text = '<r>😀<a>é</a></r>';
		expect(nodeAt(parseXmlTree(text).root, text.indexOf('é')).name).toBe('a');
		expect(text.indexOf('<a>')).toBe(5);
	});
});

describe('a long YAML file that is read in parts', () => {
	const long = (rows: number): string =>
		`# head\nimage: x:1\nenv:\n  A: "1"\nsweep:\n  # rows\n  list:\n${Array.from({ length: rows }, (_, k) => `    - { a: ${k}, b: "x${k}" }\n`).join('')}  repeat: 2\ncount: 1\n`;

	it('is the same tree as when it is read as a whole', async () => {
		const text = long(1500);
		const cache = new YamlCache();
		expect(strip(await cache.read(text))).toEqual(strip(await readYamlTree(text)));
	});

	it('stays so after edits at any place', async () => {
		const cache = new YamlCache();
		let text = long(1200);
		await cache.read(text);
		for (const [from, to] of [
			['a: 7,', 'a: 77777,'],
			['# rows\n', '# rows and a comment\n\n'],
			['    - { a: 900, b: "x900" }\n', ''],
			['image: x:1', 'image: yy:1'],
			['    - { a: 1199', '    - { a: 5, b: "n" }\n    - { a: 1199'],
		] as const) {
			expect(text).toContain(from);
			text = text.replace(from, to);
			expect(strip(await cache.read(text))).toEqual(strip(await readYamlTree(text)));
		}
	});

	it('a half-typed entry is a problem at its place, and the others are read', async () => {
		const cache = new YamlCache();
		const text = long(1200).replace('{ a: 600, b: "x600" }', '{ a: 600, b: "x600');
		const { problems } = await cache.read(text);
		expect(problems.length).toBeGreaterThan(0);
		const at = text.indexOf('"x600');
		expect(Math.abs((problems[0]?.start ?? 0) - at)).toBeLessThan(8000);
	});

	it('anchors are read as a whole', async () => {
		const text = `${long(1200)}before: &w [a]\nafter: *w\n`;
		expect(strip(await new YamlCache().read(text))).toEqual(strip(await readYamlTree(text)));
	});

	/** The ends of blocks differ by the white space after them. */
	function strip(tree: { root: unknown; problems: unknown }): unknown {
		return JSON.parse(JSON.stringify(tree, (key, value: unknown) => (key === 'end' ? undefined : value)));
	}
});
