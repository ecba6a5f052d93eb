import type { ErrorCode } from '../common/errors.js';

/**
 * The life of the connection to one server, as a pure reducer: `idle` (nobody needs it), `connecting`, `connected`,
 * `waiting` (it was lost and is tried again later), `stopped` (only a person can help).
 */
export type LinkState =
	| { readonly kind: 'idle' }
	| { readonly kind: 'connecting'; readonly attempt: number; readonly since: 'first' | 'lost' }
	| { readonly kind: 'connected' }
	| { readonly kind: 'waiting'; readonly attempt: number; readonly delayMs: number; readonly code: ErrorCode | undefined }
	| { readonly kind: 'stopped'; readonly code: ErrorCode | undefined }
	| { readonly kind: 'disposed' };

export type LinkEvent =
	/** Somebody needs the connection now. */
	| { readonly kind: 'wanted' }
	| { readonly kind: 'opened' }
	/** `random` in [0, 1) spreads the attempts of many clients. */
	| { readonly kind: 'failed'; readonly code: ErrorCode | undefined; readonly random: number; readonly needed: 'yes' | 'no' }
	| { readonly kind: 'lost'; readonly random: number; readonly needed: 'yes' | 'no' }
	/** The time of waiting is over. */
	| { readonly kind: 'due' }
	/** Nobody needs the connection any more. */
	| { readonly kind: 'unneeded' }
	| { readonly kind: 'dispose' };

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** Errors that time does not heal: trying again would only ask, or lock the account. */
const FINAL: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode | undefined>([
	'authentication-failed',
	'host-key-unknown',
	'host-key-changed',
	'host-key-revoked',
	'target-invalid',
	'channel-refused',
]);

export const idle: LinkState = { kind: 'idle' };

/** The state after `event`. Events that do not fit the state leave it as it is. */
export function reduceLink(state: LinkState, event: LinkEvent): LinkState {
	if (state.kind === 'disposed' || event.kind === 'dispose') {
		return { kind: 'disposed' };
	}
	switch (event.kind) {
		case 'wanted':
			return wanted(state);
		case 'opened':
			return state.kind === 'connecting' ? { kind: 'connected' } : state;
		case 'failed':
			return state.kind === 'connecting' ? failed(state, event) : state;
		case 'lost':
			if (state.kind !== 'connected') {
				return state;
			}
			return event.needed === 'yes' ? waiting(1, 'connection-lost', event.random) : idle;
		case 'due':
			return state.kind === 'waiting' ? { kind: 'connecting', attempt: state.attempt, since: 'lost' } : state;
		case 'unneeded':
			return state.kind === 'connected' || state.kind === 'waiting' ? idle : state;
	}
}

/** Time before attempt number `attempt` (from 1): doubling from 1 s to 60 s, of which half is random. */
export function backoffMs(attempt: number, random: number): number {
	const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
	return Math.round(full / 2 + (full / 2) * random);
}

function wanted(state: LinkState): LinkState {
	switch (state.kind) {
		case 'idle':
		case 'stopped':
			return { kind: 'connecting', attempt: 1, since: 'first' };
		case 'waiting':
			return { kind: 'connecting', attempt: state.attempt, since: 'lost' };
		case 'connecting':
		case 'connected':
		case 'disposed':
			return state;
	}
}

function failed(state: LinkState & { kind: 'connecting' }, event: LinkEvent & { kind: 'failed' }): LinkState {
	if (FINAL.has(event.code)) {
		return { kind: 'stopped', code: event.code };
	}
	// A server that was never reached is more likely mistyped than rebooting.
	return state.since === 'lost' && event.needed === 'yes' ? waiting(state.attempt + 1, event.code, event.random) : idle;
}

const waiting = (attempt: number, code: ErrorCode | undefined, random: number): LinkState => ({
	kind: 'waiting',
	attempt,
	delayMs: backoffMs(attempt, random),
	code,
});
