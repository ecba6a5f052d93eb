import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { quietContext } from '../src/common/ports.js';
import { flattenImage } from '../src/image/flattenImage.js';
import { imageOf } from '../test/support/manyFiles.js';

/**
 * Memory for an image of many small files (`npm run bench -- manyFiles ENTRIES`, a million if none is given): its tree is
 * laid out, and all of it packed. The image is a file, so that the peak is of the work alone. In a process of its own.
 */
export async function run(args: readonly string[]): Promise<Record<string, number>> {
	const entries = Number(args[0] ?? 1_000_000);
	const dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-bench-many-'));
	try {
		const file = path.join(dir, 'image.tar');
		await pipeline(Readable.from(imageOf(entries)), createWriteStream(file));
		const before = process.resourceUsage().maxRSS;
		const start = performance.now();
		const ctx = quietContext();
		const image = await flattenImage({ file }, ctx, { tempDir: dir });
		const flattened = process.resourceUsage().maxRSS;
		const seconds = (performance.now() - start) / 1000;
		let packs = 0;
		for await (const pack of image.write(await image.plan([]), ctx)) {
			packs++;
			await image.discard(pack);
		}
		await image.dispose();
		return {
			entries: image.entries,
			packs,
			startMb: Math.round((before * 1024) / 1e6),
			flattenMb: Math.round((flattened * 1024) / 1e6),
			peakMb: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
			flattenSeconds: seconds,
			seconds: (performance.now() - start) / 1000,
		};
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}
