import { expect, it } from 'vitest';

import { SeenBatches } from '../../../src/editor/panels/batch/seenBatches.js';

it('knows the batches whose pages are seen, and tells of changes once', () => {
	const seen = new SeenBatches();
	let told = 0;
	seen.onDidChange(() => (told += 1));
	seen.set({ serverId: 'a', batchId: 1 }, true);
	seen.set({ serverId: 'a', batchId: 1 }, true);
	seen.set({ serverId: 'a', batchId: 2 }, true);
	seen.set({ serverId: 'b', batchId: 1 }, false);
	expect([seen.of('a'), seen.of('b'), told]).toEqual([[1, 2], [], 2]);
	seen.set({ serverId: 'a', batchId: 1 }, false);
	expect([seen.of('a'), told]).toEqual([[2], 3]);
	seen.dispose();
});
