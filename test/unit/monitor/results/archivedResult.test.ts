import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { localConnection } from '../../../../src/connection/localConnection.js';
import { type ArchivedResult, archivedResult } from '../../../../src/monitor/results/archivedResult.js';
import { file, symlink, tarOf } from '../../../support/savedImages.js';

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-archived-'));
	await mkdir(path.join(dir, '7'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));
const look = (job = 'j'): Promise<ArchivedResult> => archivedResult(localConnection(), { resultsDir: dir, batchId: 7, job });
const put = (bytes: Buffer): Promise<void> => writeFile(path.join(dir, '7', 'j.tgz'), bytes);

it('reads the files of a result where it is, without those that would not be unpacked', async () => {
	await put(gzipSync(tarOf([file('./a/b.txt', 'hi'), file('../x', ''), symlink('l', '/etc/passwd'), file('caf\xe9', '1')])));
	const { files } = await look();
	expect([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual([
		['a/b.txt', 'hi'],
		['caf%E9', '1'],
	]);
});

it.each([
	['result-missing', 'is not there', async () => Promise.resolve()],
	['result-corrupt', 'is damaged', () => put(Buffer.from('x'))],
	['result-corrupt', 'is a bomb', () => put(gzipSync(Buffer.alloc(257 * 2 ** 20), { level: 1 }))],
])('says %s when it %s', async (code, _, make) => {
	await make();
	await expect(look()).rejects.toMatchObject({ code });
});

it('takes no path for the name of a job', async () => {
	await expect(look('../7/j')).rejects.toMatchObject({ code: 'result-missing' });
});
