import { existsSync } from 'node:fs';
import path from 'node:path';

import { messageOf } from '../../common/errors.js';
import { type Database, openDatabase } from '../database.js';
import { type ProjectSettings, readProjectSettings } from '../projectSettings.js';
import type { ToolIo } from '../toolIo.js';
import { ToolExit } from '../toolProject.js';

/**
 * The PHP tools work in the project's own folder only, and PHP ends with 255 where a library is not found. Everything
 * else they call `die` on ends with 0.
 */
export function phpProject(tool: string, io: ToolIo): ProjectSettings {
	if (!existsSync(path.join(io.cwd, 'html/inc'))) {
		const warning = 'PHP Warning:  chdir(): No such file or directory (errno 2)';
		throw new ToolExit(
			255,
			`${warning} in bin/${tool}\nPHP Fatal error:  Uncaught Error: Failed opening required 'boinc_db.inc'\n`,
		);
	}
	const settings = readProjectSettings(io.cwd);
	if (!settings) {
		io.out(`config.xml not found.\nRun this in the project root directory: bin/${tool}\n`);
		throw new ToolExit(0);
	}
	return settings;
}

/** Runs `work` with the project's database; without one PHP dies in its own way. */
export async function withPhpDatabase<T>(settings: ProjectSettings, work: (database: Database) => Promise<T>): Promise<T> {
	const database = await openDatabase(settings.database).catch((error: unknown) => {
		throw new ToolExit(
			255,
			`BoincDb::get_aux(): Couldn't connect to DB 0\nPHP Fatal error:  Uncaught Error: ${messageOf(error)}\n`,
		);
	});
	try {
		return await work(database);
	} finally {
		await database.end().catch(() => undefined);
	}
}
