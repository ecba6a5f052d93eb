import { describe, expect, test } from 'vitest';

import { hierarchyPath } from '../../../src/project/hierarchy.js';
import { parsePacks } from '../../../src/project/packList.js';
import { packsInDocument } from '../../../src/project/packUse.js';

const pack = (digit: string): string => `b2d_pack_${digit.repeat(32)}.tar.gz`;
const A = pack('a');
const B = pack('b');
const DAY = 86_400;
const NOW = 1_800_000_000;

const lines = (...text: string[]): string => [`now ${NOW}`, ...text, 'end', ''].join('\n');

describe('the list of packs', () => {
	test('tells size, age, last use and what somebody wants', () => {
		const at = hierarchyPath(A, 1024);
		const text = lines(
			`file ${NOW - 40 * DAY} 5000 ${at}`,
			`file ${NOW - 2 * DAY} 40 ${at}.md5`,
			`manifest ${NOW - 39 * DAY} 600 ${A}`,
			`image ${NOW - 10 * DAY} 900 k1`,
			`image ${NOW - 3 * DAY} 900 k2`,
			`has k1 ${A}`,
			`has k2 ${A}`,
		);
		expect(parsePacks(text, 1024)).toEqual([
			{
				name: A,
				bytes: 5640,
				ageSeconds: 40 * DAY,
				lastUseSeconds: 3 * DAY,
				wantedSeconds: 2 * DAY,
				images: ['k1', 'k2'],
			},
		]);
	});

	test('has packs of which only a part is there, and leftovers of removals', () => {
		const text = lines(
			`file ${NOW - 5 * DAY} 7 ${A}.gone`,
			`file ${NOW - 4 * DAY} 8 ${A}.md5.gone`,
			`image ${NOW - 10} 9 k1`,
			`has k1 ${B}`,
		);
		expect(parsePacks(text, 0)).toEqual([
			{ name: A, bytes: 15, ageSeconds: 4 * DAY, lastUseSeconds: undefined, wantedSeconds: 4 * DAY, images: [] },
			{ name: B, bytes: 0, ageSeconds: 10, lastUseSeconds: 10, wantedSeconds: 10, images: ['k1'] },
		]);
	});

	test.each([
		['a file in a folder that BOINC does not look into', `file 1 1 zz/${A}`],
		['a file without its folder', `file 1 1 ${A}`],
		['another file', 'file 1 1 3d8/infile'],
		['a name that is too long', `manifest 1 1 b2d_pack_${'a'.repeat(33)}.tar.gz`],
		['capitals', `manifest 1 1 ${A.replace('aaaa', 'AAAA')}`],
		['a way out', `has k1 ../${A}`],
		['nonsense', 'file'],
	])('leaves out %s', (_what, line) => {
		expect(parsePacks(lines(line), 1024)).toEqual([]);
	});

	test('times from the future are now', () => {
		expect(parsePacks(lines(`file ${NOW + 50} 1 ${A}`), 0)[0]).toMatchObject({ ageSeconds: 0, wantedSeconds: 0 });
	});
});

describe('the packs in the XML of a job', () => {
	test('are named once each', () => {
		const xml = `<file_info><name>${A}</name><url>http://x/download/1/${A}</url></file_info><file_info><name>${B}</name></file_info>
			<file_ref><file_name>${A}</file_name><open_name>${A}</open_name></file_ref>`;
		expect(packsInDocument(Buffer.from(xml)).sort()).toEqual([A, B]);
	});

	test('are nothing else', () => {
		expect(packsInDocument(`<name>my_${A}</name><name>${A}.md5</name><name>b2d_pack_1.tar.gz</name>`)).toEqual([]);
	});
});
