import type { ClientChannel } from 'ssh2';

/** What the library allows by itself, and what OpenSSH's client does. */
const LEAST = 2 * 1024 * 1024;
/** Enough for 100 MB/s at 80 ms. */
const MOST = 8 * 1024 * 1024;
const BYTES_PER_MS = 100_000;
/** How many bytes are taken before the server is allowed more: windows are per channel, and most channels are small. */
const STEP = 256 * 1024;

interface Internals {
	readonly incoming: { window: number };
	readonly outgoing: { readonly id: number; readonly state: string };
	readonly _client: { readonly _protocol: { channelWindowAdjust(id: number, amount: number): void } };
}

const taken = new WeakMap<ClientChannel, number>();

/**
 * What a server may send ahead of us on a line with this round trip. More than needed is no help: where the line is slower than the
 * program, OpenSSH's server keeps all of it, in a buffer that it copies whenever it grows. 8 MiB cost two seconds of its processor's time.
 */
export const windowFor = (roundTripMs: number): number => Math.min(MOST, Math.max(LEAST, roundTripMs * BYTES_PER_MS));

/**
 * Tells the server that it may send further ahead. The library keeps a fixed window of 2 MiB and renews it when half of
 * it is used, which leaves a long line idle half of the time. It has no public way to do so: when its inside looks
 * different from what is known, its own window stays.
 */
export function widenWindow(channel: ClientChannel, bytes: number, window: number): void {
	const total = (taken.get(channel) ?? 0) + bytes;
	if (total < STEP) {
		taken.set(channel, total);
		return;
	}
	taken.set(channel, 0);
	const inside: unknown = channel;
	if (isKnown(inside) && inside.outgoing.state !== 'closed' && inside.outgoing.state !== 'closing') {
		const amount = window - inside.incoming.window;
		if (amount >= STEP) {
			inside.incoming.window += amount;
			inside._client._protocol.channelWindowAdjust(inside.outgoing.id, amount);
		}
	}
}

function isKnown(value: unknown): value is Internals {
	return (
		has(value, 'incoming') &&
		has(value.incoming, 'window') &&
		typeof value.incoming.window === 'number' &&
		has(value, 'outgoing') &&
		has(value.outgoing, 'id') &&
		typeof value.outgoing.id === 'number' &&
		has(value.outgoing, 'state') &&
		has(value, '_client') &&
		has(value._client, '_protocol') &&
		has(value._client._protocol, 'channelWindowAdjust') &&
		typeof value._client._protocol.channelWindowAdjust === 'function'
	);
}

function has<K extends string>(value: unknown, key: K): value is Record<K, unknown> {
	return typeof value === 'object' && value !== null && key in value;
}
