import { formatSeconds } from '../../../common/format.js';
import type { ColumnSource } from '../../../monitor/batchPage/columns.js';
import type { JobRow } from '../../../monitor/batchPage/jobTable.js';
import type { Queries } from '../../../monitor/queries.js';
import type { TableRow, TableView, ToPage } from '../../../protocol/batchPage.js';
import type { Core } from '../../services.js';
import { jobWords } from '../../tree/stateLook.js';
import { TONES } from './snapshot.js';
import { type TableColumn, tableColumns } from './tableColumns.js';

/** The rows of a batch's jobs as the page asks for them: the ids are read once for each view, rows by range. */
export class TableModel {
	readonly #core: () => Promise<Core>;
	readonly #database: () => Promise<Queries>;
	readonly #batchId: number;
	readonly #source: () => Promise<ColumnSource>;
	#view: TableView = { filter: 'all', text: '', order: 'ascending' };
	#version = 0;
	#ids: readonly number[] = [];
	/** The view that these are the ids of. */
	#idsOf = '';
	#extra: readonly string[] = [];

	constructor(
		batchId: number,
		ports: {
			readonly core: () => Promise<Core>;
			readonly database: () => Promise<Queries>;
			readonly source: () => Promise<ColumnSource>;
		},
	) {
		this.#batchId = batchId;
		this.#core = ports.core;
		this.#database = ports.database;
		this.#source = ports.source;
	}

	setView(view: TableView): void {
		this.#view = view;
	}

	/**
	 * Reads which rows there are now. The page asks for those that it shows. While all jobs are shown and there are as many as before,
	 * `total`, they are the same, and only what is in the rows may have changed.
	 */
	async load(total?: number): Promise<Extract<ToPage, { readonly type: 'table' }>> {
		const view = this.#view;
		const isAll = view.filter === 'all' && view.text === '';
		const isSame = isAll && total === this.#ids.length && JSON.stringify(view) === this.#idsOf;
		const { tableIds } = await this.#core();
		const ids = isSame ? this.#ids : await tableIds(await this.#database(), this.#batchId, view);
		const extra = await (await this.#source()).columns();
		this.#version += 1;
		this.#ids = ids;
		this.#idsOf = JSON.stringify(view);
		this.#extra = extra;
		return {
			type: 'table',
			version: this.#version,
			total: ids.length,
			columns: [
				...tableColumns().map(({ title, kind }) => ({ title, kind })),
				...extra.map((title) => ({ title, kind: 'text' as const })),
			],
			view: this.#view,
		};
	}

	/** The rows from `from` up to but not `to`; `undefined` when the page asks about an older table. */
	async rows(version: number, from: number, to: number): Promise<Extract<ToPage, { readonly type: 'rows' }> | undefined> {
		if (version !== this.#version) {
			return undefined;
		}
		const rows = await this.#read(this.#ids.slice(from, Math.min(to, from + 500)));
		return { type: 'rows', version, from, rows };
	}

	async #read(ids: readonly number[]): Promise<TableRow[]> {
		const { tableRows } = await this.#core();
		const found = new Map((await tableRows(await this.#database(), this.#batchId, ids)).map((row) => [row.job.id, row]));
		const values = await (await this.#source()).values([...found.values()].map(({ job }) => job));
		// A purged row leaves its place empty, so that the others stay where they are.
		return ids.map((id) => this.#row(id, found.get(id), values.get(id) ?? {}));
	}

	#row(id: number, row: JobRow | undefined, values: Readonly<Record<string, string>>): TableRow {
		const columns = tableColumns();
		const extra = this.#extra.map((name) => values[name] ?? '');
		return row
			? {
					jobId: id,
					instanceId: row.latest && row.latest.receivedTime > 0 ? row.latest.id : 0,
					name: row.job.name,
					state: jobWords(row.job),
					tone: TONES[row.job.state],
					cells: [...columns.map((column) => cell(column, row)), ...extra],
				}
			: { jobId: id, instanceId: 0, name: '', state: '', tone: 'neutral', cells: columns.map(() => '') };
	}
}

function cell({ value, kind, unit }: TableColumn, row: JobRow): string {
	const raw = value(row);
	if (raw === undefined) {
		return '';
	}
	return unit === 'seconds' && typeof raw === 'number' ? formatSeconds(raw) : kind === 'number' ? String(raw) : String(raw);
}
