import { createHmac } from 'node:crypto';

/** One line of a `known_hosts` file. */
export interface KnownHost {
	readonly marker: 'none' | 'revoked' | 'cert-authority';
	/** The first field: patterns separated by commas, or one hashed name. */
	readonly hosts: string;
	readonly type: string;
	readonly key: Buffer;
	readonly file: string;
	/** Counted from 1. */
	readonly line: number;
}

/** Reads the format of sshd(8), “SSH_KNOWN_HOSTS FILE FORMAT”. Lines that cannot be read are skipped, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
	const found: KnownHost[] = [];
	text.split(/\r?\n/).forEach((raw, index) => {
		const content = raw.trim();
		if (content === '' || content.startsWith('#')) {
			return;
		}
		const words = content.split(/[ \t]+/);
		const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
		const [hosts, type, encoded] = words;
		if (hosts === undefined || type === undefined || encoded === undefined || !isMarker(marker)) {
			return;
		}
		const key = Buffer.from(encoded, 'base64');
		if (keyType(key) === type) {
			found.push({ marker: markerOf(marker), hosts, type, key, file, line: index + 1 });
		}
	});
	return found;
}

/** The name under which `known_hosts` files know a server. */
export function knownName(host: string, port: number): string {
	const name = host.toLowerCase();
	return port === 22 ? name : `[${name}]:${String(port)}`;
}

/** Whether the entry is for the name that `knownName` gave. */
export function isFor(entry: KnownHost, name: string): boolean {
	if (entry.hosts.startsWith('|')) {
		const [, version, salt, hash] = entry.hosts.split('|');
		return (
			version === '1' &&
			salt !== undefined &&
			createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
		);
	}
	let matched = false;
	for (const pattern of entry.hosts.toLowerCase().split(',')) {
		if (pattern.startsWith('!')) {
			if (matches(pattern.slice(1), name)) {
				return false;
			}
		} else {
			matched ||= matches(pattern, name);
		}
	}
	return matched;
}

/** The type inside a public key in wire format; undefined when it is none. */
export function keyType(key: Buffer): string | undefined {
	if (key.length < 4) {
		return undefined;
	}
	const length = key.readUInt32BE(0);
	return length > 0 && length <= key.length - 4 ? key.toString('ascii', 4, 4 + length) : undefined;
}

/** `*` and `?` as in a shell; brackets are plain characters, for `[host]:port` is a name. */
function matches(pattern: string, name: string): boolean {
	let p = 0;
	let n = 0;
	let star = -1;
	let mark = 0;
	while (n < name.length) {
		if (pattern[p] === '*') {
			star = p++;
			mark = n;
		} else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
			p++;
			n++;
		} else if (star >= 0) {
			p = star + 1;
			n = ++mark;
		} else {
			return false;
		}
	}
	return pattern.slice(p).replaceAll('*', '') === '';
}

const isMarker = (marker: string | undefined): boolean =>
	marker === undefined || marker === '@revoked' || marker === '@cert-authority';

const markerOf = (marker: string | undefined): KnownHost['marker'] =>
	marker === '@revoked' ? 'revoked' : marker === '@cert-authority' ? 'cert-authority' : 'none';
