import { BoincError } from '../common/errors.js';
import type { Connection } from '../connection/connection.js';
import { DatabaseSession, type ProjectDatabase, type SqlValue } from './database.js';
import { hierarchyPath } from './hierarchy.js';
import { readConfig } from './readConfig.js';
import type { ProjectConfig } from './types.js';

/** A BOINC project on a server: its folder, its configuration, its database. Made by `openProject`. */
export class Project {
	/** Not owned: whoever acquired the connection releases it. */
	readonly connection: Connection;
	/** Absolute path of the folder with `config.xml`, without a trailing slash. */
	readonly root: string;
	#config: ProjectConfig;
	#reader: DatabaseSession | undefined;
	#writer: DatabaseSession | undefined;
	#disposed = false;

	constructor(connection: Connection, root: string, config: ProjectConfig) {
		this.connection = connection;
		this.root = root;
		this.#config = config;
	}

	get config(): ProjectConfig {
		return this.#config;
	}

	/** For messages: `proj on boincadm@example.org`. */
	get name(): string {
		return `${this.root.slice(this.root.lastIndexOf('/') + 1)} on ${this.connection.name}`;
	}

	/** Absolute path of a program of the project: `bin/NAME`. Run it with `cwd: project.root`. */
	tool(name: string): string {
		return `${this.root}/bin/${name}`;
	}

	/** Absolute path of a staged file: with its hash directory below `download/`. */
	downloadPath(name: string): string {
		return `${this.#config.downloadDir}/${hierarchyPath(name, this.#config.uldlDirFanout)}`;
	}

	/** The read-only session, opened by its first statement. */
	database(): Promise<ProjectDatabase> {
		this.#reader ??= this.#open('read');
		return Promise.resolve(this.#reader);
	}

	/** Runs one fixed statement that changes rows. Only this room calls it; everything else reads. */
	async write(sql: string, params: readonly SqlValue[]): Promise<{ insertId: number; affectedRows: number }> {
		this.#writer ??= this.#open('write');
		const header = await this.#writer.run(sql, params);
		const number = (name: string): number => {
			const value: unknown =
				typeof header === 'object' && header !== null ? (header as Record<string, unknown>)[name] : undefined;
			return typeof value === 'number' ? value : 0;
		};
		return { insertId: number('insertId'), affectedRows: number('affectedRows') };
	}

	/** Reads `config.xml` again, after it was changed. */
	async reload(): Promise<void> {
		this.#config = await readConfig(this.connection, this.root);
	}

	#open(mode: 'read' | 'write'): DatabaseSession {
		if (this.#disposed) {
			throw new BoincError('connection-lost', `The project ${this.name} was closed.`);
		}
		return new DatabaseSession(this.connection, this.#config.database, mode);
	}

	/** Ends the database sessions. Idempotent. */
	dispose(): void {
		this.#disposed = true;
		this.#reader?.dispose();
		this.#writer?.dispose();
	}
}
