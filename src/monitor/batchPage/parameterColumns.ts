import { BoincError } from '../../common/errors.js';
import { readFile } from '../../connection/files.js';
import { type JobParameters, parseTable } from '../../job/parameters.js';
import type { Project } from '../../project/project.js';
import type { ColumnSource } from './columns.js';

const PREFIX = 'b2d_params_';
/** Prefix and 32 digits. */
const NAME_LENGTH = PREFIX.length + 32;
/** Variables that get a column; a sweep has few. */
const MOST_VARIABLES = 8;
const MOST_BYTES = 32 << 20;
/** Tables of the batch that are kept; each holds thousands of jobs. */
const MOST_TABLES = 8;

/**
 * The parameters of the jobs of a batch, from the tables that travel with them: the command, and a column for each variable.
 * Each table is read once. A table that is no longer on the server gives empty cells.
 */
export function parameterColumns(project: Project, batchId: number, commandTitle: string): ColumnSource {
	const tables = new Map<string, Promise<ReadonlyMap<string, JobParameters>>>();
	const table = (name: string): Promise<ReadonlyMap<string, JobParameters>> => {
		const known = tables.get(name) ?? readTable(project, name);
		tables.delete(name);
		tables.set(name, known);
		for (const oldest of [...tables.keys()].slice(0, -MOST_TABLES)) {
			tables.delete(oldest);
		}
		return known;
	};
	const tableNames = async (ids: readonly number[]): Promise<Map<number, string>> => {
		const db = await project.database();
		const rows = await db.select<{ id: number; name: Buffer | string }>(
			'SELECT id, SUBSTRING(xml_doc, LOCATE(?, xml_doc), ?) AS name FROM workunit WHERE id IN (?)',
			[PREFIX, NAME_LENGTH, ids],
		);
		return new Map(rows.map(({ id, name }) => [id, name.toString()]));
	};
	let variables: Promise<readonly string[]> | undefined;
	const findVariables = async (): Promise<readonly string[]> => {
		const db = await project.database();
		const [first] = await db.select<{ id: number }>('SELECT id FROM workunit WHERE batch = ? ORDER BY id LIMIT 1', [batchId]);
		const name = first && (await tableNames([first.id])).get(first.id);
		const jobs = name === undefined ? [] : [...(await table(name)).values()].slice(0, 100);
		return [...new Set(jobs.flatMap(({ env }) => env.map((entry) => entry.split('=')[0] ?? '')))].slice(0, MOST_VARIABLES);
	};
	const columns = async (): Promise<readonly string[]> => {
		variables ??= findVariables().catch((error: unknown) => {
			variables = undefined;
			throw error;
		});
		return [commandTitle, ...(await variables)];
	};
	return {
		columns,
		values: async (jobs) => {
			if (jobs.length === 0) {
				return new Map();
			}
			const names = await tableNames(jobs.map(({ id }) => id));
			const found = new Map<number, Readonly<Record<string, string>>>();
			for (const { id, name } of jobs) {
				const own = (await table(names.get(id) ?? '')).get(name);
				if (own) {
					const entries = own.env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
					found.set(id, { ...(Object.fromEntries(entries) as Record<string, string>), [commandTitle]: own.argv.join(' ') });
				}
			}
			return found;
		},
	};
}

async function readTable(project: Project, name: string): Promise<ReadonlyMap<string, JobParameters>> {
	if (!/^b2d_params_[0-9a-f]{32}$/.test(name)) {
		return new Map(); // a job of another kind
	}
	try {
		return parseTable(
			(await readFile(project.connection, project.downloadPath(name), { maxBytes: MOST_BYTES })).toString('utf8'),
		);
	} catch (error) {
		if (BoincError.is(error, 'file-not-found')) {
			return new Map(); // the file deleter took it after the last job
		}
		throw error;
	}
}
