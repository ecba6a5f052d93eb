import type { Connection as MysqlConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

import schema from './schema.sql';

/** How to reach a database. */
export interface DatabaseSettings {
	readonly host: string;
	readonly port: number;
	readonly user: string;
	readonly password: string;
	readonly database: string;
}

/** One column of a row. Blobs are buffers. */
export type Value = string | number | Buffer | null;
export type Row = Readonly<Record<string, Value>>;
export type Parameter = string | number | Buffer | null;

/** A connection to the project's database. Statements are text of our own with `?` for every value. */
export interface Database {
	select(sql: string, parameters?: readonly Parameter[]): Promise<Row[]>;
	/** INSERT, UPDATE and the like. */
	execute(sql: string, parameters?: readonly Parameter[]): Promise<{ affectedRows: number; insertId: number }>;
	/** Adds rows with the same columns by one statement, which is put together here: `?` takes the driver long for thousands of values. */
	insert(table: string, rows: readonly Readonly<Record<string, Parameter>>[]): Promise<{ insertId: number }>;
	end(): Promise<void>;
}

/** Opens one connection. Rejects with the driver's error when the server refuses or does not answer within 10 seconds. */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
	const { createConnection } = await import('mysql2/promise');
	const connection: MysqlConnection = await createConnection({
		host: settings.host,
		port: settings.port,
		user: settings.user,
		password: settings.password,
		database: settings.database,
		connectTimeout: 10_000,
		dateStrings: true,
		supportBigNumbers: true,
	});
	// A lost link shows itself in the next statement.
	connection.on('error', () => undefined);
	return {
		select: async (sql, parameters = []) => {
			const [rows] = await connection.query<RowDataPacket[]>(sql, [...parameters]);
			return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, checked(value)])));
		},
		execute: async (sql, parameters = []) => {
			const [header] = await connection.query<ResultSetHeader>(sql, [...parameters]);
			return { affectedRows: header.affectedRows, insertId: header.insertId };
		},
		insert: async (table, rows) => {
			const columns = Object.keys(rows[0] ?? {});
			const values = rows.map((row) => `(${columns.map((column) => connection.escape(row[column] ?? null)).join(',')})`);
			const [header] = await connection.query<ResultSetHeader>(
				`INSERT INTO ${table} (${columns.join(',')}) VALUES ${values.join(',')}`,
			);
			return { insertId: header.insertId };
		},
		end: () => connection.end(),
	};
}

/** Creates the tables of a project in an empty database. */
export async function installSchema(database: Database): Promise<void> {
	for (const statement of schema.replace(/^--.*$/gm, '').split(/;\s*$/m)) {
		if (statement.trim() !== '') {
			await database.execute(statement);
		}
	}
}

/** A number column. */
export function numberOf(row: Row, column: string): number {
	const value = row[column];
	return typeof value === 'number' ? value : Number(value ?? 0);
}

/** A text or blob column as text. */
export function textOf(row: Row, column: string): string {
	const value = row[column];
	return Buffer.isBuffer(value) ? value.toString('utf8') : String(value ?? '');
}

function checked(value: unknown): Value {
	if (value === null || typeof value === 'string' || typeof value === 'number' || Buffer.isBuffer(value)) {
		return value;
	}
	return typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : null;
}
