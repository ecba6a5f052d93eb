import type { TableRow, ToPage } from '../../protocol/batchPage.js';
import type { Words } from '../../protocol/words.js';
import { h } from '../kit/dom.js';
import { shape } from '../kit/shapes.js';

const ROW = 26;
/** Rows that are asked for at a time, and kept around what is seen. */
const CHUNK = 100;
const KEPT_CHUNKS = 20;
/** Browsers cannot draw boxes much higher than this; more rows share it. */
const MOST_PIXELS = 8_000_000;

export interface TablePorts {
	readonly words: () => Words;
	/** Asks for the rows from `from` up to but not `to`. */
	readonly ask: (version: number, from: number, to: number) => void;
	/** The row was activated by Enter or a double click. */
	readonly open: (row: TableRow) => void;
	readonly explain: (row: TableRow) => void;
}

type TableMessage = Extract<ToPage, { readonly type: 'table' }>;

/** A grid of any number of rows, of which only those on the screen exist. Arrow keys move, Enter opens, F1 explains. */
export class JobTable {
	readonly element: HTMLElement;
	readonly #ports: TablePorts;
	readonly #scroller: HTMLElement;
	readonly #space: HTMLElement;
	readonly #head: HTMLElement;
	readonly #chunks = new Map<number, readonly TableRow[]>();
	readonly #asked = new Set<number>();
	#table: TableMessage | undefined;
	#active = 0;

	constructor(ports: TablePorts) {
		this.#ports = ports;
		this.#head = h('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 });
		this.#space = h('div', { class: 'space', role: 'rowgroup' });
		this.#scroller = h(
			'div',
			{ class: 'rows', role: 'presentation' },
			h('div', { role: 'rowgroup', class: 'heads' }, this.#head),
			this.#space,
		);
		this.element = h('div', { class: 'table', role: 'grid', tabindex: 0, 'aria-readonly': 'true' }, this.#scroller);
		this.#scroller.addEventListener('scroll', () => this.#draw());
		new ResizeObserver(() => this.#draw()).observe(this.#scroller);
		this.element.addEventListener('keydown', (event) => this.#key(event));
	}

	/** A new number of rows or other columns; rows that are shown stay until the new ones come. */
	setTable(table: TableMessage): void {
		const moved = JSON.stringify(this.#table?.view) !== JSON.stringify(table.view);
		this.#table = table;
		this.#asked.clear();
		if (moved) {
			this.#chunks.clear();
			this.#active = 0;
			this.#scroller.scrollTop = 0;
		}
		const { words } = this.#ports;
		this.#active = Math.min(this.#active, Math.max(0, table.total - 1));
		this.element.setAttribute('aria-label', words().jobs);
		this.element.setAttribute('aria-rowcount', String(table.total + 1));
		this.element.setAttribute('aria-colcount', String(table.columns.length + 2));
		const titles = [words().job, words().state, ...table.columns.map(({ title }) => title)];
		this.#head.replaceChildren(
			...titles.map((title, i) => h('span', { role: 'columnheader', class: this.#kind(i - 2), title }, title)),
		);
		const widths = [
			'minmax(118px, 1.3fr)',
			'minmax(112px, 1fr)',
			...table.columns.map(({ kind }) => (kind === 'number' ? 'minmax(78px, 0.7fr)' : 'minmax(80px, 1fr)')),
		];
		this.element.style.setProperty('--columns', widths.join(' '));
		this.element.style.setProperty('--least', `${String(266 + table.columns.length * 92)}px`);
		this.#space.style.height = `${String(Math.min(MOST_PIXELS, Math.max(1, table.total) * ROW))}px`;
		this.#draw();
	}

	setRows(message: Extract<ToPage, { readonly type: 'rows' }>): void {
		if (message.version !== this.#table?.version) {
			return;
		}
		const chunk = Math.floor(message.from / CHUNK);
		this.#chunks.delete(chunk);
		this.#chunks.set(chunk, message.rows);
		for (const old of [...this.#chunks.keys()].slice(0, -KEPT_CHUNKS)) {
			this.#chunks.delete(old);
			this.#asked.delete(old);
		}
		this.#draw();
	}

	#kind(column: number): string {
		return this.#table?.columns[column]?.kind ?? 'text';
	}

	#row(index: number): TableRow | undefined {
		return this.#chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK];
	}

	/** Where a row stands: higher tables than a browser can draw are compressed. */
	#scale(): number {
		return Math.max(1, ((this.#table?.total ?? 0) * ROW) / MOST_PIXELS);
	}

	#draw(): void {
		const table = this.#table;
		if (!table) {
			return;
		}
		const { scrollTop, clientHeight } = this.#scroller;
		const top = scrollTop * this.#scale();
		const first = Math.max(0, Math.floor(top / ROW) - 4);
		const last = Math.min(table.total, Math.ceil((top + clientHeight) / ROW) + 4);
		for (let chunk = Math.floor(first / CHUNK); chunk * CHUNK < last; chunk++) {
			if (!this.#asked.has(chunk)) {
				this.#asked.add(chunk);
				this.#ports.ask(table.version, chunk * CHUNK, Math.min(table.total, (chunk + 1) * CHUNK));
			}
		}
		const rows = Array.from({ length: Math.max(0, last - first) }, (_, i) =>
			this.#drawRow(first + i, (first + i) * ROW - top + scrollTop),
		);
		this.#space.replaceChildren(
			...(table.total === 0
				? [h('p', { class: 'empty', role: 'row' }, h('span', { role: 'gridcell' }, this.#ports.words().noJobs))]
				: rows),
		);
		this.element.setAttribute('aria-activedescendant', table.total === 0 ? '' : `row-${String(this.#active)}`);
	}

	#drawRow(index: number, top: number): HTMLElement {
		const row = this.#row(index);
		const cells = row
			? [
					h('span', { role: 'gridcell', class: 'text', title: row.name }, row.name),
					h('span', { role: 'gridcell', class: 'text' }, shape(row.tone), row.state),
					...row.cells.map((cell, i) => h('span', { role: 'gridcell', class: this.#kind(i), title: cell }, cell)),
				]
			: [h('span', { role: 'gridcell', class: 'text pending' }, this.#ports.words().loading)];
		const element = h(
			'div',
			{
				id: `row-${String(index)}`,
				role: 'row',
				class: `row${index === this.#active ? ' active' : ''}`,
				'aria-rowindex': index + 2,
				'aria-selected': index === this.#active ? 'true' : 'false',
			},
			...cells,
		);
		element.style.top = `${String(top)}px`;
		element.addEventListener('click', () => this.#select(index));
		element.addEventListener('dblclick', () => row && this.#ports.open(row));
		return element;
	}

	/** The row that the keyboard is on. */
	get active(): TableRow | undefined {
		return this.#row(this.#active);
	}

	#select(index: number): void {
		const total = this.#table?.total ?? 0;
		this.#active = Math.max(0, Math.min(total - 1, index));
		const top = (this.#active * ROW) / this.#scale();
		const { scrollTop, clientHeight } = this.#scroller;
		if (top < scrollTop) {
			this.#scroller.scrollTop = top;
		} else if (top + 2 * ROW > scrollTop + clientHeight) {
			this.#scroller.scrollTop = top + 2 * ROW - clientHeight;
		}
		this.#draw();
		this.element.dispatchEvent(new CustomEvent('select'));
	}

	#key(event: KeyboardEvent): void {
		const page = Math.max(1, Math.floor(this.#scroller.clientHeight / ROW) - 2);
		const steps: Readonly<Record<string, number>> = {
			ArrowDown: 1,
			ArrowUp: -1,
			PageDown: page,
			PageUp: -page,
			Home: -Infinity,
			End: Infinity,
		};
		const step = steps[event.key];
		const row = this.active;
		if (step !== undefined) {
			this.#select(Math.max(0, Math.min((this.#table?.total ?? 1) - 1, this.#active + step)));
		} else if (event.key === 'Enter' && row) {
			this.#ports.open(row);
		} else if (event.key === '?' && row) {
			this.#ports.explain(row);
		} else {
			return;
		}
		event.preventDefault();
	}
}
