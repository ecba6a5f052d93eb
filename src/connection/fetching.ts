import { posix } from 'node:path';

import { BoincError } from '../common/errors.js';
import type { Bytes, Connection, ExecResult, TransferOptions } from './connection.js';
import type { LocalSink } from './localSink.js';
import downloadScript from './scripts/download.sh';
import { transferProblem } from './transferProblem.js';

const IDLE_MS = 300_000;
const EMPTY = Buffer.alloc(0);

/** How one try to fetch a file ended. */
export interface Fetched {
	/** Whether the size is the one on the server, and after resuming the hash as well. */
	readonly intact: boolean;
	readonly received: number;
	readonly resumedAt: number;
}

/** One try to fetch a file into a sink that has the first `have` bytes already. */
export class Fetching {
	#header: Buffer | undefined = EMPTY;
	#problem: string | undefined;
	#size = 0;
	#resumedAt = 0;
	#received = 0;

	constructor(
		readonly connection: Pick<Connection, 'name' | 'exec'>,
		readonly path: string,
		readonly sink: LocalSink,
		readonly have: number,
		readonly options: TransferOptions,
	) {}

	/** Throws what the connection throws, and `file-not-found` or `permission-denied` for the file on the server. */
	async run(): Promise<Fetched> {
		const { connection, path } = this;
		const subject = { server: connection.name, path, doing: `read ${path}` };
		const { stderr, code } = await this.#download();
		const said = stderr.toString('utf8');
		if (this.#problem !== undefined || this.#header !== undefined) {
			throw transferProblem(subject, this.#problem ?? (said.trim() || `nothing was sent (code ${String(code)})`));
		}
		if (code !== 0) {
			throw transferProblem(subject, said.replace(/^sha256 .*\n/m, ''));
		}
		const complete = this.#resumedAt + this.#received === this.#size;
		if (this.#resumedAt === 0) {
			return { intact: complete, received: this.#received, resumedAt: 0 };
		}
		const expected = /^sha256 ([0-9a-f]{64})$/m.exec(said)?.[1];
		if (expected === undefined) {
			throw new BoincError('command-not-found', `${connection.name} has no program for SHA-256, so ${path} cannot be verified.`, {
				remedy: 'Install coreutils or openssl on the server.',
			});
		}
		return { intact: complete && this.sink.digest() === expected, received: this.#received, resumedAt: this.#resumedAt };
	}

	async #download(): Promise<ExecResult> {
		const { connection, path, options } = this;
		try {
			return await connection.exec(
				['sh', '-c', downloadScript, 'sh', path.startsWith('-') ? `./${path}` : path, String(this.have)],
				{
					onStdout: (chunk) => this.#push(chunk),
					timeoutMs: Number.POSITIVE_INFINITY,
					idleTimeoutMs: IDLE_MS,
					...(options.signal && { signal: options.signal }),
				},
			);
		} finally {
			await this.sink.finish();
		}
	}

	#push(chunk: Bytes): void | Promise<void> {
		if (this.#header === undefined) {
			return this.#take(chunk);
		}
		const seen = Buffer.concat([this.#header, chunk]);
		const end = seen.indexOf(0x0a);
		if (end < 0) {
			this.#header = seen;
			return;
		}
		const line = seen.toString('utf8', 0, end);
		const [word, size, offset] = line.split(' ');
		if (word !== 'file') {
			this.#problem ??= line;
			return;
		}
		this.#header = undefined;
		this.#size = Number(size);
		this.#resumedAt = Number(offset);
		const rest = seen.subarray(end + 1);
		return this.#resumedAt === this.have ? this.#take(rest) : this.sink.restart().then(() => this.#take(rest));
	}

	#take(chunk: Bytes): void | Promise<void> {
		if (chunk.length === 0) {
			return;
		}
		this.#received += chunk.length;
		this.options.progress?.report({
			message: `Fetching ${posix.basename(this.path)}`,
			current: this.#resumedAt + this.#received,
			total: this.#size,
			unit: 'bytes',
		});
		return this.sink.push(chunk);
	}
}
