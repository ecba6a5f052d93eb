import { BoincError } from '../common/errors.js';
import type { Project } from './project.js';

/** What a batch row can be set to; `preparing` is the state of a new row. */
export type BatchRowState = 'preparing' | 'in-progress' | 'complete' | 'aborted' | 'retired';

/** `batch.state` of BOINC's schema. */
const STATES: Readonly<Record<BatchRowState, number>> = {
	preparing: 0,
	'in-progress': 1,
	complete: 2,
	aborted: 3,
	retired: 4,
};

/** All columns are NOT NULL without default. */
const INSERT = `
	INSERT INTO batch (user_id, create_time, logical_start_time, logical_end_time, est_completion_time, njobs, fraction_done,
		nerror_jobs, state, completion_time, credit_estimate, credit_canonical, credit_total, name, app_id, project_state,
		description, expire_time)
	VALUES (?, UNIX_TIMESTAMP(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?, ?, 0, ?, 0)`;

/** `name` and `description` hold 255 characters; whole characters are kept. */
function fit(text: string): string {
	return Array.from(text).slice(0, 255).join('');
}

function plain(text: string): string {
	return text.replace(/[^\x20-\x7E]/gu, '?');
}

export interface NewBatch {
	/** For people; any text, cut at 255 characters. */
	readonly name: string;
	readonly appId: number;
	readonly description: string;
	/** `user.id` that owns the batch on the web pages. Default: the project's first user, 0 if there is none. */
	readonly userId?: number;
}

/** Inserts a batch in state "preparing" and resolves to its id. The web pages leave it alone until `setBatchState`. */
export async function createBatch(project: Project, batch: NewBatch): Promise<number> {
	const userId = batch.userId ?? (await firstUser(project));
	const insert = (name: string, description: string): Promise<{ insertId: number }> =>
		project.write(INSERT, [userId, fit(name), batch.appId, fit(description)]);
	const { insertId } = await insert(batch.name, batch.description).catch((error: unknown) => {
		// Older schemas cannot hold every character; the name is for people only.
		if (BoincError.is(error) && error.detail.code === 'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD') {
			return insert(plain(batch.name), plain(batch.description));
		}
		throw error;
	});
	if (insertId <= 0) {
		throw new BoincError('database-refused', `The database of ${project.name} took the batch but gave it no number.`);
	}
	return insertId;
}

/** Sets the state of a batch and, if given, its number of jobs. Rejects with `batch-missing`. */
export async function setBatchState(project: Project, id: number, state: BatchRowState, njobs?: number): Promise<void> {
	const finished = state === 'complete' || state === 'aborted';
	const done = finished ? ', completion_time = UNIX_TIMESTAMP()' : '';
	if (njobs === undefined) {
		await project.write(`UPDATE batch SET state = ?${done} WHERE id = ?`, [STATES[state], id]);
	} else {
		await project.write(`UPDATE batch SET state = ?, njobs = ?${done} WHERE id = ?`, [STATES[state], njobs, id]);
	}
	// "Affected" counts changed rows only, so the row itself is asked for.
	const database = await project.database();
	const rows = await database.select<{ state: number }>('SELECT state FROM batch WHERE id = ?', [id]);
	if (rows[0]?.state !== STATES[state]) {
		throw new BoincError('batch-missing', `The batch ${id} is not in the database of ${project.name}.`, { detail: { id } });
	}
}

/** The state of a batch; `undefined` when there is no such row. */
export async function batchState(project: Project, id: number): Promise<BatchRowState | undefined> {
	const database = await project.database();
	const [row] = await database.select<{ state: number }>('SELECT state FROM batch WHERE id = ?', [id]);
	return (Object.keys(STATES) as BatchRowState[]).find((state) => STATES[state] === row?.state);
}

/** A row of `batch`, as far as it tells submissions apart. */
export interface FoundBatch {
	readonly id: number;
	readonly state: BatchRowState;
	readonly jobs: number;
	readonly description: string;
}

/**
 * Batches of a name whose descriptions begin so (plain ASCII, which the column always holds), in some states, newest first. Scans the table,
 * which has a row a batch.
 */
export async function batchesLike(
	project: Project,
	{ name, begins }: { readonly name: string; readonly begins: string },
	states: readonly BatchRowState[],
): Promise<readonly FoundBatch[]> {
	const database = await project.database();
	const rows = await database.select<{ id: number; state: number; njobs: number; name: string; description: string }>(
		'SELECT id, state, njobs, name, description FROM batch WHERE LEFT(description, ?) = ? AND state IN (?) ORDER BY id DESC',
		[begins.length, begins, states.map((state) => STATES[state])],
	);
	const names = [fit(name), plain(fit(name))];
	return rows
		.filter((row) => names.includes(row.name))
		.map(({ id, state, njobs, description }) => ({
			id,
			state: states.find((each) => STATES[each] === state) ?? 'preparing',
			jobs: njobs,
			description,
		}));
}

const lockName = (project: Project, id: number): string =>
	`b2d_submit_${project.config.database.name.slice(0, 30)}_${String(id)}`;

/** Says that this session submits a batch; `false` when another one does. Ends with the session, also when the program is killed. */
export async function claimBatch(project: Project, id: number): Promise<boolean> {
	const database = await project.database();
	const [row] = await database.select<{ got: number | null }>('SELECT GET_LOCK(?, 0) AS got', [lockName(project, id)]);
	return row?.got === 1;
}

/** Seconds for which the session that has claimed a batch has been silent; `undefined` when none has. */
export async function claimantIdle(project: Project, id: number): Promise<number | undefined> {
	const database = await project.database();
	const [row] = await database.select<{ idle: number }>(
		"SELECT IF(COMMAND = 'Sleep', TIME, 0) AS idle FROM information_schema.PROCESSLIST WHERE ID = IS_USED_LOCK(?)",
		[lockName(project, id)],
	);
	return row?.idle;
}

/** Ends what `claimBatch` began. */
export async function releaseBatch(project: Project, id: number): Promise<void> {
	const database = await project.database();
	await database.select('SELECT RELEASE_LOCK(?) AS done', [lockName(project, id)]);
}

async function firstUser(project: Project): Promise<number> {
	const database = await project.database();
	const rows = await database.select<{ id: number | null }>('SELECT MIN(id) AS id FROM user');
	return rows[0]?.id ?? 0;
}
