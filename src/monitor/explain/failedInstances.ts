import { type InstanceBlock, instanceBlocks, instancesIn } from '../instanceBlocks.js';
import { marks, number, type Queries, type Row, text } from '../rows.js';
import type { Subject } from './explanation.js';
import { type Cause, failureCause } from './failureCause.js';

/** An instance that ended, and not well, as the database describes its end. */
export interface FailedRow {
	readonly id: number;
	readonly jobId: number;
	readonly hostId: number;
	readonly outcome: number;
	readonly clientState: number;
	readonly validateState: number;
	readonly exitStatus: number;
}

const COLUMNS = 'r.id, r.workunitid, r.hostid, r.outcome, r.client_state, r.validate_state, r.exit_status';
const FAILED = 'r.server_state = 5 AND (r.outcome IN (2, 3, 4, 6, 7) OR (r.outcome = 1 AND r.validate_state IN (2, 5)))';

const failedInstance = (row: Row): FailedRow => ({
	id: number(row, 'id'),
	jobId: number(row, 'workunitid'),
	hostId: number(row, 'hostid'),
	outcome: number(row, 'outcome'),
	clientState: number(row, 'client_state'),
	validateState: number(row, 'validate_state'),
	exitStatus: number(row, 'exit_status'),
});

/** The failed instances of a batch in a block. */
export async function failedInBlock(db: Queries, batchId: number, block: InstanceBlock): Promise<FailedRow[]> {
	const { from, where, params } = instancesIn(block, batchId);
	return (await db.select(`SELECT ${COLUMNS} FROM ${from} WHERE ${where} AND ${FAILED}`, params)).map(failedInstance);
}

/** The failed instances of a batch, of a job, or one instance if it failed. */
export async function failedInstances(db: Queries, { kind, id }: Subject): Promise<FailedRow[]> {
	if (kind === 'batch') {
		const found: FailedRow[] = [];
		for (const block of await instanceBlocks(db, id)) {
			found.push(...(await failedInBlock(db, id, block)));
		}
		return found;
	}
	const column = kind === 'job' ? 'r.workunitid' : 'r.id';
	return (await db.select(`SELECT ${COLUMNS} FROM result r WHERE ${column} = ? AND ${FAILED}`, [id])).map(failedInstance);
}

/** Why an instance failed, and its name. */
export interface ReadFailure {
	readonly name: string;
	readonly cause: Cause;
}

/** Logs that are read in one statement: each may have 64 KiB. */
const AT_ONCE = 50;
const REMEMBERED = 5_000;

/** Reads what hosts reported of failed instances. That does not change, so each log is read once. */
export class FailureLogs {
	readonly #known = new Map<number, ReadFailure>();

	/** The causes by the instances' ids; instances that are gone are missing. */
	async read(db: Queries, instances: readonly FailedRow[]): Promise<ReadonlyMap<number, ReadFailure>> {
		const missing = instances.filter(({ id }) => !this.#known.has(id));
		for (let at = 0; at < missing.length; at += AT_ONCE) {
			const some = missing.slice(at, at + AT_ONCE);
			const rows = await db.select(
				`SELECT id, name, stderr_out FROM result WHERE id IN (${marks(some)})`,
				some.map(({ id }) => id),
			);
			const byId = new Map(rows.map((row) => [number(row, 'id'), row]));
			for (const instance of some) {
				const row = byId.get(instance.id);
				if (row) {
					const cause = failureCause({ ...instance, log: text(row, 'stderr_out') });
					this.#known.set(instance.id, { name: text(row, 'name'), cause });
				}
			}
		}
		for (const id of [...this.#known.keys()].slice(0, -REMEMBERED)) {
			this.#known.delete(id);
		}
		return this.#known;
	}
}
