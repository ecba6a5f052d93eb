import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { backoffMs, idle, type LinkEvent, type LinkState, reduceLink } from '../../../src/connection/reconnect.js';

const run = (...events: LinkEvent[]): LinkState => events.reduce(reduceLink, idle);
const wanted: LinkEvent = { kind: 'wanted' };
const opened: LinkEvent = { kind: 'opened' };
const due: LinkEvent = { kind: 'due' };
const lost = (needed: 'yes' | 'no' = 'yes'): LinkEvent => ({ kind: 'lost', random: 0.5, needed });
const failed = (code: Extract<LinkEvent, { kind: 'failed' }>['code'], needed: 'yes' | 'no' = 'yes'): LinkEvent => ({
	kind: 'failed',
	code,
	random: 0.5,
	needed,
});

describe('reduceLink', () => {
	it('connects when wanted, once', () => {
		expect(run(wanted)).toEqual({ kind: 'connecting', attempt: 1, since: 'first' });
		expect(run(wanted, wanted)).toEqual(run(wanted));
		expect(run(wanted, opened)).toEqual({ kind: 'connected' });
	});

	it('does not try again by itself when the server was never reached', () => {
		expect(run(wanted, failed('server-unreachable'))).toEqual(idle);
	});

	it('waits and tries again after a loss, longer each time', () => {
		expect(run(wanted, opened, lost())).toMatchObject({ kind: 'waiting', attempt: 1, delayMs: 750 });
		expect(run(wanted, opened, lost(), due)).toMatchObject({ kind: 'connecting', attempt: 1, since: 'lost' });
		expect(run(wanted, opened, lost(), due, failed('server-unreachable'))).toMatchObject({
			kind: 'waiting',
			attempt: 2,
			delayMs: 1500,
		});
		expect(run(wanted, opened, lost(), due, failed('timeout'), due, opened, lost())).toMatchObject({
			kind: 'waiting',
			attempt: 1,
		});
	});

	it('rests after a loss when nobody needs the connection', () => {
		expect(run(wanted, opened, lost('no'))).toEqual(idle);
		expect(run(wanted, opened, lost(), { kind: 'unneeded' })).toEqual(idle);
		expect(run(wanted, opened, lost(), due, failed('timeout', 'no'))).toEqual(idle);
	});

	it.each(['authentication-failed', 'host-key-changed', 'host-key-revoked', 'host-key-unknown'] as const)(
		'stops at once on %s',
		(code) => {
			expect(run(wanted, failed(code))).toEqual({ kind: 'stopped', code });
			const stopped = run(wanted, opened, lost(), due, failed(code));
			expect(stopped).toEqual({ kind: 'stopped', code });
			expect(reduceLink(stopped, due)).toBe(stopped);
			expect(reduceLink(stopped, wanted)).toMatchObject({ kind: 'connecting' });
		},
	);

	it('does not wait when the connection is wanted now', () => {
		expect(run(wanted, opened, lost(), wanted)).toMatchObject({ kind: 'connecting', since: 'lost' });
	});

	it('closes when idle, and stays disposed', () => {
		expect(run(wanted, opened, { kind: 'unneeded' })).toEqual(idle);
		expect(run(wanted, { kind: 'dispose' }, opened, wanted, lost())).toEqual({ kind: 'disposed' });
	});

	it('stays as it is on events that do not fit', () => {
		for (const event of [opened, lost(), due, failed('timeout'), { kind: 'unneeded' } as const]) {
			expect(reduceLink(idle, event)).toBe(idle);
		}
	});
});

describe('backoffMs', () => {
	it('stays between half and all of a doubling time of at most a minute', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
				const full = Math.min(60_000, 1000 * 2 ** (attempt - 1));
				const delay = backoffMs(attempt, random);
				expect(delay).toBeGreaterThanOrEqual(Math.floor(full / 2));
				expect(delay).toBeLessThanOrEqual(full);
			}),
		);
	});
});
