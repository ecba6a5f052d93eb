import type { Duplex } from 'node:stream';

import type { Connection as MysqlConnection } from 'mysql2/promise';

import { abortError, BoincError, isAbort, messageOf, throwIfAborted } from '../common/errors.js';
import type { Connection, DialAddress } from '../connection/connection.js';
import { databaseAddresses } from './databaseAddress.js';
import { databaseError, isConnectionLoss, unreachable } from './databaseErrors.js';
import type { ProjectConfig } from './types.js';

/** A value for a `?`; a list fills `IN (?)`. */
export type SqlValue = string | number | null | Buffer | readonly (string | number)[];

/** Reads the project's database. All times are UTC; blobs arrive as `Buffer`. */
export interface ProjectDatabase {
	/**
	 * Runs one fixed SELECT with `?` parameters in a read-only session. Rejects with `database-unreachable`,
	 * `database-refused`, `timeout` or an `AbortError`. A lost session is opened again once.
	 */
	select<T>(sql: string, params?: readonly SqlValue[], signal?: AbortSignal): Promise<T[]>;
}

/** How a session is used: `write` sessions take the few fixed statements of this room. */
type Mode = 'read' | 'write';

const CONNECT_TIMEOUT_MS = 15_000;
const STATEMENT_SECONDS = 30;

/** Sent before anything else. MariaDB and MySQL disagree on the name of the time limit. */
function sessionStatements(mode: Mode, isMariaDb: boolean): string[] {
	const limit = isMariaDb
		? `SET SESSION max_statement_time=${STATEMENT_SECONDS}`
		: `SET SESSION max_execution_time=${STATEMENT_SECONDS * 1000}`;
	return [
		"SET time_zone='+00:00'",
		// Known escaping rules, and no silent truncation of what is written.
		`SET SESSION sql_mode='${mode === 'read' ? '' : 'STRICT_ALL_TABLES'}'`,
		limit,
		...(mode === 'read' ? ['SET SESSION TRANSACTION READ ONLY'] : []),
	];
}

async function greet(stream: Duplex, database: ProjectConfig['database'], mode: Mode): Promise<MysqlConnection> {
	const { createConnection } = await import('mysql2/promise');
	const session = await createConnection({
		stream,
		user: database.user,
		password: database.password,
		database: database.name,
		charset: 'utf8mb4',
		connectTimeout: CONNECT_TIMEOUT_MS,
		dateStrings: true,
		decimalNumbers: true,
		supportBigNumbers: true,
	});
	try {
		const [rows] = await session.query('SELECT VERSION() AS version');
		const isMariaDb = /mariadb/i.test(JSON.stringify(rows));
		for (const statement of sessionStatements(mode, isMariaDb)) {
			await session.query(statement);
		}
	} catch (error) {
		session.destroy();
		throw error;
	}
	return session;
}

/** One logical session with the project's database, over the connection to the server. Statements run one after another. */
export class DatabaseSession implements ProjectDatabase {
	readonly #connection: Connection;
	readonly #database: ProjectConfig['database'];
	readonly #mode: Mode;
	readonly #where: string;
	#address: DialAddress | undefined;
	#session: Promise<MysqlConnection> | undefined;
	#live: MysqlConnection | undefined;
	/** Rejects when the session is lost: the driver leaves a statement unanswered that it took while the link was ending. */
	#loss = new Promise<never>(() => undefined);
	#disposed = false;

	constructor(connection: Connection, database: ProjectConfig['database'], mode: Mode) {
		this.#connection = connection;
		this.#database = database;
		this.#mode = mode;
		this.#where = `The database ${database.name} of ${connection.name}`;
	}

	async select<T>(sql: string, params: readonly SqlValue[] = [], signal?: AbortSignal): Promise<T[]> {
		const rows = await this.run(sql, params, signal);
		return Array.isArray(rows) ? (rows as T[]) : [];
	}

	/** Runs one fixed statement; resolves to rows or to the result header. */
	async run(sql: string, params: readonly SqlValue[], signal?: AbortSignal): Promise<unknown> {
		for (let attempt = 1; ; attempt++) {
			const session = await this.#open(signal);
			try {
				return await abortable(Promise.race([session.query(sql, [...params]), this.#loss]), signal);
			} catch (error) {
				if (isAbort(error) || !isConnectionLoss(error)) {
					throw databaseError(error, this.#where);
				}
				this.#forget(session);
				// A statement that writes may have been carried out before the loss: its caller decides.
				if (attempt > 1 || this.#mode === 'write') {
					throw databaseError(error, this.#where);
				}
			}
		}
	}

	async #open(signal: AbortSignal | undefined): Promise<MysqlConnection> {
		throwIfAborted(signal);
		if (this.#disposed) {
			throw unreachable(this.#where, 'the project was closed');
		}
		this.#session ??= this.#connect().catch((error: unknown) => {
			this.#session = undefined;
			throw error;
		});
		return abortableValue(this.#session, signal);
	}

	async #connect(): Promise<MysqlConnection> {
		const addresses = this.#address ? [this.#address] : await databaseAddresses(this.#connection, this.#database);
		let failure: unknown;
		for (const address of addresses) {
			try {
				const stream = await this.#connection.dial(address, AbortSignal.timeout(CONNECT_TIMEOUT_MS));
				const session = await greet(stream, this.#database, this.#mode).catch((error: unknown) => {
					stream.destroy();
					throw error;
				});
				this.#address = address;
				this.#live = session;
				this.#watch(session);
				return session;
			} catch (error) {
				if (BoincError.is(error, 'connection-lost')) {
					throw error;
				}
				failure = worse(failure, asUnreachable(error, this.#where));
			}
		}
		this.#address = undefined;
		throw failure;
	}

	/** A session that ends while idle must not be used again; without a listener its error would end the program. */
	#watch(session: MysqlConnection): void {
		this.#loss = new Promise((_, reject) => {
			const lost = (): void => reject(Object.assign(new Error('the connection was lost'), { code: 'PROTOCOL_CONNECTION_LOST' }));
			session.once('end', lost);
			session.once('error', lost);
		});
		this.#loss.catch(() => undefined); // also when no statement waits
		session.on('error', () => this.#forget(session));
		session.on('end', () => this.#forget(session));
	}

	#forget(session: MysqlConnection): void {
		if (this.#live === session) {
			this.#live = undefined;
			this.#session = undefined;
		}
		session.destroy();
	}

	/** Ends the session. Idempotent. */
	dispose(): void {
		this.#disposed = true;
		void this.#session?.then(
			(session) => session.destroy(),
			() => undefined,
		);
		this.#session = undefined;
	}
}

/** A refusal tells more than a silent socket: it wins over earlier and later failures. */
function worse(known: unknown, next: Error): unknown {
	return known === undefined || BoincError.is(next, 'database-refused') ? next : known;
}

function asUnreachable(error: unknown, where: string): Error {
	const known = databaseError(error, where);
	if (BoincError.is(known, 'database-refused', 'database-unreachable')) {
		return known;
	}
	return unreachable(where, isAbort(error) ? `no answer within ${CONNECT_TIMEOUT_MS / 1000} s` : messageOf(error), error);
}

async function abortable(answer: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
	const value = await abortableValue(answer, signal);
	return Array.isArray(value) ? (value as unknown[])[0] : undefined;
}

/** `promise`, or an `AbortError` as soon as `signal` fires. */
async function abortableValue<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (!signal) {
		return promise;
	}
	throwIfAborted(signal);
	let stop = (): void => undefined;
	const aborted = new Promise<never>((_, reject) => {
		stop = () => reject(abortError());
		signal.addEventListener('abort', stop, { once: true });
	});
	try {
		return await Promise.race([promise, aborted]);
	} finally {
		signal.removeEventListener('abort', stop);
	}
}
