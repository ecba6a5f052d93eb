import { expect, it } from 'vitest';

import { arrange, ViewOptions } from '../../../src/editor/tree/viewOptions.js';
import { emptyCounts } from '../../../src/monitor/jobState.js';
import type { Batch, JobCounts } from '../../../src/monitor/types.js';

const DEFAULTS = { group: 'state', parameter: '', order: 'newest', shown: 'all', text: '' } as const;

const batch = (id: number, name: string, counts: Partial<JobCounts>, change: Partial<Batch> = {}): Batch => ({
	id,
	name,
	appId: 1,
	state: 'running',
	createTime: 0,
	total: 10,
	counts: { ...emptyCounts(), ...counts },
	...change,
});

const BATCHES = [
	batch(1, 'run 10', { done: 10 }),
	batch(2, 'run 9', { done: 5, failed: 5 }),
	batch(3, 'Other', { running: 10 }),
	batch(4, 'new', {}, { uncounted: true }),
];

it.each([
	[{}, [4, 3, 2, 1]],
	[{ order: 'oldest' }, [1, 2, 3, 4]],
	[{ order: 'name' }, [4, 3, 2, 1]], // numbers in names count as numbers
	[{ order: 'failures' }, [2, 4, 3, 1]],
	[{ order: 'progress' }, [1, 2, 4, 3]],
	[{ shown: 'unfinished' }, [4, 3]],
	[{ shown: 'failures' }, [4, 2]],
	[{ text: 'RUN' }, [2, 1]],
	[{ text: '3' }, [3]],
] as const)('arranges batches by %j', (options, ids) => {
	expect(arrange(BATCHES, { ...DEFAULTS, ...options }).map(({ id }) => id)).toEqual(ids);
});

it('remembers what was chosen, tells of it, and takes nothing that it does not know', async () => {
	const memory = new Map<string, unknown>();
	const storage = {
		get: (key: string) => memory.get(key),
		update: (key: string, value: unknown) => Promise.resolve(void memory.set(key, value)),
	};
	const options = new ViewOptions(storage);
	let told = 0;
	options.onDidChange(() => (told += 1));
	expect(options.now).toEqual(DEFAULTS);
	await options.set({ group: 'host' });
	await options.set({ text: 'pi' });
	expect(new ViewOptions(storage).now).toEqual({ ...DEFAULTS, group: 'host', text: 'pi' });
	expect(told).toBe(2);
	const [key] = memory.keys();
	for (const nonsense of [undefined, 7, 'x', null, { group: 'colour', order: 3, shown: [], text: {} }]) {
		memory.set(key ?? '', nonsense);
		expect(options.now).toEqual(DEFAULTS);
	}
});
