import { expect, test } from 'vitest';

import { emptyDisk } from '../../../src/project/emptyDisk.js';

async function bytes(): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of emptyDisk().open(0)) {
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

test('the empty disk is small, always the same, and describes itself rightly', async () => {
	const disk = await bytes();
	expect(disk).toHaveLength(1 << 20);
	// Comparing each byte as a value of its own takes seconds.
	expect((await bytes()).equals(disk)).toBe(true);
	expect(disk.readUInt32LE(64)).toBe(0xbeda107f);
	const [table, data, blocks] = [disk.readUInt32LE(340), disk.readUInt32LE(344), disk.readUInt32LE(384)];
	expect(Number(disk.readBigUInt64LE(368))).toBe(blocks * disk.readUInt32LE(376));
	expect(table + 4 * blocks).toBeLessThanOrEqual(data);
	expect(disk.readUInt32LE(388)).toBe(0);
	expect(disk.subarray(table, table + 4 * blocks).every((byte) => byte === 0xff)).toBe(true);
});
