import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { quietContext } from '../../../src/common/ports.js';
import { busyboxBinaries } from '../../../src/project/busyboxSource.js';
import { httpGet, proxyFor } from '../../../src/project/httpGet.js';
import { isoImage } from '../../../src/project/isoSource.js';
import { programFacts } from '../../../src/project/programFile.js';
import { parseWrapperName } from '../../../src/project/wrapperNames.js';
import { wrapperBinaries } from '../../../src/project/wrapperSource.js';
import { readZip } from '../../../src/project/zipArchive.js';
import { fakeIso } from '../../support/fakeIso.js';

const ctx = quietContext();
/** No proxy of the machine that runs the tests gets in the way. */
const env = {};

/** The beginning of a 64-bit ELF program; `loader` adds the program header that names a dynamic loader. */
function elf(machine: number, loader = false, tail = ''): Buffer {
	const header = Buffer.alloc(64 + 56);
	header.write('\x7fELF', 0, 'latin1');
	header[4] = 2;
	header[5] = 1;
	header.writeUInt16LE(machine, 18);
	header.writeBigUInt64LE(64n, 32);
	header.writeUInt16LE(56, 54);
	header.writeUInt16LE(1, 56);
	header.writeUInt32LE(loader ? 3 : 1, 64);
	return Buffer.concat([header, Buffer.from(tail)]);
}
const LINUX = elf(62, true, 'wrapper');
const ARM = elf(183, true, 'wrapper');
const WINDOWS = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(100)]);
const MAC = Buffer.concat([Buffer.from([0xcf, 0xfa, 0xed, 0xfe]), Buffer.alloc(100)]);

/** A zip archive as archivers write it: local headers, directory, end. */
function zip(files: Readonly<Record<string, Buffer>>, method: 0 | 8 = 8): Buffer {
	const locals: Buffer[] = [];
	const directory: Buffer[] = [];
	let offset = 0;
	for (const [name, bytes] of Object.entries(files)) {
		const packed = method === 8 ? deflateRawSync(bytes) : bytes;
		const sizes = Buffer.alloc(16);
		sizes.writeUInt16LE(method, 0);
		const common = Buffer.alloc(26);
		common.writeUInt16LE(20, 0);
		common.writeUInt16LE(method, 4);
		common.writeUInt32LE(crc32(bytes), 10);
		common.writeUInt32LE(packed.length, 14);
		common.writeUInt32LE(bytes.length, 18);
		common.writeUInt16LE(name.length, 22);
		const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed]);
		const rest = Buffer.alloc(14);
		rest.writeUInt32LE(offset, 10);
		directory.push(Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), Buffer.from([20, 0]), common, rest, Buffer.from(name)]));
		locals.push(local);
		offset += local.length;
	}
	const end = Buffer.alloc(18);
	end.writeUInt16LE(directory.length, 4);
	end.writeUInt16LE(directory.length, 6);
	end.writeUInt32LE(Buffer.concat(directory).length, 8);
	end.writeUInt32LE(offset, 12);
	return Buffer.concat([...locals, ...directory, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

let folder: string;
let server: http.Server;
let base: string;
let answers: Record<string, (request: http.IncomingMessage, response: http.ServerResponse) => void>;

beforeEach(async () => {
	folder = await mkdtemp(path.join(os.tmpdir(), 'b2d-wrappers-'));
	answers = {};
	server = http.createServer((request, response) => {
		const answer = answers[request.url ?? ''];
		if (answer) {
			answer(request, response);
		} else {
			response.writeHead(404).end('<html>not here</html>');
		}
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
afterEach(async () => {
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
	await rm(folder, { recursive: true, force: true });
});

const serve = (url: string, body: Buffer | string): void => {
	answers[url] = (_request, response) => response.end(body);
};

describe('names', () => {
	test.each([
		['docker_wrapper_22_x86_64-pc-linux-gnu', 'x86_64-pc-linux-gnu', 22],
		['docker_wrapper_22_arm64-pc-linux-gnu', 'aarch64-unknown-linux-gnu', 22],
		['docker_wrapper_22_windows_x86_64.exe', 'windows_x86_64', 22],
		['docker_wrapper_22_windows_ARM64.exe', 'windows_arm64', 22],
		['docker_wrapper_x86_64', 'x86_64-apple-darwin', undefined],
		['docker_wrapper_arm64', 'arm64-apple-darwin', undefined],
	])('%s is for %s', (name, platform, version) => {
		expect(parseWrapperName(name, 'docker')).toEqual({ platform, version });
	});

	test.each([
		'docker_wrapper_22_armhf-pc-linux-gnu',
		'docker_wrapper.cpp',
		'docker_wrapper_22_windows_x86_64',
		'docker_wrapper_22_x86_64-pc-linux-gnu.sig',
		'vboxwrapper_26211_x86_64-pc-linux-gnu',
		'docker_wrapper_22_constructor',
	])('%s is none of ours', (name) => {
		expect(parseWrapperName(name, 'docker')).toBeUndefined();
	});
});

describe('names of vboxwrapper', () => {
	test.each([
		['vboxwrapper_26212_x86_64-pc-linux-gnu', 'x86_64-pc-linux-gnu', 26212],
		['vboxwrapper_26212_windows_x86_64.exe', 'windows_x86_64', 26212],
		['vboxwrapper_26200_x86_64-apple-darwin', 'x86_64-apple-darwin', 26200],
		['vboxwrapper', 'x86_64-apple-darwin', undefined],
	])('%s is for %s', (name, platform, version) => {
		expect(parseWrapperName(name, 'vm')).toEqual({ platform, version });
	});

	test.each([
		'vboxwrapper_26212_windows_ARM64.exe',
		'vboxwrapper_26212_i686-pc-linux-gnu',
		'docker_wrapper_x86_64',
		'vboxwrapper.cpp',
	])('%s is none of ours', (name) => {
		expect(parseWrapperName(name, 'vm')).toBeUndefined();
	});
});

describe('from a folder', () => {
	test('vboxwrapper, if it is new enough to share the slot folder', async () => {
		await writeFile(path.join(folder, 'docker_wrapper_22_x86_64-pc-linux-gnu'), LINUX);
		await writeFile(path.join(folder, 'vboxwrapper'), MAC);
		await writeFile(path.join(folder, 'vboxwrapper_26208_x86_64-pc-linux-gnu'), LINUX);
		const found = async (): Promise<string[]> =>
			(await wrapperBinaries({ folder }, ctx, { runtime: 'vm' })).map(({ fileName }) => fileName.replace(/[0-9a-f]{8}/, 'HASH'));
		expect(await found()).toEqual(['vboxwrapper_26208_x86_64-pc-linux-gnu', 'vboxwrapper_HASH_x86_64-apple-darwin']);
		await writeFile(path.join(folder, 'vboxwrapper_26206_windows_x86_64.exe'), WINDOWS);
		await expect(found()).rejects.toMatchObject({ code: 'wrapper-missing', detail: { least: 26208 } });
	});

	test('the newest of each platform is taken, in the order of platforms', async () => {
		await writeFile(path.join(folder, 'docker_wrapper_9_x86_64-pc-linux-gnu'), elf(62, true, 'old'));
		await writeFile(path.join(folder, 'docker_wrapper_22_x86_64-pc-linux-gnu'), LINUX);
		await writeFile(path.join(folder, 'docker_wrapper_22_windows_ARM64.exe'), WINDOWS);
		await writeFile(path.join(folder, 'docker_wrapper_arm64'), MAC);
		await writeFile(path.join(folder, 'README'), 'x');
		const wrappers = await wrapperBinaries({ folder }, ctx);
		expect(wrappers.map((wrapper) => [wrapper.platform, wrapper.fileName.replace(/[0-9a-f]{8}/, 'HASH')])).toEqual([
			['x86_64-pc-linux-gnu', 'docker_wrapper_22_x86_64-pc-linux-gnu'],
			['windows_arm64', 'docker_wrapper_22_windows_ARM64.exe'],
			['arm64-apple-darwin', 'docker_wrapper_HASH_arm64-apple-darwin'],
		]);
		expect((await wrapperBinaries({ folder }, ctx, { platforms: ['windows_arm64'] })).map((wrapper) => wrapper.platform)).toEqual(
			['windows_arm64'],
		);
	});

	test('what is no program for its platform is refused', async () => {
		await writeFile(path.join(folder, 'docker_wrapper_22_x86_64-pc-linux-gnu'), '<html>Not found</html>'.repeat(10));
		await expect(wrapperBinaries({ folder }, ctx)).rejects.toMatchObject({ code: 'wrapper-missing', detail: { kind: 'other' } });
	});

	test('an empty or absent folder is said to be so', async () => {
		await expect(wrapperBinaries({ folder }, ctx)).rejects.toMatchObject({ code: 'wrapper-missing' });
		await expect(wrapperBinaries({ folder: path.join(folder, 'absent') }, ctx)).rejects.toMatchObject({
			code: 'wrapper-missing',
		});
	});

	test('a name keeps the hash that it was first seen with', async () => {
		const pinFile = path.join(folder, 'pins/pins.json');
		const program = path.join(folder, 'docker_wrapper_22_x86_64-pc-linux-gnu');
		await writeFile(program, LINUX);
		await wrapperBinaries({ folder }, ctx, { pinFile });
		await wrapperBinaries({ folder }, ctx, { pinFile });
		expect(Object.keys(JSON.parse(await readFile(pinFile, 'utf8')) as object)).toEqual(['docker_wrapper_22_x86_64-pc-linux-gnu']);
		await writeFile(program, elf(62, true, 'changed'));
		await expect(wrapperBinaries({ folder }, ctx, { pinFile })).rejects.toMatchObject({ code: 'wrapper-changed' });
		await writeFile(pinFile, 'not json');
		await expect(wrapperBinaries({ folder }, ctx, { pinFile })).rejects.toMatchObject({ code: 'wrapper-changed' });
	});
});

describe('from an address', () => {
	test('says which BOINC interface a program was built with', async () => {
		serve('/docker_wrapper_22_x86_64-pc-linux-gnu', Buffer.concat([LINUX, Buffer.from('\0API_VERSION_8.3.0\0')]));
		serve('/docker_wrapper_22_arm64-pc-linux-gnu', LINUX);
		const from = async (name: string): Promise<(string | undefined)[]> =>
			(await wrapperBinaries({ url: `${base}/${name}` }, ctx, { env })).map(({ apiVersion }) => apiVersion);
		expect(await from('docker_wrapper_22_x86_64-pc-linux-gnu')).toEqual(['8.3.0']);
		expect(await from('docker_wrapper_22_arm64-pc-linux-gnu')).toEqual([undefined]);
	});

	test('a single program, after redirects', async () => {
		answers['/docker_wrapper_22_x86_64-pc-linux-gnu'] = (_request, response) =>
			response.writeHead(302, { location: '/store?id=7' }).end();
		serve('/store?id=7', LINUX);
		const [wrapper] = await wrapperBinaries({ url: `${base}/docker_wrapper_22_x86_64-pc-linux-gnu` }, ctx, { env });
		expect(wrapper).toMatchObject({
			platform: 'x86_64-pc-linux-gnu',
			fileName: 'docker_wrapper_22_x86_64-pc-linux-gnu',
			content: { size: LINUX.length },
		});
	});

	test('a page that links to programs and archives', async () => {
		serve(
			'/files/',
			`<a href="docker_wrapper_22_x86_64-pc-linux-gnu">x</a> <a href='/files/docker_wrapper_22_windows_x86_64.exe.zip'>y</a> <a href="../">up</a>`,
		);
		serve('/files/docker_wrapper_22_x86_64-pc-linux-gnu', LINUX);
		serve(
			'/files/docker_wrapper_22_windows_x86_64.exe.zip',
			zip({ 'out/docker_wrapper_22_windows_x86_64.exe': WINDOWS, 'out/README': Buffer.from('x') }),
		);
		const wrappers = await wrapperBinaries({ url: `${base}/files/` }, ctx, { env });
		expect(wrappers.map((wrapper) => wrapper.platform)).toEqual(['x86_64-pc-linux-gnu', 'windows_x86_64']);
		expect(wrappers[1]?.content.size).toBe(WINDOWS.length);
	});

	test('an archive', async () => {
		serve('/wrappers.zip', zip({ docker_wrapper_arm64: MAC, 'docker_wrapper_22_arm64-pc-linux-gnu': ARM }, 0));
		expect((await wrapperBinaries({ url: `${base}/wrappers.zip` }, ctx, { env })).map((wrapper) => wrapper.platform)).toEqual([
			'aarch64-unknown-linux-gnu',
			'arm64-apple-darwin',
		]);
	});

	test('a missing file, a damaged archive and a wrong address are named', async () => {
		await expect(wrapperBinaries({ url: `${base}/nothing` }, ctx, { env })).rejects.toMatchObject({
			code: 'download-failed',
			detail: { url: `${base}/nothing` },
		});
		serve('/broken.zip', zip({ docker_wrapper_arm64: MAC }).subarray(0, 60));
		await expect(wrapperBinaries({ url: `${base}/broken.zip` }, ctx, { env })).rejects.toMatchObject({ code: 'download-failed' });
		await expect(wrapperBinaries({ url: 'ftp://x/y' }, ctx, { env })).rejects.toMatchObject({ code: 'download-failed' });
	});
});

describe('from a release', () => {
	const asset = (name: string): { name: string; browser_download_url: string } => ({
		name,
		browser_download_url: `${base}/d/${name}`,
	});

	test('its programs, those without a version named after it', async () => {
		const release = {
			tag_name: 'dockerwrapper/22',
			assets: [asset('docker_wrapper_22_x86_64-pc-linux-gnu'), asset('docker_wrapper_arm64'), asset('other.txt')],
		};
		serve('/api/tags/dockerwrapper%2F22', JSON.stringify(release));
		serve('/d/docker_wrapper_22_x86_64-pc-linux-gnu', LINUX);
		serve('/d/docker_wrapper_arm64', MAC);
		const wrappers = await wrapperBinaries({ release: '22', api: `${base}/api` }, ctx, { env });
		expect(wrappers.map((wrapper) => wrapper.fileName)).toEqual([
			'docker_wrapper_22_x86_64-pc-linux-gnu',
			'docker_wrapper_22_arm64-apple-darwin',
		]);
	});

	test('the latest is the one with the highest number', async () => {
		const releases = ['vboxwrapper/26211', 'dockerwrapper/9', 'dockerwrapper/22', 'dockerwrapper/21'].map((tag_name) => ({
			tag_name,
			assets: [asset(`docker_wrapper_${tag_name.split('/')[1] ?? ''}_x86_64-pc-linux-gnu`)],
		}));
		serve('/api?per_page=100', JSON.stringify(releases));
		serve('/d/docker_wrapper_22_x86_64-pc-linux-gnu', LINUX);
		const wrappers = await wrapperBinaries({ release: 'latest', api: `${base}/api` }, ctx, { env });
		expect(wrappers[0]?.fileName).toBe('docker_wrapper_22_x86_64-pc-linux-gnu');
	});

	test('of vboxwrapper: its own tags and archives', async () => {
		const releases = ['dockerwrapper/99999', 'vboxwrapper/26210', 'vboxwrapper/26212'].map((tag_name) => ({
			tag_name,
			assets: [asset('vboxwrapper_26212_windows_x86_64.exe.zip'), asset('vboxwrapper'), asset('docker_wrapper_arm64')],
		}));
		serve('/api?per_page=100', JSON.stringify(releases));
		serve('/d/vboxwrapper_26212_windows_x86_64.exe.zip', zip({ 'vboxwrapper_26212_windows_x86_64.exe': WINDOWS }));
		serve('/d/vboxwrapper', MAC);
		const wrappers = await wrapperBinaries({ release: 'latest', api: `${base}/api` }, ctx, { env, runtime: 'vm' });
		expect(wrappers.map(({ fileName }) => fileName)).toEqual([
			'vboxwrapper_26212_windows_x86_64.exe',
			'vboxwrapper_26212_x86_64-apple-darwin',
		]);
	});

	test('nonsense is refused', async () => {
		await expect(wrapperBinaries({ release: '../x', api: base }, ctx, { env })).rejects.toMatchObject({
			code: 'wrapper-missing',
		});
		serve('/api/tags/dockerwrapper%2F7', '<html>');
		await expect(wrapperBinaries({ release: '7', api: `${base}/api` }, ctx, { env })).rejects.toMatchObject({
			code: 'download-failed',
		});
	});
});

describe('fetching', () => {
	test('stops at the limit', async () => {
		serve('/big', Buffer.alloc(100_000));
		await expect(httpGet(`${base}/big`, { maxBytes: 1000, env })).rejects.toMatchObject({ code: 'download-failed' });
	});

	test('notices that a transfer was cut', async () => {
		answers['/cut'] = (_request, response) => {
			response.writeHead(200, { 'content-length': '1000' });
			response.write('only this');
			setImmediate(() => response.destroy());
		};
		await expect(httpGet(`${base}/cut`, { maxBytes: 10_000, env })).rejects.toMatchObject({ code: 'download-failed' });
	});

	test('has a deadline, and can be cancelled', async () => {
		answers['/slow'] = () => undefined;
		await expect(httpGet(`${base}/slow`, { maxBytes: 10, timeoutMs: 100, env })).rejects.toMatchObject({ code: 'timeout' });
		const controller = new AbortController();
		answers['/slow'] = () => controller.abort();
		await expect(httpGet(`${base}/slow`, { maxBytes: 10, signal: controller.signal, env })).rejects.toMatchObject({
			name: 'AbortError',
		});
	});

	test('gives up on endless redirects', async () => {
		answers['/loop'] = (_request, response) => response.writeHead(301, { location: '/loop' }).end();
		await expect(httpGet(`${base}/loop`, { maxBytes: 10, env })).rejects.toMatchObject({ code: 'download-failed' });
	});

	test('goes through a proxy, with its password', async () => {
		let seen: string | undefined;
		answers['http://example.invalid/file'] = (request, response) => {
			seen = request.headers['proxy-authorization'];
			response.end('through the proxy');
		};
		const { body } = await httpGet('http://example.invalid/file', {
			maxBytes: 100,
			env: { http_proxy: base.replace('//', '//me:p%40ss@') },
		});
		expect(body.toString()).toBe('through the proxy');
		expect(seen).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
	});

	test('asks a proxy for a tunnel to HTTPS', async () => {
		let target: string | undefined;
		server.on('connect', (request, socket) => {
			target = request.url;
			socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
		});
		await expect(httpGet('https://example.invalid/file', { maxBytes: 100, env: { https_proxy: base } })).rejects.toMatchObject({
			code: 'download-failed',
		});
		expect(target).toBe('example.invalid:443');
	});

	test.each([
		['http://a.example.org/', { http_proxy: 'http://p:1' }, 'http://p:1/'],
		['https://a.example.org/', { http_proxy: 'http://p:1' }, undefined],
		['https://a.example.org/', { HTTPS_PROXY: 'p:1' }, 'http://p:1/'],
		['http://a.example.org/', { http_proxy: 'http://p:1', no_proxy: 'x, .example.org' }, undefined],
		['http://localhost/', { http_proxy: 'http://p:1', NO_PROXY: 'localhost' }, undefined],
		['http://a/', { http_proxy: 'http://p:1', no_proxy: '*' }, undefined],
		['http://a/', { all_proxy: 'socks5://p:1' }, undefined],
	])('the proxy for %s with %j', (address, variables, expected) => {
		expect(proxyFor(new URL(address), variables)?.href).toBe(expected);
	});
});

describe('downloads that are kept', () => {
	const forget = (): void => {
		answers = {};
	};

	test('are not fetched again, whatever they are', async () => {
		const keepIn = path.join(folder, 'kept');
		const name = 'docker_wrapper_22_x86_64-pc-linux-gnu';
		serve(
			'/api/tags/dockerwrapper%2F22',
			JSON.stringify({ tag_name: 'dockerwrapper/22', assets: [{ name, browser_download_url: `${base}/${name}` }] }),
		);
		serve(`/${name}`, LINUX);
		serve('/wrappers.zip', zip({ [name]: LINUX }));
		serve('/b2d.iso', fakeIso());
		serve('/busybox', elf(62));
		const all = async (): Promise<string[]> => {
			const options = { env, keepIn };
			const sources = [{ url: `${base}/${name}` }, { url: `${base}/wrappers.zip` }, { release: '22', api: `${base}/api` }];
			const wrappers = await Promise.all(sources.map((source) => wrapperBinaries(source, ctx, options)));
			const contents = [
				...wrappers.flat().map(({ content }) => content),
				await isoImage({ url: `${base}/b2d.iso` }, ctx, options),
				...(await busyboxBinaries([{ url: `${base}/busybox` }], ctx, options)).map(({ content }) => content),
			];
			return contents.map(({ sha256 }) => sha256);
		};
		const first = await all();
		expect(first).toHaveLength(5);
		const list = answers['/api/tags/dockerwrapper%2F22']!;
		forget();
		answers['/api/tags/dockerwrapper%2F22'] = list;
		expect(await all()).toEqual(first);
		expect((await readdir(keepIn)).map((file) => file.slice(13)).sort()).toEqual(['b2d.iso', 'busybox', name, 'wrappers.zip']);
	});

	test('are no pages and no error pages', async () => {
		const keepIn = path.join(folder, 'kept');
		const name = 'docker_wrapper_22_x86_64-pc-linux-gnu';
		const get = (url: string): Promise<unknown> => wrapperBinaries({ url: `${base}${url}` }, ctx, { env, keepIn });
		serve('/files/', `<a href="${name}">x</a>`);
		serve(`/files/${name}`, '<html>sorry</html>'.padEnd(100));
		await expect(get('/files/')).rejects.toThrow(/is not a program/);
		await expect(get(`/files/${name}`)).rejects.toThrow(/is not a program/);
		serve(`/files/${name}`, LINUX);
		await get('/files/');
		forget();
		await expect(get('/files/')).rejects.toMatchObject({ code: 'download-failed' });
		expect(await readdir(keepIn)).toHaveLength(1);
	});
});

describe('the ISO', () => {
	test('comes from a file or an address, whose hash is remembered', async () => {
		const file = path.join(folder, 'b2d.iso');
		await writeFile(file, fakeIso());
		expect((await isoImage({ file }, ctx)).size).toBe(fakeIso().length);
		serve('/b2d.iso', fakeIso());
		const pinFile = path.join(folder, 'pins.json');
		const fetched = await isoImage({ url: `${base}/b2d.iso` }, ctx, { env, pinFile });
		expect(fetched.sha256).toBe((await isoImage({ file }, ctx)).sha256);
		serve('/b2d.iso', Buffer.concat([fakeIso(), Buffer.from('more')]));
		await expect(isoImage({ url: `${base}/b2d.iso` }, ctx, { env, pinFile })).rejects.toMatchObject({ code: 'wrapper-changed' });
	});

	test('must boot, and be ours', async () => {
		const file = path.join(folder, 'other.iso');
		await expect(isoImage({ file }, ctx)).rejects.toMatchObject({ code: 'wrapper-missing', detail: { file } });
		await writeFile(file, '<html>Not found</html>');
		await expect(isoImage({ file }, ctx)).rejects.toThrow(/not the image of a CD/);
		await writeFile(file, fakeIso('Boot2Docker-v1.11'));
		await expect(isoImage({ file }, ctx)).rejects.toThrow(/ISO of another system .*Boot2Docker-v1\.11/);
	});
});

describe('busybox', () => {
	test('a static one of each architecture is taken from files and folders', async () => {
		await mkdir(path.join(folder, 'some'));
		await writeFile(path.join(folder, 'some/busybox-dynamic'), elf(62, true));
		await writeFile(path.join(folder, 'some/busybox-x'), elf(62));
		await writeFile(path.join(folder, 'other'), elf(183));
		const files = await busyboxBinaries([{ folder: path.join(folder, 'some') }, { file: path.join(folder, 'other') }], ctx);
		expect(files.map((file) => file.architecture).sort()).toEqual(['amd64', 'arm64']);
	});

	test('from an address, with its hash remembered', async () => {
		serve('/busybox', elf(62));
		const pinFile = path.join(folder, 'pins.json');
		await busyboxBinaries([{ url: `${base}/busybox` }], ctx, { pinFile, env });
		serve('/busybox', elf(62, false, 'changed'));
		await expect(busyboxBinaries([{ url: `${base}/busybox` }], ctx, { pinFile, env })).rejects.toMatchObject({
			code: 'wrapper-changed',
		});
	});

	test.each([
		['dynamic', elf(62, true), /dynamically/],
		['for another machine', elf(8), /architecture/],
		['no program', Buffer.from('hello'), /not a Linux program/],
	])('one that is %s is refused', async (_what, bytes, message) => {
		await writeFile(path.join(folder, 'busybox'), bytes);
		const error: unknown = await busyboxBinaries([{ file: path.join(folder, 'busybox') }], ctx).catch((cause: unknown) => cause);
		expect(BoincError.is(error, 'wrapper-missing')).toBe(true);
		expect((error as Error).message).toMatch(message);
	});

	test('a damaged program header is not trusted', () => {
		const bytes = elf(62);
		bytes.writeBigUInt64LE(9999n, 32);
		expect(programFacts(bytes)).toEqual({ kind: 'elf', architecture: 'amd64', isStatic: false });
		expect(programFacts(Buffer.from('#!/bin/sh')).kind).toBe('script');
	});
});

describe('zip archives', () => {
	test('a file that would unpack to too much is refused', () => {
		expect(() => readZip(zip({ a: Buffer.alloc(5000) }), () => true, 1000)).toThrow(/larger/);
	});

	test('only wanted files are unpacked', () => {
		expect(readZip(zip({ a: Buffer.from('1'), b: Buffer.from('2') }), (name) => name === 'b', 10)).toEqual([
			{ name: 'b', bytes: Buffer.from('2') },
		]);
		expect(() => readZip(Buffer.from('PK'), () => true, 10)).toThrow(/not a complete/);
	});
});
