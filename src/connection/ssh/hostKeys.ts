import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

import type { ServerHostKeyAlgorithm } from 'ssh2';

import { messageOf } from '../../common/errors.js';
import type { Log } from '../../common/ports.js';
import { isFor, keyType, type KnownHost, knownName, parseKnownHosts } from './knownHosts.js';

export type HostKeyVerdict =
	| { readonly kind: 'trusted'; readonly entry: KnownHost }
	| { readonly kind: 'unknown' }
	/** Another key is known; `entry` holds it. */
	| { readonly kind: 'changed'; readonly entry: KnownHost }
	| { readonly kind: 'revoked'; readonly entry: KnownHost };

/** Types in order of preference, with the algorithms by which a server proves to have such a key. */
const ALGORITHMS: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
	'ssh-ed25519': ['ssh-ed25519'],
	'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
	'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
	'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
	'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
};

/** Where OpenSSH keeps what it knows. */
export function defaultKnownHostsFiles(): string[] {
	return [join(homedir(), '.ssh', 'known_hosts'), join(homedir(), '.ssh', 'known_hosts2'), '/etc/ssh/ssh_known_hosts'];
}

/** The host keys known for one server, from OpenSSH's files (only read) and our own trust file (read and added to). */
export class HostKeys {
	private constructor(
		readonly name: string,
		readonly entries: readonly KnownHost[],
		/** Entries for the bare host, which OpenSSH accepts (and never holds against a server) on another port. */
		readonly portless: readonly KnownHost[],
		readonly trustFile: string,
	) {}

	/** Reads the files. Absent files are empty; unreadable ones are logged. */
	static async load(
		server: { readonly host: string; readonly port: number },
		files: readonly string[],
		trustFile: string,
		log: Log,
	): Promise<HostKeys> {
		const name = knownName(server.host, server.port);
		const bare = server.host.toLowerCase();
		const entries: KnownHost[] = [];
		const portless: KnownHost[] = [];
		for (const file of [trustFile, ...files]) {
			const all = parseKnownHosts(await readOptional(file, log), file);
			for (const entry of all.filter((each) => isFor(each, name))) {
				if (entry.marker === 'cert-authority') {
					log.info(
						`${entry.file}:${entry.line} trusts a certificate authority for ${name}; host certificates are not supported, the line is ignored.`,
					);
				} else {
					entries.push(entry);
				}
			}
			if (name !== bare) {
				portless.push(...all.filter((each) => each.marker !== 'cert-authority' && isFor(each, bare)));
			}
		}
		return new HostKeys(name, entries, portless, trustFile);
	}

	/**
	 * Judges a key that the server showed. A key of another type than the known ones counts as changed: `algorithms`
	 * puts the known types first, so the server no longer has the key that was trusted.
	 */
	judge(key: Buffer): HostKeyVerdict {
		const same = (entry: KnownHost): boolean => entry.key.equals(key);
		const revoked = [...this.entries, ...this.portless].find((entry) => entry.marker === 'revoked' && same(entry));
		if (revoked) {
			return { kind: 'revoked', entry: revoked };
		}
		const known = this.entries.filter((entry) => entry.marker === 'none');
		const trusted = [...known, ...this.portless.filter((entry) => entry.marker === 'none')].find(same);
		if (trusted) {
			return { kind: 'trusted', entry: trusted };
		}
		const type = keyType(key);
		const other = known.find((entry) => entry.type === type) ?? known.find((entry) => entry.type in ALGORITHMS);
		return other ? { kind: 'changed', entry: other } : { kind: 'unknown' };
	}

	/** Algorithms to offer, those of known keys first: a server with several keys shall show the one we know. */
	algorithms(): ServerHostKeyAlgorithm[] {
		const known = new Set(
			[...this.entries, ...this.portless].filter((entry) => entry.marker === 'none').map((entry) => entry.type),
		);
		const types = Object.keys(ALGORITHMS);
		return [...types.filter((type) => known.has(type)), ...types.filter((type) => !known.has(type))].flatMap(
			(type) => ALGORITHMS[type] ?? [],
		);
	}

	/** Adds the key to our own trust file. */
	async trust(key: Buffer): Promise<void> {
		await mkdir(dirname(this.trustFile), { recursive: true, mode: 0o700 });
		// One write of one line: two processes that do the same do not mix their lines.
		await appendFile(this.trustFile, `${this.name} ${keyType(key) ?? ''} ${key.toString('base64')}\n`, { mode: 0o600 });
	}
}

/** As OpenSSH shows it: `SHA256:` and base64 without padding. */
export function fingerprint(key: Buffer): string {
	return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** `ED25519`, `ECDSA`, `RSA`: the word that OpenSSH uses. */
export function keyTypeName(key: Buffer): string {
	const type = keyType(key) ?? 'unknown';
	return type.startsWith('ecdsa') ? 'ECDSA' : type.replace(/^ssh-/, '').toUpperCase();
}

async function readOptional(file: string, log: Log): Promise<string> {
	try {
		return await readFile(file, 'utf8');
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))) {
			log.warn(`The known host keys in ${file} cannot be read: ${messageOf(error)}`);
		}
		return '';
	}
}
