import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { flattenImage } from '../../../src/image/flattenImage.js';
import { imageOf } from '../../support/manyFiles.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use: objects, and what is outside of the heap. */
function inUse(): number {
	collect();
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

async function* archive(entries: number): AsyncGenerator<Uint8Array, void, undefined> {
	await Promise.resolve();
	yield* imageOf(entries);
}

/** Bytes that an image with so many files holds in memory when its tree is laid out. */
async function held(entries: number): Promise<number> {
	const before = inUse();
	const image = await flattenImage(archive(entries), quietContext());
	try {
		expect(image.entries).toBeGreaterThan(entries);
		return inUse() - before;
	} finally {
		await image.dispose();
	}
}

describe('the tree of an image', () => {
	it('takes less than 200 bytes for each file', async () => {
		await held(1_000);
		// The least of three: what other tests have left is collected when the engine likes.
		const each: number[] = [];
		for (let turn = 0; turn < 3; turn++) {
			const few = await held(5_000);
			each.push(((await held(25_000)) - few) / 20_000);
		}
		expect(Math.min(...each)).toBeLessThan(200);
		expect(Math.max(...each)).toBeGreaterThan(20);
	}, 90_000);
});
