import { numberOf, textOf } from '../../database.js';
import type { Session } from './session.js';

/** `workunit.error_mask`: the job was cancelled. */
const CANCELLED = 16;

/**
 * Tells the client which of its tasks nobody needs any more (`send_result_abort`): unknown ones and those of cancelled jobs; and, when
 * they have not begun, those of jobs that are over, well or badly, and instances given up for lost. As BOINC does it, so what
 * is left of a failed job goes on.
 */
export async function abortUselessTasks(session: Session): Promise<void> {
	const names = (session.request.otherResults ?? []).slice(0, 5000);
	if (names.length === 0) {
		return;
	}
	const rows = await session.database.select(
		`SELECT r.name, r.server_state, r.outcome, w.error_mask, w.assimilate_state FROM result r
			JOIN workunit w ON w.id = r.workunitid WHERE r.name IN (${names.map(() => '?').join(', ')})`,
		names,
	);
	const byName = new Map(rows.map((row) => [textOf(row, 'name'), row]));
	for (const name of names) {
		const row = byName.get(name);
		const late = row !== undefined && numberOf(row, 'server_state') === 5 && numberOf(row, 'outcome') === 4;
		if (row === undefined || (numberOf(row, 'error_mask') & CANCELLED) !== 0) {
			session.reply.aborts.push(name);
		} else if (late || numberOf(row, 'assimilate_state') === 2) {
			session.reply.abortsIfNotStarted.push(name);
		}
	}
}
