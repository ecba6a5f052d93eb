import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { fetchInputs } from '../../../src/job/fetchInputs.js';

const TEXT = 'from the web\n';
const sha256 = createHash('sha256').update(TEXT).digest('hex');
let dir: string;
let server: Server;
let asked = 0;
const url = (name: string): string => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/${name}`;

beforeAll(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-fetch-'));
	server = createServer((request, response) => {
		asked++;
		response.writeHead(request.url === '/gone' ? 404 : 200).end(TEXT);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
	server.close();
	await rm(dir, { recursive: true, force: true });
});

const fetch = (name: string, hash = sha256): Promise<unknown> =>
	fetchInputs([{ path: 'in', file: '', from: { url: url(name), sha256: hash } }], dir, quietContext());

it('is fetched once, compared with its hash, and kept; files of this computer stay as they are', async () => {
	const local = { path: 'x', file: '/x' };
	const from = { url: url('a'), sha256 };
	const [kept, web] = await fetchInputs([local, { path: 'in', file: '', from }], dir, quietContext());
	expect(kept).toBe(local);
	expect(web).toEqual({ path: 'in', file: path.join(dir, 'inputs', sha256) });
	expect(await readFile(web!.file, 'utf8')).toBe(TEXT);
	await fetch('a');
	expect(asked).toBe(1);
	// What was damaged is fetched again.
	await writeFile(web!.file, 'damaged');
	await fetch('a');
	expect(await readFile(web!.file, 'utf8')).toBe(TEXT);
});

it('with another content, or not there, is refused, and nothing is left', async () => {
	await expect(fetch('a', '0'.repeat(64))).rejects.toMatchObject({
		code: 'transfer-corrupt',
		message: expect.stringContaining(sha256) as string,
		remedy: expect.any(String) as string,
	});
	await expect(fetch('gone', '1'.repeat(64))).rejects.toMatchObject({ code: 'download-failed' });
	expect(await readdir(path.join(dir, 'inputs'))).toEqual([sha256]);
});
