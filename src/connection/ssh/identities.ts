import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

import type { BaseAgent, ParsedKey } from 'ssh2';

import { messageOf } from '../../common/errors.js';
import type { Log } from '../../common/ports.js';
import { fingerprint } from './hostKeys.js';
import type { Ssh2 } from './loadSsh2.js';

/** A key that may log in: held by an agent, or in a file that may need a passphrase. */
export interface Identity {
	/** For the log: `agent key SHA256:…` or the name of the file. */
	readonly label: string;
	readonly fingerprint: string;
	/** Public key in wire format. */
	readonly publicKey: Buffer;
	readonly source:
		| { readonly kind: 'agent'; readonly agent: BaseAgent }
		| { readonly kind: 'file'; readonly path: string; readonly text: Buffer };
}

const AGENT_MS = 5_000;
const DEFAULT_NAMES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** `~/.ssh/id_ed25519` and its siblings. */
export const defaultIdentityFiles = (): string[] => DEFAULT_NAMES.map((name) => join(homedir(), '.ssh', name));

/** Where this system's agent listens; undefined without one. */
export function defaultAgentSocket(): string | undefined {
	return process.env.SSH_AUTH_SOCK ?? (process.platform === 'win32' ? '\\\\.\\pipe\\openssh-ssh-agent' : undefined);
}

/**
 * All keys in the order in which OpenSSH tries them: those of the agent that are also named files, the others of the
 * agent, files. A key is listed once. `files` absent means the usual names, whose absence is not worth a word.
 */
export async function findIdentities(
	ssh2: Ssh2,
	agentSocket: string | undefined,
	files: readonly string[] | undefined,
	log: Log,
): Promise<Identity[]> {
	const fromAgent = agentSocket ? await agentIdentities(ssh2, agentSocket, log) : [];
	const fromFiles: Identity[] = [];
	for (const path of files ?? defaultIdentityFiles()) {
		const identity = await fileIdentity(ssh2, path, files ? 'named' : 'usual', log);
		if (identity) {
			fromFiles.push(identity);
		}
	}
	const named = new Set(fromFiles.map((identity) => identity.fingerprint));
	const ordered = [
		...fromAgent.filter((identity) => named.has(identity.fingerprint)),
		...fromAgent.filter((identity) => !named.has(identity.fingerprint)),
		...fromFiles,
	];
	return ordered.filter((identity, index) => ordered.findIndex((each) => each.fingerprint === identity.fingerprint) === index);
}

async function agentIdentities(ssh2: Ssh2, socket: string, log: Log): Promise<Identity[]> {
	try {
		const agent = ssh2.createAgent(socket);
		const keys = await new Promise<readonly unknown[]>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error('it does not answer')), AGENT_MS);
			agent.getIdentities((error, found) => {
				clearTimeout(timer);
				if (error) {
					reject(error);
				} else {
					resolve(found ?? []);
				}
			});
		});
		return keys.flatMap((key) => {
			const parsed = asParsedKey(key instanceof Buffer || typeof key === 'string' ? ssh2.utils.parseKey(key) : key);
			if (!parsed) {
				return [];
			}
			const publicKey = parsed.getPublicSSH();
			const print = fingerprint(publicKey);
			return [
				{
					label: `agent key ${parsed.comment || parsed.type}`,
					fingerprint: print,
					publicKey,
					source: { kind: 'agent' as const, agent },
				},
			];
		});
	} catch (error) {
		log.warn(`The SSH agent at ${socket} gives no keys: ${messageOf(error)}`);
		return [];
	}
}

async function fileIdentity(ssh2: Ssh2, path: string, kind: 'named' | 'usual', log: Log): Promise<Identity | undefined> {
	let text: Buffer;
	try {
		text = await readFile(path);
	} catch (error) {
		log[kind === 'named' ? 'warn' : 'debug'](`The key ${path} cannot be read: ${messageOf(error)}`);
		return undefined;
	}
	const publicKey = (await publicHalf(ssh2, path)) ?? publicPart(ssh2, text);
	if (!publicKey) {
		log.warn(`${path} is not a private key, or an encrypted one of an old format without ${path}.pub beside it.`);
		return undefined;
	}
	return { label: path, fingerprint: fingerprint(publicKey), publicKey, source: { kind: 'file', path, text } };
}

async function publicHalf(ssh2: Ssh2, path: string): Promise<Buffer | undefined> {
	const text = await readFile(`${path}.pub`).catch(() => undefined);
	return text && asParsedKey(ssh2.utils.parseKey(text))?.getPublicSSH();
}

function publicPart(ssh2: Ssh2, text: Buffer): Buffer | undefined {
	return asParsedKey(ssh2.utils.parseKey(text))?.getPublicSSH() ?? publicPartOfEncrypted(text.toString('latin1'));
}

/** OpenSSH's own format holds the public key in clear beside the encrypted private one (PROTOCOL.key). */
function publicPartOfEncrypted(text: string): Buffer | undefined {
	const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END/.exec(text)?.[1];
	const data = Buffer.from(body ?? '', 'base64');
	const magic = 'openssh-key-v1\0';
	if (data.toString('latin1', 0, magic.length) !== magic) {
		return undefined;
	}
	let position = magic.length;
	const next = (): Buffer => {
		const end = position + 4 + data.readUInt32BE(position);
		const field = data.subarray(position + 4, end);
		position = end;
		return field;
	};
	try {
		next();
		next();
		next();
		// How many keys; OpenSSH writes one.
		position += 4;
		return next();
	} catch {
		return undefined;
	}
}

/** What the library's parser gave, if it is a key: it returns errors instead of throwing them. */
export function asParsedKey(value: unknown): ParsedKey | undefined {
	const first: unknown = Array.isArray(value) ? value[0] : value;
	return typeof first === 'object' && first !== null && 'getPublicSSH' in first && typeof first.getPublicSSH === 'function'
		? (first as ParsedKey)
		: undefined;
}
