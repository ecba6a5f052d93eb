import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BoincError, type ErrorCode } from '../../../src/common/errors.js';
import { type Clock, silentLog } from '../../../src/common/ports.js';
import type { ConnectPorts } from '../../../src/connection/connect.js';
import type { Connection } from '../../../src/connection/connection.js';
import { memorySecrets } from '../../../src/connection/memorySecrets.js';
import { type LinkChange, ServerConnections } from '../../../src/connection/serverConnections.js';
import type { Target } from '../../../src/connection/target.js';

const TARGET: Target = { kind: 'ssh', user: 'u', host: 'h', port: undefined, path: '/a' };

/** A clock whose sleepers wake when the test says so. */
class TestClock implements Clock {
	readonly sleeping: { ms: number; wake: () => void }[] = [];
	now(): number {
		return 0;
	}
	sleep(ms: number, signal?: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const sleeper = { ms, wake: resolve };
			this.sleeping.push(sleeper);
			signal?.addEventListener('abort', () => {
				this.sleeping.splice(this.sleeping.indexOf(sleeper), 1);
				reject(new Error('aborted'));
			});
		});
	}
	async wake(): Promise<number> {
		const sleeper = this.sleeping.shift();
		sleeper?.wake();
		await settle();
		return sleeper?.ms ?? -1;
	}
}

interface Opened extends Connection {
	lose(): void;
	closed: boolean;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: TestClock;
let connections: ServerConnections;
let opened: Opened[];
let failures: (ErrorCode | undefined)[];
let states: string[];

function fake(): Opened {
	let end: () => void = () => undefined;
	const ended = new Promise<void>((resolve) => (end = resolve));
	const number = String(opened.length);
	const made: Opened = {
		name: 'h',
		ended,
		closed: false,
		exec: () => Promise.resolve({ code: 0, stdout: Buffer.from(number), stderr: Buffer.alloc(0) }),
		dial: () => Promise.reject(new Error('not here')),
		upload: () => Promise.resolve({ bytesSent: 0, resumedAt: 0 }),
		download: () => Promise.resolve({ bytesSent: 0, resumedAt: 0 }),
		close: () => {
			made.closed = true;
			end();
			return Promise.resolve();
		},
		lose: () => end(),
	};
	opened.push(made);
	return made;
}

beforeEach(() => {
	clock = new TestClock();
	opened = [];
	failures = [];
	states = [];
	const ports: ConnectPorts = {
		clock,
		log: silentLog,
		secrets: memorySecrets(),
		prompts: {
			secret: () => Promise.resolve(undefined),
			text: () => Promise.resolve(undefined),
			confirm: () => Promise.resolve(false),
		},
		trustFile: '/nowhere',
	};
	connections = new ServerConnections(ports, {
		idleMs: 5000,
		random: () => 0,
		open: () => {
			const code = failures.shift();
			return code ? Promise.reject(new BoincError(code, 'no')) : Promise.resolve(fake());
		},
	});
	connections.onDidChange((change: LinkChange) => states.push(change.state.kind));
});
afterEach(() => connections.dispose());

const whichOne = async (connection: Connection): Promise<string> => (await connection.exec(['true'])).stdout.toString();

describe('ServerConnections', () => {
	it('opens one connection for all who ask at once, whatever their path', async () => {
		const leases = await Promise.all([
			connections.acquire(TARGET),
			connections.acquire({ ...TARGET, path: '/b' }),
			connections.acquire(TARGET),
		]);
		expect(opened).toHaveLength(1);
		expect(await whichOne(leases[1].connection)).toBe('0');
		await connections.acquire({ ...TARGET, user: 'other' });
		expect(opened).toHaveLength(2);
	});

	it('closes when nobody needs it for a while, and opens again on need', async () => {
		const [one, two] = [await connections.acquire(TARGET), await connections.acquire(TARGET)];
		one.release();
		one.release();
		expect(clock.sleeping).toEqual([]);
		two.release();
		expect(await clock.wake()).toBe(5000);
		expect(opened[0]!.closed).toBe(true);
		expect(await whichOne((await connections.acquire(TARGET)).connection)).toBe('1');
	});

	it('stays open when somebody comes back in time', async () => {
		(await connections.acquire(TARGET)).release();
		await connections.acquire(TARGET);
		expect(clock.sleeping).toEqual([]);
		expect(opened).toHaveLength(1);
	});

	it('opens again after a loss, and the same lease goes on', async () => {
		const { connection } = await connections.acquire(TARGET);
		opened[0]!.lose();
		await settle();
		await expect(connection.exec(['true'])).rejects.toMatchObject({ code: 'connection-lost' });
		failures = ['server-unreachable'];
		expect(await clock.wake()).toBe(500);
		expect(await clock.wake()).toBe(1000);
		expect(await whichOne(connection)).toBe('1');
		expect(states).toEqual(['connecting', 'connected', 'waiting', 'connecting', 'waiting', 'connecting', 'connected']);
	});

	it('does not reopen what nobody needs', async () => {
		(await connections.acquire(TARGET)).release();
		opened[0]!.lose();
		await settle();
		expect(states.at(-1)).toBe('idle');
		expect(clock.sleeping).toEqual([]);
	});

	it('stops at once when the login is refused; an operation does not try again, asking for a lease does', async () => {
		const { connection } = await connections.acquire(TARGET);
		opened[0]!.lose();
		await settle();
		failures = ['authentication-failed'];
		await clock.wake();
		expect(states.at(-1)).toBe('stopped');
		expect(clock.sleeping).toEqual([]);
		await expect(connection.exec(['true'])).rejects.toMatchObject({ code: 'authentication-failed' });
		await connections.acquire(TARGET);
		expect(await whichOne(connection)).toBe('1');
	});

	it('tells all who ask why the first contact failed, and tries again when asked again', async () => {
		failures = ['server-unreachable'];
		const both = await Promise.allSettled([connections.acquire(TARGET), connections.acquire(TARGET)]);
		expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
		expect(clock.sleeping).toEqual([]);
		await connections.acquire(TARGET);
		expect(opened).toHaveLength(1);
	});

	it('does not wait for its time when somebody asks for a lease', async () => {
		await connections.acquire(TARGET);
		opened[0]!.lose();
		await settle();
		const { connection } = await connections.acquire(TARGET);
		expect(await whichOne(connection)).toBe('1');
		expect(clock.sleeping).toEqual([]);
	});

	it('closes everything on dispose, what is being opened too', async () => {
		const { connection } = await connections.acquire(TARGET);
		const late = connections.acquire({ ...TARGET, host: 'late' });
		connections.dispose();
		await expect(late).rejects.toMatchObject({ code: 'connection-lost' });
		await settle();
		expect(opened.every(({ closed }) => closed)).toBe(true);
		await expect(connection.exec(['true'])).rejects.toMatchObject({ code: 'connection-lost' });
		await expect(connections.acquire(TARGET)).rejects.toMatchObject({ code: 'connection-lost' });
	});
});
