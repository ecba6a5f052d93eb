import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { fetchPackages, LockedVersionGone } from '../../../iso/fetchPackages.js';
import { fileNameOf, type LockedPackage, readLock } from '../../../iso/lock.js';
import { mirrorAt } from '../../../iso/mirror.js';
import { buildFromLock, builtIso } from '../../support/iso.js';

const LOCK = path.resolve(import.meta.dirname, '../../../iso/packages.lock.json');

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d build-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('two builds in different folders give the same bytes, of at most 16 MB, and say what they are made of', async () => {
	const first = await readFile((await builtIso()).file);
	const again = await buildFromLock(path.join(dir, 'elsewhere'));
	expect(again.sha256).toBe(createHash('sha256').update(first).digest('hex'));
	expect(again.bytes).toBeLessThanOrEqual(16_000_000);
	expect(await readFile(`${again.file}.sha256`, 'utf8')).toBe(`${again.sha256}  boinc2docker.iso\n`);
	const manifest = await readFile(path.join(dir, 'elsewhere/manifest'), 'utf8');
	expect(first.includes(manifest)).toBe(true);
	const { packages } = await readLock(LOCK);
	const sources = await readFile(path.join(dir, 'elsewhere/SOURCES'), 'utf8');
	for (const { name, source } of packages.filter(({ use }) => use === 'image')) {
		expect(manifest).toContain(`\n${name} `);
		expect(sources).toMatch(new RegExp(`^${source.replaceAll('+', String.raw`\+`)} `, 'm'));
	}
	expect(sources).not.toContain('licences: see');
});

test('the lock names packages by their path on any mirror', async () => {
	const text = await readFile(LOCK, 'utf8');
	expect(text).not.toMatch(/https?:|\.org|\.com|\.net/);
});

describe('packages', () => {
	const content = Buffer.from('a package');
	const locked: LockedPackage = {
		name: 'tool',
		version: '1.0-1',
		source: 'tool',
		sourceVersion: '1.0-1',
		archive: 'debian',
		path: 'pool/main/t/tool/tool_1.0-1_amd64.deb',
		size: content.length,
		sha256: createHash('sha256').update(content).digest('hex'),
		use: 'tool',
	};

	test('come from a mirror, and are kept', async () => {
		await withMirror({ '/debian/pool/main/t/tool/tool_1.0-1_amd64.deb': content }, async (address) => {
			await fetchPackages([locked], dir, mirrorAt(`${address}/debian/`));
		});
		await fetchPackages([locked], dir, undefined);
		expect(await readFile(path.join(dir, fileNameOf(locked)))).toEqual(content);
	});

	test('that the mirror has dropped are named, with what to do', async () => {
		await withMirror({}, async (address) => {
			const failure: unknown = await fetchPackages([locked], dir, mirrorAt(`${address}/debian`)).catch((error: unknown) => error);
			expect(failure).toBeInstanceOf(LockedVersionGone);
			expect(String(failure)).toContain('does not have these locked versions any more: tool 1.0-1.');
			expect(String(failure)).toContain('npm run iso -- --update');
		});
	});

	test('with another content are refused, from a mirror and from a folder', async () => {
		await withMirror({ '/debian/pool/main/t/tool/tool_1.0-1_amd64.deb': Buffer.from('b package') }, async (address) => {
			await expect(fetchPackages([locked], dir, mirrorAt(`${address}/debian`))).rejects.toThrow(/Hash Sum mismatch/);
		});
		await writeFile(path.join(dir, fileNameOf(locked)), 'c package');
		await expect(fetchPackages([locked], dir, undefined)).rejects.toThrow(/have another content: tool_1\.0-1_amd64\.deb/);
	});
});

async function withMirror(files: Readonly<Record<string, Buffer>>, use: (address: string) => Promise<void>): Promise<void> {
	const server = createServer((request, response) => {
		const bytes = files[request.url ?? ''];
		response.writeHead(bytes ? 200 : 404).end(bytes);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	try {
		await use(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
	} finally {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
}
