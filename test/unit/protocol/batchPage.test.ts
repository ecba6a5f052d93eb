import * as v from 'valibot';
import { expect, it } from 'vitest';

import { toExtension, toPage } from '../../../src/protocol/batchPage.js';
import { BATCH_WORDS } from '../../../src/protocol/words.js';

it.each([
	{ type: 'ready' },
	{ type: 'action', action: 'cancel' },
	{ type: 'view', view: { filter: 'failed', text: 'x', order: 'descending' } },
	{ type: 'rows', version: 1, from: 0, to: 100 },
	{ type: 'openLog', instanceId: 3 },
	{ type: 'explainJob', jobId: 3, question: 'waiting' },
])('an intent of the page is understood: %o', (message) => {
	expect(v.parse(toExtension, message)).toEqual(message);
});

it.each([
	undefined,
	'ready',
	{},
	{ type: 'delete everything' },
	{ type: 'action', action: 'toString' },
	{ type: 'rows', version: 1, from: -1, to: 5 },
	{ type: 'rows', version: 1, from: 0.5, to: 5 },
	{ type: 'openLog', instanceId: '1; DROP TABLE result' },
	{ type: 'view', view: { filter: 'all', text: 'x'.repeat(300), order: 'ascending' } },
	{ type: 'view', view: { filter: '__proto__', text: '', order: 'ascending' } },
])('anything else is refused: %o', (message) => {
	expect(v.safeParse(toExtension, message).success).toBe(false);
});

it('what the extension sends is checked too', () => {
	const words = { type: 'words', words: BATCH_WORDS, keep: { serverId: 'a', batchId: 1 } };
	expect(v.parse(toPage, words)).toEqual(words);
	expect(v.safeParse(toPage, { type: 'rows', version: 1, from: 0, rows: [{ name: '<b>' }] }).success).toBe(false);
});
