import { describe, expect, it } from 'vitest';

import { excerpt, readable, textOf } from '../../../src/common/readableText.js';
import { bestSuffix, contextPaths, copyRules } from '../../../src/editor/documents/containerPaths.js';
import { tracePlaces } from '../../../src/editor/documents/stackTrace.js';

describe('places in a line of a log', () => {
	it.each([
		['Python', '  File "/app/model/train.py", line 42, in fit', '/app/model/train.py', 42, undefined],
		['Node.js', '    at fit (/app/src/train.js:12:5)', '/app/src/train.js', 12, 5],
		['Node.js modules', 'at file:///app/src/train.mjs:12:5', '/app/src/train.mjs', 12, 5],
		['Go', '\t/go/src/app/main.go:33 +0x1d', '/go/src/app/main.go', 33, undefined],
		['a C compiler', 'src/sim.c:7:3: error: expected expression', 'src/sim.c', 7, 3],
		['AddressSanitizer', '    #1 0x4f in main /build/sim.cpp:99:10', '/build/sim.cpp', 99, 10],
		['Rust', "thread 'main' panicked at src/main.rs:5:10:", 'src/main.rs', 5, 10],
		['Java', '\tat org.example.App.main(App.java:14)', 'App.java', 14, undefined],
	])('%s', (_, text, path, line, column) => {
		const places = tracePlaces(text);
		expect(places).toMatchObject([{ path, line, column }]);
		expect(text.slice(places[0]!.start, places[0]!.end)).toContain(String(line));
	});

	it.each(['12:30:01 started', 'http://example.org:8080/x', 'listening on 10.0.0.1:80', 'ratio 1.5:2', 'v1.2.3:4', 'a.py:0', ''])(
		'none in %j',
		(text) => {
			expect(tracePlaces(text)).toEqual([]);
		},
	);

	it('does not take long for a long line', () => {
		const started = performance.now();
		tracePlaces('a/'.repeat(2400));
		tracePlaces('.'.repeat(4900));
		expect(performance.now() - started).toBeLessThan(2000);
	});
});

describe('paths in a container', () => {
	const rules = copyRules(
		[
			'FROM builder',
			'COPY old /app',
			'FROM python:3',
			'WORKDIR /app',
			'# COPY commented /app',
			'COPY requirements.txt ./',
			'COPY --chown=1:1 \\',
			'  src/ src/',
			'COPY ["a b.py", "/opt/"]',
			'COPY --from=0 /x /usr/x',
			'ADD https://example.org/f /f',
			'COPY . .',
		].join('\n'),
	);

	it.each([
		['/app/src/train.py', 'src/train.py'],
		['src/train.py', 'src/train.py'],
		['/app/requirements.txt', 'requirements.txt'],
		['/opt/a b.py', 'a b.py'],
	])('%s comes from %s', (path, wanted) => {
		expect(contextPaths(path, rules)).toContain(wanted);
	});

	it.each(['/usr/x/y.py', '/f', '/other/z.py'])('%s comes from nowhere', (path) => {
		expect(contextPaths(path, rules)).toEqual([]);
	});

	it('are matched by their ends, if that is unique', () => {
		expect(bestSuffix('/x/model/train.py', ['/w/a/train.py', '/w/model/train.py'])).toBe('/w/model/train.py');
		expect(bestSuffix('/x/train.py', ['/w/a/train.py', '/w/b/train.py'])).toBeUndefined();
		expect(bestSuffix('/x/train.py', [])).toBeUndefined();
	});
});

describe('text of a log', () => {
	it('shows bytes that are no UTF-8, and what a terminal would do', () => {
		expect(textOf(Buffer.from('caf\xe9 \xff', 'latin1'))).toBe('caf\\xE9 \\xFF');
		expect(textOf(Buffer.from('日本 😀'))).toBe('日本 😀');
		expect(textOf(Buffer.from([0xf0, 0x9f, 0x98]))).toBe('\\xF0\\x9F\\x98');
		expect(readable('\u001b[31mred\u001b[0m \u001b]0;title\u0007\u0000\u0007 10%\r20%\r\n')).toBe('red \u2400\u2407 10%\n20%\n');
	});

	it('is cut at ends of lines', () => {
		const text = Array.from({ length: 100 }, (_, n) => `line ${String(n)}`).join('\n');
		const cut = excerpt(text, 40, (bytes) => `… ${String(bytes)}`);
		const [head, middle, tail] = [cut.split('\n').slice(0, 5), cut.split('\n')[5], cut.split('\n').slice(6)];
		expect(head).toEqual(['line 0', 'line 1', 'line 2', 'line 3', 'line 4']);
		expect(tail.at(-1)).toBe('line 99');
		expect(middle).toBe(`… ${String(text.length - head.join('\n').length - 1 - tail.join('\n').length)}`);
		expect(excerpt('short', 40, String)).toBe('short');
		expect(excerpt('x'.repeat(100), 40, String)).toBe(`${'x'.repeat(40)}\n20\n${'x'.repeat(40)}`);
	});
});
