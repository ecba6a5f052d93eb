import { describe, expect, it } from 'vitest';

import { STORAGE_KEYS } from '../../../src/common/ids.js';
import { parseTarget } from '../../../src/connection/target.js';
import { serverId } from '../../../src/editor/servers/server.js';
import { ServerStore, type Storage } from '../../../src/editor/servers/serverStore.js';
import { ToldOnce } from '../../../src/editor/status/toldOnce.js';
import { WatchedBatches } from '../../../src/editor/status/watchedBatches.js';

class Memory implements Storage {
	readonly values = new Map<string, unknown>();
	get(key: string): unknown {
		return this.values.get(key);
	}
	update(key: string, value: unknown): Promise<void> {
		this.values.set(key, JSON.parse(JSON.stringify(value)));
		return Promise.resolve();
	}
}

const server = (address: string, name: string): { id: string; name: string; target: string } => ({
	id: serverId(parseTarget(address)),
	name,
	target: address,
});

describe('the list of servers', () => {
	it('is sorted by name and survives a restart', async () => {
		const memory = new Memory();
		const store = new ServerStore(memory);
		await store.put(server('ssh://b.example.org/p', 'Zeta'));
		await store.put(server('ssh://a.example.org/p', 'Alpha'));
		expect(new ServerStore(memory).list().map(({ name }) => name)).toEqual(['Alpha', 'Zeta']);
	});

	it('replaces a server with the same address', async () => {
		const store = new ServerStore(new Memory());
		await store.put(server('ssh://a.example.org/p', 'Old Name'));
		await store.put(server('ssh://a.example.org/p', 'New Name'));
		expect(store.list().map(({ name }) => name)).toEqual(['New Name']);
	});

	it('tells about changes and forgets what is removed', async () => {
		const store = new ServerStore(new Memory());
		let changes = 0;
		store.onDidChange(() => (changes += 1));
		const one = server('ssh://a.example.org/p', 'A');
		await store.put(one);
		await store.remove(one.id);
		expect(store.list()).toEqual([]);
		expect(changes).toBe(2);
	});

	it('tells what another window has changed when it is looked for, once', async () => {
		const memory = new Memory();
		const [ours, theirs] = [new ServerStore(memory), new ServerStore(memory)];
		let changes = 0;
		ours.onDidChange(() => (changes += 1));
		await theirs.put(server('ssh://a.example.org/p', 'A'));
		ours.look();
		ours.look();
		expect(changes).toBe(1);
		theirs.look();
		expect(ours.list()).toEqual(theirs.list());
	});

	it.each([
		['nothing', undefined],
		['a text', 'x'],
		['foreign entries', [{ id: 1 }, null, 'x']],
	])('copes with %s in the storage', (_name, stored) => {
		const memory = new Memory();
		memory.values.set(STORAGE_KEYS.servers, stored);
		expect(new ServerStore(memory).list()).toEqual([]);
	});

	it('never holds a password: an address with one is refused', () => {
		expect(() => parseTarget('ssh://me:secret@example.org/p')).toThrow(/password/);
	});
});

describe('watched batches', () => {
	it('are remembered until they are removed', async () => {
		const memory = new Memory();
		const watched = new WatchedBatches(memory, new ToldOnce(''));
		await watched.add('s1', 7);
		await watched.add('s1', 7);
		await watched.add('s2', 8);
		expect(new WatchedBatches(memory, new ToldOnce('')).of('s1')).toEqual([7]);
		await watched.remove('s1', 7);
		expect(watched.of('s1')).toEqual([]);
		expect(watched.of('s2')).toEqual([8]);
	});
});
