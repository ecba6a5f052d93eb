import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../../src/common/errors.js';
import type { Argv, Connection, ExecOptions } from '../../src/connection/connection.js';
import type { SqlValue } from '../../src/project/database.js';
import { hierarchyPath } from '../../src/project/hierarchy.js';
import type { Project } from '../../src/project/project.js';
import type { OpenedTarget } from './openTarget.js';

export interface Ran {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** The project under test, and what the checks need to poke at it. Everything made through it is removed by `cleanUp`. */
export class Lab {
	readonly project: Project;
	/** Lower-case letters that mark everything this run makes. */
	readonly tag = `cf${[...randomBytes(6)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('')}`;
	readonly target: OpenedTarget;
	readonly #undo: { what: string; run: () => Promise<unknown> }[] = [];
	readonly #once = new Map<string, Promise<unknown>>();

	constructor(project: Project, target: OpenedTarget) {
		this.target = target;
		this.project = project;
	}

	get connection(): Connection {
		return this.project.connection;
	}

	/** Runs a program in the project's folder. */
	async run(argv: Argv, options: ExecOptions = {}): Promise<Ran> {
		const { code, stdout, stderr } = await this.connection.exec(argv, {
			cwd: this.project.root,
			timeoutMs: 60_000,
			...options,
		});
		return { code, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
	}

	/** Runs `bin/NAME` of the project. */
	tool(name: string, args: readonly string[], options: ExecOptions = {}): Promise<Ran> {
		return this.run([this.project.tool(name), ...args], options);
	}

	/** Runs a POSIX script; `args` are `$1`… Fails unless it exits 0. */
	async sh(script: string, ...args: string[]): Promise<string> {
		const { code, stdout, stderr } = await this.run(['sh', '-c', script, 'sh', ...args]);
		if (code !== 0) {
			throw new Error(`sh -c '${script}' exited ${code}: ${stderr.trim()}`);
		}
		return stdout;
	}

	async select<T>(sql: string, ...params: SqlValue[]): Promise<T[]> {
		const database = await this.project.database();
		return database.select<T>(sql, params);
	}

	write(sql: string, ...params: SqlValue[]): Promise<{ insertId: number; affectedRows: number }> {
		return this.project.write(sql, params);
	}

	/** Writes a file; relative paths start in the project. */
	async put(path: string, text: string | Uint8Array, mode = '644'): Promise<void> {
		const { code, stderr } = await this.run(
			['sh', '-c', 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"', 'sh', path, mode],
			{ stdin: text },
		);
		if (code !== 0) {
			throw new Error(`cannot write ${path}: ${stderr.trim()}`);
		}
	}

	async get(path: string): Promise<string> {
		return this.sh('cat "$1"', path);
	}

	async exists(path: string): Promise<boolean> {
		const { code } = await this.run(['test', '-e', path]);
		return code === 0;
	}

	/** Path of a job input below `download/`, with its hash directory. */
	downloadPath(name: string): string {
		return `${this.project.config.downloadDir}/${hierarchyPath(name, this.project.config.uldlDirFanout)}`;
	}

	uploadPath(name: string): string {
		return `${this.project.config.uploadDir}/${hierarchyPath(name, this.project.config.uldlDirFanout)}`;
	}

	/** `tmp_HOST` and the like: the folder of daemons' temporary files, pids or logs on the project's machine. */
	hostFolder(kind: 'tmp' | 'pid' | 'log'): string {
		return `${this.project.root}/${kind}_${this.project.config.host}`;
	}

	/** Asks until the answer is there. */
	async until<T>(what: string, ask: () => Promise<T | undefined | false>, seconds: number): Promise<T> {
		const end = Date.now() + seconds * 1000;
		for (;;) {
			const answer = await ask();
			if (answer !== undefined && answer !== false) {
				return answer;
			}
			if (Date.now() > end) {
				throw new Error(`${what}: not within ${seconds} s`);
			}
			await sleep(500);
		}
	}

	/** Makes something once for all checks that need it; each of them fails with the same reason if it cannot be made. */
	once<T>(key: string, make: () => Promise<T>): Promise<T> {
		const made = this.#once.get(key) as Promise<T> | undefined;
		if (made) {
			return made;
		}
		const fresh = make();
		this.#once.set(key, fresh);
		return fresh;
	}

	/** Whether `once` was called for this. */
	hasMade(key: string): boolean {
		return this.#once.has(key);
	}

	/** Remembers how to take something back. */
	defer(what: string, run: () => Promise<unknown>): void {
		this.#undo.push({ what, run });
	}

	/** Takes everything back, last first. Resolves to what could not be removed. */
	async cleanUp(): Promise<string[]> {
		const left: string[] = [];
		for (const { what, run } of this.#undo.splice(0).reverse()) {
			try {
				await run();
			} catch (error) {
				left.push(`${what}: ${messageOf(error)}`);
			}
		}
		return left;
	}
}
