import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';

import { abortError, BoincError, messageOf, throwIfAborted } from '../common/errors.js';
import type { Argv, Bytes, ExecOptions, ExecResult } from './connection.js';
import { markedCommand } from './quoting.js';
import type { ProcessEnd, ServerProcess, Spawner } from './serverProcess.js';
import { type StartLine, StartLineReader } from './startLine.js';
import { terminate } from './termination.js';

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_MAX_STDOUT = 16 * 1024 * 1024;
const KEPT_STDERR = 64 * 1024;
/** A daemon may keep the output open after the command ended; this much silence ends the waiting. */
const LINGER_MS = 3_000;
const STDIN_SLICE = 256 * 1024;

/** Runs one program through `spawner`; the behaviour of `Connection.exec`, whatever the transport. */
export async function execute(spawner: Spawner, argv: Argv, options: ExecOptions = {}): Promise<ExecResult> {
	throwIfAborted(options.signal);
	const mark = `b2d-${randomBytes(8).toString('hex')}`;
	const script = markedCommand(mark, argv, options);
	const process = await spawner.spawn(script, options.signal ? { signal: options.signal } : {});
	return new Execution(spawner, process, argv, mark, options).result();
}

class Execution {
	readonly #stdout: Bytes[] = [];
	#stdoutSize = 0;
	#stderr: Buffer = Buffer.alloc(0);
	#processId: number | undefined;
	#started: (processId: number) => void = () => undefined;
	readonly #start = new Promise<number>((resolve) => (this.#started = resolve));
	#ended = false;
	#busy = 0;
	#lastActivity = performance.now();
	/** Rejects when something demands the end of the command. */
	readonly #stopped: Promise<never>;
	#stop: (reason: unknown) => void = () => undefined;

	constructor(
		readonly spawner: Spawner,
		readonly process: ServerProcess,
		readonly argv: Argv,
		readonly mark: string,
		readonly options: ExecOptions,
	) {
		this.#stopped = new Promise<never>((_, reject) => (this.#stop = reject));
		this.#stopped.catch(() => undefined);
	}

	async result(): Promise<ExecResult> {
		const { signal } = this.options;
		const onAbort = (): void => this.#stop(abortError());
		signal?.addEventListener('abort', onAbort, { once: true });
		if (signal?.aborted) {
			onAbort();
		}
		const timers = this.#startTimers();
		try {
			return await Promise.race([this.#run(), this.#stopped]);
		} catch (error) {
			if (!this.#ended) {
				await terminate(this.spawner, this.process, this.#start);
			}
			throw error;
		} finally {
			signal?.removeEventListener('abort', onAbort);
			timers.forEach(clearInterval);
			this.process.close();
		}
	}

	async #run(): Promise<ExecResult> {
		const reader = new StartLineReader(this.mark, (line) => this.#onStart(line));
		const outputs = Promise.all([
			consume(this.process.stdout, (chunk) => this.#onStdout(reader.push(chunk))),
			consume(this.process.stderr, (chunk) => this.#onStderr(chunk)),
		]);
		outputs.catch((error: unknown) => this.#stop(error));
		this.#feed().catch((error: unknown) => this.#stop(error));
		const end = await this.process.ended;
		this.#ended = true;
		await Promise.race([outputs, this.#silence()]);
		return this.#conclude(end, reader);
	}

	#conclude(end: ProcessEnd, reader: StartLineReader): ExecResult {
		if (end.kind === 'lost') {
			throw new BoincError(
				'connection-lost',
				`The connection to ${this.spawner.name} ended while ${this.argv[0]} ran: ${end.reason}.`,
			);
		}
		const code = end.kind === 'exited' ? end.code : 128 + signalNumber(end.signal);
		if (this.#processId === undefined) {
			const said = `${reader.noise.toString('utf8')}\n${this.#stderr.toString('utf8')}`.trim();
			throw new BoincError(
				'command-failed',
				`${this.spawner.name} did not start ${this.argv[0]}: its login shell ended with code ${code}${said === '' ? '' : ` and said “${said.slice(0, 500)}”`}.`,
				{ remedy: 'Log in to the server in a terminal and see whether the account has a working shell.', detail: { code } },
			);
		}
		return { stdout: Buffer.concat(this.#stdout), stderr: this.#stderr, code };
	}

	#onStart(line: StartLine): void {
		if (line === 'no-folder') {
			const folder = this.options.cwd ?? '';
			throw new BoincError('file-not-found', `The folder ${folder} cannot be entered on ${this.spawner.name}.`, {
				remedy: 'Check that it exists and that the account may open it.',
				detail: { path: folder },
			});
		}
		this.#processId = line;
		this.#started(line);
	}

	#onStdout(chunk: Bytes): void | Promise<void> {
		this.#lastActivity = performance.now();
		this.process.consumed?.(chunk.length);
		if (chunk.length === 0) {
			return;
		}
		const { onStdout, maxStdout = DEFAULT_MAX_STDOUT } = this.options;
		if (onStdout) {
			const pending = onStdout(chunk);
			if (pending) {
				this.#busy++;
				return pending.finally(() => {
					this.#busy--;
					this.#lastActivity = performance.now();
				});
			}
			return;
		}
		this.#stdoutSize += chunk.length;
		if (this.#stdoutSize > maxStdout) {
			throw new BoincError(
				'command-failed',
				`${this.argv[0]} on ${this.spawner.name} wrote more than ${maxStdout} bytes of output.`,
				{
					detail: { maxStdout },
				},
			);
		}
		this.#stdout.push(chunk);
	}

	#onStderr(chunk: Buffer): void {
		this.#lastActivity = performance.now();
		this.options.onStderr?.(chunk);
		const joined = Buffer.concat([this.#stderr, chunk]);
		this.#stderr = joined.subarray(-KEPT_STDERR);
	}

	/** Sends standard input, chunk by chunk. A command that ends without reading it is no error. */
	async #feed(): Promise<void> {
		const { stdin } = this.process;
		stdin.on('error', () => undefined);
		let release: () => void = () => undefined;
		// A channel that is gone may never say that it has written.
		void this.process.ended.then(() => release());
		for await (const chunk of slices(this.options.stdin)) {
			if (this.#ended || stdin.destroyed || !stdin.writable) {
				return;
			}
			this.#lastActivity = performance.now();
			const outcome = await new Promise<'written' | 'gone'>((resolve) => {
				release = () => resolve('gone');
				stdin.write(chunk, () => resolve('written'));
			});
			if (outcome === 'gone') {
				return;
			}
		}
		stdin.end();
	}

	#startTimers(): NodeJS.Timeout[] {
		const { timeoutMs = DEFAULT_TIMEOUT_MS, idleTimeoutMs } = this.options;
		const timers: NodeJS.Timeout[] = [];
		if (Number.isFinite(timeoutMs)) {
			timers.push(setTimeout(() => this.#stop(this.#timeout(`within ${String(timeoutMs / 1000)} s`)), timeoutMs));
		}
		if (idleTimeoutMs !== undefined && Number.isFinite(idleTimeoutMs)) {
			const check = (): void => {
				if (this.#busy === 0 && performance.now() - this.#lastActivity >= idleTimeoutMs) {
					this.#stop(this.#timeout(`or show any sign of life for ${String(idleTimeoutMs / 1000)} s`));
				}
			};
			timers.push(setInterval(check, Math.max(10, idleTimeoutMs / 4)));
		}
		return timers;
	}

	#timeout(limit: string): BoincError {
		return new BoincError('timeout', `${this.argv[0]} on ${this.spawner.name} did not finish ${limit}, and was ended.`, {
			remedy: 'Look whether the server is overloaded, and try again.',
		});
	}

	/** Resolves when nothing has arrived for a while. */
	#silence(): Promise<void> {
		return new Promise((resolve) => {
			this.#lastActivity = performance.now();
			const check = (): void => {
				const left = this.#busy > 0 ? LINGER_MS : LINGER_MS - (performance.now() - this.#lastActivity);
				if (left <= 0) {
					resolve();
				} else {
					setTimeout(check, left + 1).unref();
				}
			};
			check();
		});
	}
}

/** Calls `take` for each chunk in order, one at a time; resolves when the last one has been taken. */
function consume(stream: Readable, take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
	return new Promise((resolve, reject) => {
		let busy: Promise<void> | undefined;
		const fail = (error: unknown): void => {
			stream.pause();
			reject(error instanceof Error ? error : new Error(messageOf(error)));
		};
		const finish = (): void => void (busy ?? Promise.resolve()).then(resolve, fail);
		stream.on('data', (chunk: Buffer) => {
			try {
				// Node resumes the output of a child process when that ends: chunks may come in spite of the pause.
				const pending = busy ? busy.then(() => take(chunk)) : take(chunk);
				if (pending) {
					busy = pending;
					stream.pause();
					pending.then(() => {
						if (busy === pending) {
							busy = undefined;
							stream.resume();
						}
					}, fail);
				}
			} catch (error) {
				fail(error);
			}
		});
		stream.once('end', finish);
		stream.once('close', finish);
		stream.once('error', fail);
	});
}

async function* slices(input: ExecOptions['stdin']): AsyncGenerator<Bytes> {
	if (input === undefined) {
		return;
	}
	if (typeof input === 'string' || input instanceof Uint8Array) {
		const bytes = typeof input === 'string' ? Buffer.from(input, 'utf8') : input;
		for (let start = 0; start < bytes.length; start += STDIN_SLICE) {
			yield bytes.subarray(start, start + STDIN_SLICE);
		}
		return;
	}
	yield* input;
}

const signalNumber = (name: string): number =>
	Object.entries(constants.signals).find(([known]) => known === name || known === `SIG${name}`)?.[1] ?? 0;
