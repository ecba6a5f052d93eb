import { numberOf, textOf } from '../../database.js';
import type { Session } from './session.js';

/**
 * Tells the client which of its tasks nobody needs any more (`send_result_abort`): unknown ones, cancelled or failed jobs,
 * instances given up for lost; and, when they have not begun, those of jobs that already have their result.
 */
export async function abortUselessTasks(session: Session): Promise<void> {
	const names = (session.request.otherResults ?? []).slice(0, 5000);
	if (names.length === 0) {
		return;
	}
	const rows = await session.database.select(
		`SELECT r.name, r.server_state, r.outcome, w.error_mask, w.assimilate_state, w.canonical_resultid FROM result r
			JOIN workunit w ON w.id = r.workunitid WHERE r.name IN (${names.map(() => '?').join(', ')})`,
		names,
	);
	const byName = new Map(rows.map((row) => [textOf(row, 'name'), row]));
	for (const name of names) {
		const row = byName.get(name);
		const cancelled = row === undefined || numberOf(row, 'error_mask') !== 0;
		// Over here although it is still there: not needed any more. One given up for lost (4) is late but welcome.
		const over = row !== undefined && numberOf(row, 'server_state') === 5 && numberOf(row, 'outcome') !== 4;
		if (cancelled || over) {
			session.reply.aborts.push(name);
		} else if (numberOf(row, 'assimilate_state') === 2 || numberOf(row, 'canonical_resultid') !== 0) {
			session.reply.abortsIfNotStarted.push(name);
		}
	}
}
