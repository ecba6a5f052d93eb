import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { gzipBlocks } from '../../../src/image/pack/gzipBlocks.js';

async function* streamOf(pieces: Iterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
	await Promise.resolve();
	yield* pieces;
}

async function compressed(pieces: Iterable<Buffer>, onBlock: (bytes: number) => void = () => undefined): Promise<Buffer> {
	const parts: Buffer[] = [];
	for await (const part of gzipBlocks(streamOf(pieces), onBlock)) {
		parts.push(part);
	}
	return Buffer.concat(parts);
}

/** Text of words that come again, so that blocks have something to look back at. */
function textOf(size: number): Buffer {
	let word = 7;
	return Buffer.from(
		Array.from({ length: size }, (_, at) => (at % 8 === 0 ? (word = (word * 1_103_515_245 + 12_345) >>> 16) : word) & 63),
	);
}

const BLOCK = 1 << 17;

describe('gzip in blocks', () => {
	it.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5 * BLOCK + 12_345])('is one member of %i bytes', async (size) => {
		const text = textOf(size);
		let told = 0;
		const bytes = await compressed([text], (count) => (told += count));
		expect(gunzipSync(bytes).equals(text)).toBe(true);
		expect(told).toBe(size);
		// A second opinion: checks the sum and the length, too.
		expect(execFileSync('gzip', ['-dc'], { input: bytes, maxBuffer: 1 << 24 }).equals(text)).toBe(true);
		expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
	});

	it('has the same bytes however the stream is cut', async () => {
		const text = textOf(2 * BLOCK + 999);
		const whole = await compressed([text]);
		await fc.assert(
			fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 20 }), async (cuts) => {
				const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
				const pieces = places.slice(1).map((end, index) => text.subarray(places[index], end));
				expect((await compressed(pieces)).equals(whole)).toBe(true);
			}),
			{ numRuns: 20 },
		);
	});

	it('looks back over the end of a block', async () => {
		const noise = Buffer.from(Array.from({ length: 30_000 }, (_, at) => Math.imul(at * at, 2_654_435_761) >>> 24));
		const filler = Buffer.alloc(BLOCK - noise.length);
		const [once, twice] = [await compressed([filler, noise]), await compressed([filler, noise, noise])];
		expect(twice.length - once.length).toBeLessThan(1000);
	});

	it('ends with what the stream throws, and when nobody reads on', async () => {
		const failing = (function* () {
			yield textOf(3 * BLOCK);
			throw new Error('no more');
		})();
		await expect(compressed(failing)).rejects.toThrow('no more');
		let closed = false;
		const endless = (function* () {
			try {
				for (;;) {
					yield textOf(BLOCK);
				}
			} finally {
				closed = true;
			}
		})();
		for await (const part of gzipBlocks(streamOf(endless), () => undefined)) {
			if (part.length > 100) {
				break;
			}
		}
		expect(closed).toBe(true);
	});
});
