import { describe, expect, it, test } from 'vitest';

import { completeDockerfile, hoverDockerfile } from '../../../src/language/dockerfile/dockerfileService.js';
import { INSTRUCTIONS } from '../../../src/language/dockerfile/instructions.js';

/** The text without `|`, and where it stood. */
const split = (marked: string): [string, number] => [marked.replace('|', ''), marked.indexOf('|')];
const offered = (marked: string): string[] => completeDockerfile(...split(marked)).map(({ label }) => label);

describe('what is offered in a Dockerfile', () => {
	test.each([
		['at the start of a line', 'FROM a:1\n|', ['FROM', 'RUN', 'USER']],
		['half-typed', 'FROM a:1\nENT|', ['ENTRYPOINT']],
		['as a stage to start from', 'FROM a:1 AS build\nFROM |', ['scratch', 'build']],
		['as a stage to copy from', 'FROM a:1 AS build\nFROM b:1\nCOPY --from=|', ['build']],
		['as a variable', 'FROM a:1\nARG VERSION=1\nENV DATA=/d\nCMD ["run", "${|"]', ['VERSION', 'DATA', 'B2D_INDEX']],
		['as a folder', 'FROM a:1\nENV OUT=/root/sh|', ['/root/shared/', '/root/shared/results/']],
	])('%s', (_, marked, some) => {
		expect(offered(marked)).toEqual(expect.arrayContaining(some));
	});

	test.each([
		['in the middle of a command', 'FROM a:1\nRUN echo |'],
		['in the line that another one goes on in', 'FROM a:1\nRUN a \\\n|'],
		['a stage of later', 'FROM |\nFROM a:1 AS build\n'],
	])('nothing %s', (_, marked) => {
		expect(offered(marked).filter((label) => label !== 'scratch')).toEqual([]);
	});

	it('a folder replaces what was typed of it', () => {
		const [text, offset] = split('FROM a:1\nENV OUT=/root/sh|');
		expect(completeDockerfile(text, offset)[0]?.textEdit).toMatchObject({
			range: { start: { line: 1, character: 8 }, end: { line: 1, character: 16 } },
			newText: '/root/shared/',
		});
	});
});

describe('what is explained in a Dockerfile', () => {
	test.each([
		['FROM a:1\nUS|ER 1000', 'USER', 'becomes this user'],
		['from| a:1', 'from', 'not latest'],
		['FROM a:1\nCMD ["/app", "$B2D_IN|DEX"]', 'B2D_INDEX', 'Number of the job'],
		['FROM a:1\nCMD ["/app", "/root/shared/res|ults/x"]', '/root/shared/results/', 'comes back'],
		['FROM a:1\nENV IN=/root/sha|red', '/root/shared', 'its inputs are here'],
	])('%j', (marked, word, says) => {
		const [text, offset] = split(marked);
		const found = hoverDockerfile(text, offset);
		expect(text.slice(found?.start, found?.end)).toBe(word);
		expect(found?.text).toContain(says);
	});

	test.each(['FROM debi|an:12', '# FRO|M x', 'FROM a:1\nRUN ech|o'])('nothing at %j', (marked) => {
		expect(hoverDockerfile(...split(marked))).toBeUndefined();
	});

	it('every instruction has words, and a snippet that begins with it', () => {
		for (const { name, doc, snippet } of INSTRUCTIONS) {
			expect(doc).toMatch(/^[A-Z].*\.$/);
			expect(snippet.startsWith(`${name} `)).toBe(true);
		}
	});
});
