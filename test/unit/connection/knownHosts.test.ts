import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type Log, silentLog } from '../../../src/common/ports.js';
import { fingerprint, HostKeys, keyTypeName } from '../../../src/connection/ssh/hostKeys.js';
import { isFor, knownName, parseKnownHosts } from '../../../src/connection/ssh/knownHosts.js';

const key = (type: string, seed: string): Buffer => {
	const name = Buffer.from(type);
	const head = Buffer.alloc(4);
	head.writeUInt32BE(name.length);
	return Buffer.concat([head, name, Buffer.from(seed.padEnd(32, '.'))]);
};
const ed = key('ssh-ed25519', 'one');
const otherEd = key('ssh-ed25519', 'two');
const rsa = key('ssh-rsa', 'three');
const ecdsa = key('ecdsa-sha2-nistp256', 'four');
const line = (hosts: string, of: Buffer): string =>
	`${hosts} ${of.toString('ascii', 4, 4 + of.readUInt32BE(0))} ${of.toString('base64')}`;
const hashed = (name: string): string => {
	const salt = Buffer.from('01234567890123456789');
	return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};
const hostsOf = (text: string, name: string): number[] =>
	parseKnownHosts(text, 'f')
		.filter((entry) => isFor(entry, name))
		.map((entry) => entry.line);

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-known-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function load(text: string, host = 'server.example', port = 22, log: Log = silentLog): Promise<HostKeys> {
	const file = join(dir, 'known_hosts');
	await writeFile(file, text);
	return HostKeys.load({ host, port }, [file, join(dir, 'absent')], join(dir, 'trust', 'known_hosts'), log);
}

describe('parseKnownHosts', () => {
	it('reads plain, listed, hashed and marked lines and skips what it cannot read', () => {
		const text = [
			'# comment',
			'',
			line('a,b', ed),
			`@revoked ${line('c', rsa)}`,
			`@cert-authority ${line('*.d', ed)}`,
			'a ssh-rsa',
			'a ssh-rsa AAAA',
			`@odd ${line('e', ed)}`,
			`${line('f', ed)} a comment`,
			'\t ',
		].join('\r\n');
		expect(parseKnownHosts(text, 'file').map(({ marker, hosts, line: number }) => [marker, hosts, number])).toEqual([
			['none', 'a,b', 3],
			['revoked', 'c', 4],
			['cert-authority', '*.d', 5],
			['none', 'f', 9],
		]);
	});

	it.each([
		['example.org', 'example.org', true],
		['EXAMPLE.org', 'example.org', true],
		['*.example.org', 'a.example.org', true],
		['*.example.org', 'example.org', false],
		['h?st', 'host', true],
		['h?st', 'hst', false],
		['*.example.org,!bad.example.org', 'bad.example.org', false],
		['!bad.example.org,*.example.org', 'bad.example.org', false],
		['*.example.org,!bad.example.org', 'good.example.org', true],
		['[example.org]:2222', '[example.org]:2222', true],
		['[example.org]:2222', 'example.org', false],
		['[*.example.org]:2222', '[a.example.org]:2222', true],
		['*', '[example.org]:2222', true],
	])('%s for %s: %s', (pattern, name, expected) => {
		expect(hostsOf(line(pattern, ed), name)).toHaveLength(expected ? 1 : 0);
	});

	it('finds hashed names, with and without port', () => {
		expect(hostsOf(line(hashed('example.org'), ed), 'example.org')).toHaveLength(1);
		expect(hostsOf(line(hashed('example.org'), ed), 'example.com')).toHaveLength(0);
		expect(hostsOf(line(hashed('[example.org]:2222'), ed), knownName('Example.ORG', 2222))).toHaveLength(1);
	});
});

describe('HostKeys', () => {
	it('trusts a known key, calls another of the same type changed, and asks about none known', async () => {
		const keys = await load(line('server.example', ed));
		expect(keys.judge(ed).kind).toBe('trusted');
		expect(keys.judge(otherEd)).toMatchObject({ kind: 'changed', entry: { line: 1, file: join(dir, 'known_hosts') } });
		expect((await load(line('elsewhere', ed))).judge(ed).kind).toBe('unknown');
	});

	it('refuses a revoked key even when the same file trusts it', async () => {
		const keys = await load(`${line('*', ed)}\n@revoked ${line('*', ed)}`);
		expect(keys.judge(ed)).toMatchObject({ kind: 'revoked', entry: { line: 2 } });
	});

	it('offers the types of known keys first, so that a server with several keys shows the known one', async () => {
		const keys = await load(line('server.example', rsa));
		expect(keys.algorithms().slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
		expect(new Set(keys.algorithms())).toEqual(new Set((await load('')).algorithms()));
	});

	it('takes a key of a type not asked for as changed: the server lost the one we trust', async () => {
		expect((await load(line('server.example', rsa))).judge(ecdsa).kind).toBe('changed');
	});

	it('ignores certificate authorities and says so', async () => {
		const said: string[] = [];
		const keys = await load(`@cert-authority ${line('*.example', ed)}`, 'server.example', 22, {
			...silentLog,
			info: (text) => said.push(text),
		});
		expect(keys.judge(ed).kind).toBe('unknown');
		expect(said.join()).toMatch(/certificate authority.*ignored/);
	});

	it('accepts the key of the bare host on another port, but does not hold it against that port', async () => {
		const keys = await load(line('server.example', ed), 'server.example', 2222);
		expect(keys.judge(ed).kind).toBe('trusted');
		expect(keys.judge(otherEd).kind).toBe('unknown');
	});

	it('keeps accepted keys in our own file only', async () => {
		const keys = await load('# theirs\n', 'server.example', 2222);
		await keys.trust(ed);
		expect(await readFile(join(dir, 'known_hosts'), 'utf8')).toBe('# theirs\n');
		expect(await readFile(join(dir, 'trust', 'known_hosts'), 'utf8')).toBe(`${line('[server.example]:2222', ed)}\n`);
		expect((await load('', 'server.example', 2222)).judge(ed).kind).toBe('trusted');
	});

	it('shows fingerprints as OpenSSH does', () => {
		expect(fingerprint(Buffer.from('abc'))).toBe('SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0');
		expect([ed, rsa, ecdsa].map(keyTypeName)).toEqual(['ED25519', 'RSA', 'ECDSA']);
	});
});
