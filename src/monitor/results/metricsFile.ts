import { createHash } from 'node:crypto';
import { lstat, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { md5OfFile } from '../../common/content.js';
import { metricsTable } from './metrics.js';
import type { ResultFolder } from './resultFolder.js';

const METRICS = 'metrics.csv';

/** Writes the table anew when there is something new; resolves to its path. Never overwrites a file that is not ours. */
export async function writeMetrics(
	folder: ResultFolder,
	parameters: ReadonlyMap<string, ReadonlyMap<string, string>> | undefined,
	isNew: boolean,
): Promise<string | undefined> {
	const file = path.join(folder.path, METRICS);
	const found = await lstat(file).catch(() => undefined);
	if (found && !(found.isFile() && folder.table === (await md5OfFile(file)).md5)) {
		return undefined;
	}
	if (isNew || (!found && folder.kept().length > 0)) {
		const text = metricsTable(folder.kept(), parameters);
		const temporary = folder.scratch(METRICS);
		await writeFile(temporary, text);
		folder.noteTable(createHash('md5').update(text).digest('hex'));
		await rename(temporary, file);
		return file;
	}
	return found ? file : undefined;
}
