import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
	childFlag,
	childNumber,
	childOf,
	childrenOf,
	childText,
	decodeText,
	escapeXml,
	readLenient,
} from '../../../src/sandbox/web/lenientXml.js';

describe('the lenient XML reader', () => {
	it('keeps raw text with a CDATA section that contains tags', () => {
		const inner =
			'\n<core_client_version>7.20.5</core_client_version>\n<![CDATA[\n<stderr_txt>\n</stderr_out> & < \n</stderr_txt>\n]]>\n';
		const result = childOf(
			readLenient(`<result>\n<name>a</name>\n<stderr_out>${inner}</stderr_out>\n<state>5</state>\n</result>`),
			'result',
		);
		expect(childOf(result, 'stderr_out')?.inner).toBe(inner);
		expect(childNumber(result, 'state')).toBe(5);
	});

	it.each([
		['<a><x/></a>', true],
		['<a><x></x></a>', true],
		['<a><x>1</x></a>', true],
		['<a><x>0</x></a>', false],
		['<a></a>', false],
	])('reads the flag of %s', (xml, expected) => {
		expect(childFlag(childOf(readLenient(xml), 'a'), 'x')).toBe(expected);
	});

	it('survives unclosed and stray tags', () => {
		const document = readLenient('</odd><a><b>1<c>2</a><d>3');
		expect(childText(childOf(childOf(document, 'a'), 'b'), 'c')).toBe('2');
		expect(childText(document, 'd')).toBe('3');
	});

	it('finds repeated elements with attributes, comments and a prolog in between', () => {
		const document = readLenient('<?xml version="1.0"?><!-- <p>no</p> --><r><p a="1">x</p>\n<p>y</p></r>');
		expect(childrenOf(childOf(document, 'r'), 'p').map((p) => p.inner)).toEqual(['x', 'y']);
	});

	it('gives any text back that was escaped', () => {
		fc.assert(
			fc.property(fc.string(), (text) => {
				expect(decodeText(escapeXml(text))).toBe(text.trim());
			}),
		);
	});

	it('never throws', () => {
		fc.assert(
			fc.property(
				fc.array(fc.constantFrom('<a>', '</a>', '<b/>', '<![CDATA[', ']]>', '<!--', '&#999999999;', '<', 'x', '<c d="')),
				(parts) => {
					decodeText(readLenient(parts.join('')).inner);
				},
			),
		);
	});
});
