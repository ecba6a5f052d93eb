import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

import type { Client } from 'ssh2';
import { afterEach, expect, it } from 'vitest';

import { copiesInput } from '../../../src/connection/ssh/copiesInput.js';
import { connectWithLargeReads } from '../../../src/connection/ssh/largeReads.js';
import { windowFor } from '../../../src/connection/ssh/window.js';

const MB = 2 ** 20;
let server: Server | undefined;
afterEach(() => server?.close());

/** Bytes that say where they are. */
const sample = (size: number): Buffer => Buffer.from(Uint32Array.from({ length: size / 4 }, (_, n) => n * 2_654_435_761).buffer);

async function receive(
	bytes: Buffer,
	isCopied: boolean | undefined,
): Promise<{ pieces: Buffer[]; copy: Buffer; memory: number }> {
	server = createServer((socket) => socket.end(bytes)).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { socket, reuse } = connectWithLargeReads('127.0.0.1', (server.address() as AddressInfo).port);
	if (isCopied !== undefined) {
		reuse(() => isCopied);
	}
	const pieces: Buffer[] = [];
	const copies: Buffer[] = [];
	socket.on('data', (piece) => {
		pieces.push(piece);
		copies.push(Buffer.from(piece));
	});
	socket.resume();
	await once(socket, 'close');
	return { pieces, copy: Buffer.concat(copies), memory: new Set(pieces.map(({ buffer }) => buffer)).size };
}

it.each([undefined, false])('what arrived is not overwritten while somebody may keep it', async (isCopied) => {
	const bytes = sample(8 * MB);
	const { pieces } = await receive(bytes, isCopied);
	expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
});

it('what is copied at once arrives in the same memory again and again', async () => {
	const bytes = sample(8 * MB);
	const { copy, memory } = await receive(bytes, true);
	expect(copy.equals(bytes)).toBe(true);
	expect(memory).toBe(1);
});

it('knows by the decipher whether what arrives is copied', () => {
	const client = (protocol: unknown): Client => ({ _protocol: protocol }) as unknown as Client;
	expect(copiesInput(client({ _decipher: { _decipherInstance: null } }))).toBe(true);
	// The library's native decipher, none yet, and what nobody knows.
	expect(copiesInput(client({ _decipher: { _instance: {} } }))).toBe(false);
	expect(copiesInput(client({ _decipher: undefined }))).toBe(false);
	expect(copiesInput({} as Client)).toBe(false);
});

it('lets a server send as far ahead as its line is long', () => {
	expect([0, 5, 40, 80, 1000].map((ms) => windowFor(ms) / MB)).toEqual([2, 2, 4_000_000 / MB, 8_000_000 / MB, 8]);
});
