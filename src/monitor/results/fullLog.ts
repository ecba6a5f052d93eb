import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import { hierarchyPath } from '../../project/hierarchy.js';
import type { Project } from '../../project/project.js';
import { resultsDirectory } from '../../project/resultsDirectory.js';
import { number, text } from '../rows.js';
import { packedFiles } from './archivedResult.js';
import { batchFolder } from './listResults.js';

/** Where the runner puts it in a packed result. */
const LOG = '.b2d/log.txt';

/**
 * The whole output of an instance's program, from what its host packed and uploaded: hosts upload that of failed instances too, and
 * report only the end of the log otherwise. It is looked for among the collected results, and where uploads arrive, which BOINC
 * empties when a job is over. Rejects with `result-missing` when it is in neither place, or `result-corrupt`.
 */
export async function fullLog(project: Project, instanceId: number, signal?: AbortSignal): Promise<Uint8Array> {
	const database = await project.database();
	const [row] = await database.select<Record<string, unknown>>(
		`SELECT r.name, r.xml_doc_out, w.name AS job, w.batch, w.appid, w.canonical_resultid,
			(SELECT MAX(n.id) FROM result n WHERE n.workunitid = w.id AND n.received_time > 0) AS newest
		FROM result r JOIN workunit w ON w.id = r.workunitid WHERE r.id = ?`,
		[instanceId],
		signal,
	);
	if (!row) {
		throw missing(`Instance ${instanceId} is no longer in the project's database.`);
	}
	const job = text(row, 'job');
	const folder = batchFolder(await resultsDirectory(project, number(row, 'appid')), number(row, 'batch'));
	const [uploaded] = /(?<=<name>)[A-Za-z0-9_.-]+_r\d+_0(?=<\/name>)/.exec(text(row, 'xml_doc_out')) ?? [];
	const collected = [
		...(number(row, 'canonical_resultid') === instanceId ? [`${job}.tgz`] : []),
		...(number(row, 'newest') === instanceId && uploaded !== undefined ? [`${job}.failed`] : []),
	].map((name) => path.posix.join(folder, name));
	const { uploadDir, uldlDirFanout: fanout } = project.config;
	const places = [...collected, ...(uploaded === undefined ? [] : [`${uploadDir}/${hierarchyPath(uploaded, fanout)}`])];
	for (const place of places) {
		const log = (await packedFiles(project.connection, place, job, signal))?.files.get(LOG);
		if (log) {
			return log;
		}
	}
	throw missing(
		uploaded === undefined
			? `The host of ${text(row, 'name')} has uploaded nothing.`
			: `What the host of ${text(row, 'name')} uploaded is not on the server any more.`,
	);
}

const missing = (message: string): BoincError =>
	new BoincError('result-missing', message, { remedy: 'What the host reported of its log is in Show Log.' });
