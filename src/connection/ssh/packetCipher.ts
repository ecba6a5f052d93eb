import { createCipheriv, randomFillSync } from 'node:crypto';

import type { Client } from 'ssh2';

/** What the library's cipher for AES-GCM holds. */
interface GcmCipher {
	readonly _encSSLName: 'aes-128-gcm' | 'aes-256-gcm';
	readonly _encKey: Buffer;
	readonly _encIV: Buffer;
	readonly _onWrite: (data: Uint8Array) => void;
	readonly _dead: boolean;
	outSeqno: number;
	allocPacket: (payload: number) => Buffer;
	encrypt: (packet: Buffer) => void;
}

const BLOCK = 16;
/** Packets with less than this are rare and small: they get memory of their own. */
const LARGE = 4096;
const LARGEST = 64 * 1024;

/**
 * Makes sending cheaper: the library allocates each packet, fetches random bytes for it, and encrypts into yet another
 * allocation, which takes more time than the encryption. Here large packets, which are encrypted in the same call that
 * makes them, share one buffer, and random bytes are fetched for a thousand packets at once. Other ciphers than
 * AES-GCM, and an inside of the library that looks different from what is known, stay as they are.
 * Call it after `connect`; it holds for all keys that the two sides agree on later.
 */
export function lightenCipher(client: Client): void {
	const protocol: unknown = Reflect.get(client, '_protocol');
	if (typeof protocol !== 'object' || protocol === null || !('_cipher' in protocol)) {
		return;
	}
	let cipher = lightened(protocol._cipher);
	Object.defineProperty(protocol, '_cipher', {
		configurable: true,
		enumerable: true,
		get: () => cipher,
		set: (value: unknown) => {
			cipher = lightened(value);
		},
	});
}

function lightened(cipher: unknown): unknown {
	if (isGcm(cipher)) {
		cipher.allocPacket = allocPacket;
		cipher.encrypt = encrypt;
	}
	return cipher;
}

let shared: Buffer | undefined;
const padding = Buffer.alloc(16 * 1024);
let paddingUsed = padding.length;

/** RFC 4253 §6: length, length of padding, payload, padding. */
function allocPacket(payload: number): Buffer {
	const unpadded = 1 + payload;
	let pad = BLOCK - (unpadded % BLOCK);
	if (pad < 4) {
		pad += BLOCK;
	}
	const size = 4 + unpadded + pad;
	const packet =
		size < LARGE || size > LARGEST ? Buffer.allocUnsafe(size) : (shared ??= Buffer.allocUnsafeSlow(LARGEST)).subarray(0, size);
	packet.writeUInt32BE(size - 4, 0);
	packet[4] = pad;
	if (paddingUsed + pad > padding.length) {
		randomFillSync(padding);
		paddingUsed = 0;
	}
	packet.set(padding.subarray(paddingUsed, paddingUsed + pad), 4 + unpadded);
	paddingUsed += pad;
	return packet;
}

/** RFC 5647 §7.3: the length stays readable and is authenticated, the rest is encrypted, the tag follows. */
function encrypt(this: GcmCipher, packet: Buffer): void {
	if (this._dead) {
		return;
	}
	const cipher = createCipheriv(this._encSSLName, this._encKey, this._encIV);
	const length = Buffer.from(packet.subarray(0, 4));
	cipher.setAAD(length);
	this._onWrite(length);
	this._onWrite(cipher.update(packet.subarray(4)));
	// Nothing is left to be encrypted in this mode; it makes the tag.
	cipher.final();
	this._onWrite(cipher.getAuthTag());
	countUp(this._encIV);
	this.outSeqno = (this.outSeqno + 1) >>> 0;
}

/** RFC 5647 §7.1: the last eight bytes count the packets. */
function countUp(iv: Buffer): void {
	for (let n = 11; n >= 4; n--) {
		iv[n] = ((iv[n] ?? 0) + 1) & 0xff;
		if (iv[n] !== 0) {
			return;
		}
	}
}

/** The one without native code. */
function isGcm(value: unknown): value is GcmCipher {
	if (typeof value !== 'object' || value === null) {
		return false;
	}
	const get = (key: string): unknown => Reflect.get(value, key);
	const iv = get('_encIV');
	return (
		['aes-128-gcm', 'aes-256-gcm'].includes(String(get('_encSSLName'))) &&
		get('_encKey') instanceof Uint8Array &&
		iv instanceof Uint8Array &&
		iv.length === 12 &&
		typeof get('_onWrite') === 'function' &&
		typeof get('_dead') === 'boolean' &&
		typeof get('outSeqno') === 'number' &&
		typeof get('allocPacket') === 'function' &&
		typeof get('encrypt') === 'function'
	);
}
