import { messageOf } from '../common/errors.js';
import { type Database, openDatabase } from './database.js';
import { findProjectRoot, type ProjectSettings, readProjectSettings } from './projectSettings.js';
import type { ToolIo } from './toolIo.js';

/** Ends a tool with a message and an exit code. */
export class ToolExit extends Error {
	override readonly name = 'ToolExit';
	readonly code: number;

	constructor(code: number, message = '') {
		super(message);
		this.code = code;
	}
}

/** The project that a native tool works on. Throws `ToolExit` with the words of the real tools. */
export function toolProject(io: ToolIo, given?: string): ProjectSettings {
	const root = given ?? findProjectRoot(io.cwd, io.env);
	if (root === undefined) {
		throw new ToolExit(1, 'Not in a project directory or subdirectory\n');
	}
	const settings = readProjectSettings(root);
	if (!settings) {
		throw new ToolExit(1, "Can't parse config file: unexpected XML tag or syntax\n");
	}
	return settings;
}

/** Runs `work` with the project's database, which is closed afterwards. Exit code 1 when it cannot be reached. */
export async function withDatabase<T>(
	program: string,
	settings: ProjectSettings,
	work: (database: Database) => Promise<T>,
): Promise<T> {
	let database: Database;
	try {
		database = await openDatabase(settings.database);
	} catch (error) {
		const where = `mysql_real_connect(): ${messageOf(error)}\n`;
		throw new ToolExit(1, `${where}${program}: error opening database: can't connect to database\n`);
	}
	try {
		return await work(database);
	} finally {
		await database.end().catch(() => undefined);
	}
}
