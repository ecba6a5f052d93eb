import type { Disposable } from '../../common/disposable.js';
import { Emitter, type Event } from '../../common/event.js';
import { STORAGE_KEYS } from '../../common/ids.js';
import type { Batch, JobState } from '../../monitor/types.js';
import type { Storage } from '../servers/serverStore.js';

export const GROUPINGS = ['state', 'host', 'exitCode', 'parameter', 'none'] as const;
export type Grouping = (typeof GROUPINGS)[number];
export const ORDERS = ['newest', 'oldest', 'name', 'failures', 'progress'] as const;
export type Order = (typeof ORDERS)[number];
export const SHOWN = ['all', 'unfinished', 'failures'] as const;
export type Shown = (typeof SHOWN)[number];

/** How the tree is put together. */
export interface TreeOptions {
	readonly group: Grouping;
	/** Which parameter jobs are put together by; empty for the one with fewest values. */
	readonly parameter: string;
	readonly order: Order;
	readonly shown: Shown;
	/** Text in the name of a batch; empty for all. */
	readonly text: string;
}

const DEFAULTS: TreeOptions = { group: 'state', parameter: '', order: 'newest', shown: 'all', text: '' };

/** The order, grouping and filter of the tree, remembered for the workspace. */
export class ViewOptions implements Disposable {
	readonly #storage: Storage;
	readonly #changed = new Emitter<void>();

	constructor(storage: Storage) {
		this.#storage = storage;
	}

	readonly onDidChange: Event<void> = this.#changed.event;

	/** What cannot be understood is as if it had never been chosen. */
	get now(): TreeOptions {
		const stored = this.#storage.get(STORAGE_KEYS.treeOptions);
		const given: Record<string, unknown> = typeof stored === 'object' && stored !== null ? { ...stored } : {};
		return {
			group: GROUPINGS.find((one) => one === given.group) ?? DEFAULTS.group,
			parameter: typeof given.parameter === 'string' ? given.parameter : DEFAULTS.parameter,
			order: ORDERS.find((one) => one === given.order) ?? DEFAULTS.order,
			shown: SHOWN.find((one) => one === given.shown) ?? DEFAULTS.shown,
			text: typeof given.text === 'string' ? given.text : DEFAULTS.text,
		};
	}

	async set(change: Partial<TreeOptions>): Promise<void> {
		await this.#storage.update(STORAGE_KEYS.treeOptions, { ...this.now, ...change });
		this.#changed.fire();
	}

	dispose(): void {
		this.#changed.dispose();
	}
}

const share = ({ counts, total }: Batch): number => (total === 0 ? 0 : counts.done / total);

const COMPARE: Readonly<Record<Order, (a: Batch, b: Batch) => number>> = {
	newest: (a, b) => b.id - a.id,
	oldest: (a, b) => a.id - b.id,
	name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) || b.id - a.id,
	failures: (a, b) => b.counts.failed - a.counts.failed || b.id - a.id,
	progress: (a, b) => share(b) - share(a) || b.id - a.id,
};

const OVER: readonly JobState[] = ['done', 'failed', 'cancelled'];

const ADMITS: Readonly<Record<Shown, (batch: Batch) => boolean>> = {
	all: () => true,
	unfinished: ({ counts, total }) => OVER.reduce((sum, state) => sum + counts[state], 0) < total,
	failures: ({ counts }) => counts.failed > 0,
};

/** The batches that the filter admits, in the chosen order. A batch that is not counted yet is not filtered by its counts. */
export function arrange(batches: readonly Batch[], { order, shown, text }: TreeOptions): readonly Batch[] {
	const wanted = text.toLocaleLowerCase();
	return batches
		.filter((batch) => batch.uncounted === true || ADMITS[shown](batch))
		.filter(({ name, id }) => wanted === '' || name.toLocaleLowerCase().includes(wanted) || String(id) === wanted)
		.sort(COMPARE[order]);
}
