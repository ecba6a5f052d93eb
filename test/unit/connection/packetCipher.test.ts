import { createDecipheriv, randomBytes } from 'node:crypto';

import type { Client } from 'ssh2';
import { expect, it } from 'vitest';

import { lightenCipher } from '../../../src/connection/ssh/packetCipher.js';

interface Cipher {
	allocPacket(payload: number): Buffer;
	encrypt(packet: Buffer): void;
	outSeqno: number;
}

const unused = (): never => {
	throw new Error('not to be called');
};

function gcm(sent: Buffer[]): Cipher & { readonly key: Buffer; readonly firstIv: Buffer } {
	const key = randomBytes(16);
	// The counter is about to overflow into its higher bytes.
	const iv = Buffer.from('000102030000000000fffffe', 'hex');
	return {
		...{ key, firstIv: Buffer.from(iv), outSeqno: 2 ** 32 - 1, allocPacket: unused, encrypt: unused },
		...{ _encSSLName: 'aes-128-gcm', _encKey: key, _encIV: iv, _dead: false },
		...{ _onWrite: (data: Uint8Array) => void sent.push(Buffer.from(data)) },
	};
}

it('sends packets as RFC 5647 wants them, also with keys that are agreed on later', () => {
	const sent: Buffer[] = [];
	const protocol = { _cipher: {} as unknown as Cipher };
	lightenCipher({ _protocol: protocol } as unknown as Client);
	const cipher = gcm(sent);
	protocol._cipher = cipher;
	expect(protocol._cipher).toBe(cipher);
	const sizes = [1, 10, 11, 12, 27, 5000, 32_777, 70_000, 4];
	const payloads = sizes.map((size) => randomBytes(size));
	for (const payload of payloads) {
		const packet = protocol._cipher.allocPacket(payload.length);
		packet.set(payload, 5);
		protocol._cipher.encrypt(packet);
	}
	const stream = Buffer.concat(sent);
	const iv = cipher.firstIv;
	let position = 0;
	for (const payload of payloads) {
		const size = stream.readUInt32BE(position);
		const decipher = createDecipheriv('aes-128-gcm', cipher.key, iv);
		decipher.setAAD(stream.subarray(position, position + 4));
		decipher.setAuthTag(stream.subarray(position + 4 + size, position + 20 + size));
		const plain = Buffer.concat([decipher.update(stream.subarray(position + 4, position + 4 + size)), decipher.final()]);
		expect(size % 16).toBe(0);
		expect(plain[0]).toBeGreaterThanOrEqual(4);
		expect(plain.subarray(1, size - (plain[0] ?? 0)).equals(payload)).toBe(true);
		position += 20 + size;
		iv.writeBigUInt64BE(iv.readBigUInt64BE(4) + 1n, 4);
	}
	expect(position).toBe(stream.length);
	expect(cipher.outSeqno).toBe(sizes.length - 1);
});

it('leaves other ciphers and an unknown inside of the library alone', () => {
	const other = { allocPacket: unused, encrypt: unused };
	const protocol = { _cipher: other };
	lightenCipher({ _protocol: protocol } as unknown as Client);
	expect(protocol._cipher).toEqual({ allocPacket: unused, encrypt: unused });
	lightenCipher({} as unknown as Client);
});
