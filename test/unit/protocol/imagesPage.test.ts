import * as v from 'valibot';
import { expect, it } from 'vitest';

import { type ImagesSnapshot, toExtension, toPage } from '../../../src/protocol/imagesPage.js';
import { IMAGES_WORDS } from '../../../src/protocol/imagesWords.js';

const options = { target: '', platform: 'both', tag: 'a:1', args: { A: '$(x)' } };

it.each([
	{ type: 'ready' },
	{ type: 'action', action: 'build', source: 'file:///a/Dockerfile' },
	{ type: 'action', action: 'refresh' },
	{ type: 'open', source: 'file:///a' },
	{ type: 'open' },
	{ type: 'options', source: 'a', options },
	{ type: 'step', source: 'a', step: '1', open: true },
	{ type: 'goTo', source: 'a', line: 3 },
	{ type: 'drop', uris: ['file:///a/Dockerfile'] },
])('an intent of the page is understood: %o', (message) => {
	expect(v.parse(toExtension, message)).toEqual(message);
});

it.each([
	undefined,
	{},
	{ type: 'action', action: 'constructor' },
	{ type: 'action', action: 'build', source: '' },
	{ type: 'goTo', source: 'a', line: -1 },
	{ type: 'goTo', source: 'a', line: 'x' },
	{ type: 'options', source: 'a', options: { ...options, platform: 'windows' } },
	{ type: 'options', source: 'a', options: { ...options, args: { A: 1 } } },
	{ type: 'options', source: 'a', options: { ...options, tag: 'x'.repeat(5000) } },
	{ type: 'drop', uris: Array.from({ length: 21 }, () => 'file:///a') },
])('anything else is refused: %o', (message) => {
	expect(v.safeParse(toExtension, message).success).toBe(false);
});

it('what the extension sends is checked too', () => {
	const snapshot: ImagesSnapshot = {
		engine: { label: 'Podman', hint: '', tone: 'good', buttons: [] },
		sources: [{ id: 'a', name: '<img src=x onerror=alert(1)>', place: '' }],
		announcement: '',
	};
	expect(v.parse(toPage, { type: 'snapshot', snapshot })).toEqual({ type: 'snapshot', snapshot });
	expect(v.parse(toPage, { type: 'words', words: IMAGES_WORDS })).toEqual({ type: 'words', words: IMAGES_WORDS });
	expect(v.safeParse(toPage, { type: 'snapshot', snapshot: { ...snapshot, sources: [{ id: 'a' }] } }).success).toBe(false);
});
