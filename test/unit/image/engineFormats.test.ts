import { describe, expect, it } from 'vitest';

import { parseVersions } from '../../../src/image/engine/detection.js';
import { parseImageList } from '../../../src/image/engine/imageList.js';
import { textLines } from '../../../src/image/engine/textLines.js';

const ID = '0123456789abcdef'.repeat(4);

describe('lists of images', () => {
	it.each<[string, string]>([
		[
			'Docker 20.10',
			`{"Containers":"N/A","CreatedAt":"2024-01-01 00:00:00 +0000 UTC","CreatedSince":"2 years ago","Digest":"\\u003cnone\\u003e","ID":"sha256:${ID}","Repository":"app","SharedSize":"N/A","Size":"1.98MB","Tag":"1","UniqueSize":"N/A","VirtualSize":"1.982MB"}
{"ID":"sha256:${ID}","Repository":"app","Size":"1.98MB","Tag":"latest"}
{"ID":"sha256:${ID}","Repository":"\\u003cnone\\u003e","Size":"1.98MB","Tag":"\\u003cnone\\u003e"}`,
		],
		[
			'Podman 4.3',
			`[ { "Id": "${ID}", "ParentId": "", "RepoTags": null, "Size": 1985024, "SharedSize": 0, "Containers": 0, "Names": [ "app:1", "app:latest" ], "Digest": "sha256:00", "Created": 1700000000 } ]`,
		],
		['Podman 3', `[{"ID":"${ID}","Names":["app:1","app:latest"],"Size":1985024}]`],
		[
			'an engine of tomorrow',
			`{"id":"${ID}","repository":"app","tag":"1","more":{"a":[1]}}\n{"id":"${ID}","repository":"app","tag":"latest"}`,
		],
	])('of %s are read', (_, output) => {
		expect(parseImageList(output)).toEqual([
			{ id: ID, names: ['app:1', 'app:latest'], size: output.includes('1985024') ? 1_985_024 : undefined },
		]);
	});

	it.each(['', '[]', 'garbage', '{"x":1}', '[1,null]', '{'])('that say nothing are empty (%j)', (output) => {
		expect(parseImageList(output)).toEqual([]);
	});
});

describe('versions', () => {
	it.each<[string, string, string | undefined, boolean]>([
		['Docker 28 with a service', '{"Client":{"Version":"28.2.2"},"Server":{"Version":"20.10.24"}}', '28.2.2', true],
		['Docker without a service', '{"Client":{"Version":"28.2.2"},"Server":null}', '28.2.2', false],
		['Podman 4.3', '{"Client":{"APIVersion":"4.3.1","Version":"4.3.1","Built":0}}', '4.3.1', false],
	])('of %s are read', (_, json, version, hasServer) => {
		const parsed = parseVersions(json);
		expect([parsed?.Client?.Version, Boolean(parsed?.Server)]).toEqual([version, hasServer]);
	});

	it.each(['', 'x', '[]', '{"Client":5}'])('that make no sense are none (%j)', (text) => {
		expect(parseVersions(text)?.Client?.Version).toBeUndefined();
	});
});

describe('lines of output', () => {
	it('come out whole, however the stream is cut, with carriage returns as ends', async () => {
		const bytes = Buffer.from('one\r\ntwo\n\n 10%\r 50%\r100%\nüber\nlast');
		for (const size of [1, 2, 3, 7, 100]) {
			const pieces = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
				await Promise.resolve();
				for (let at = 0; at < bytes.length; at += size) {
					yield bytes.subarray(at, at + size);
				}
			};
			const lines: string[] = [];
			for await (const line of textLines(pieces())) {
				lines.push(line);
			}
			expect(lines).toEqual(['one', 'two', ' 10%', ' 50%', '100%', 'über', 'last']);
		}
	});
});
