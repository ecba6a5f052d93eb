import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { descendantsOf, type ProcessMark, stillRunning } from './processTree.js';

/** How a program was called. */
export interface EngineCall {
	readonly command: string;
	readonly args: readonly string[];
	/** The whole environment. */
	readonly env: NodeJS.ProcessEnv;
	readonly cwd?: string;
}

export interface ProcessEnd {
	/** Exit code; 128 and more when a signal ended it. */
	readonly code: number;
	/** The last 64 KiB of standard error. */
	readonly stderr: string;
}

const STDERR_BYTES = 1 << 16;
const GRACE_MS = 5_000;

/** A running engine command. */
export class EngineProcess {
	readonly stdout: Readable;
	readonly stderr: Readable;
	readonly #child: ChildProcessByStdio<null, Readable, Readable>;
	readonly #ended: Promise<ProcessEnd>;
	#running = true;

	private constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
		this.#child = child;
		this.stdout = child.stdout;
		this.stderr = child.stderr;
		let stderr = '';
		child.stderr.on('data', (chunk: Buffer) => {
			stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_BYTES);
		});
		this.#ended = new Promise((resolve) => {
			child.once('close', (code, signal) => {
				resolve({ code: code ?? (signal === null ? 255 : 128), stderr });
			});
		});
		child.once('exit', () => {
			this.#running = false;
		});
	}

	/** Starts the program; rejects when it cannot be started (`ENOENT`). */
	static start(call: EngineCall): Promise<EngineProcess> {
		return new Promise((resolve, reject) => {
			const child = spawn(call.command, [...call.args], {
				env: call.env,
				cwd: call.cwd,
				stdio: ['ignore', 'pipe', 'pipe'],
				windowsHide: true,
			});
			const started = new EngineProcess(child);
			child.once('error', reject);
			child.once('spawn', () => resolve(started));
		});
	}

	get pid(): number | undefined {
		return this.#child.pid;
	}

	/** Resolves when the program has ended and its output is read. */
	ended(): Promise<ProcessEnd> {
		return this.#ended;
	}

	/**
	 * Ends the program and everything it started; resolves when all of that is gone. The processes of a build step go
	 * first: Podman's builder then sees its step fail, unmounts and removes its working container, and ends by itself.
	 * (Ended by a signal it would leave the step running and its file system mounted; verified with 4.3.) Docker's
	 * daemon stops the build when its client goes.
	 */
	async end(): Promise<void> {
		const { pid } = this.#child;
		if (pid === undefined) {
			return;
		}
		const seen = new Map<string, ProcessMark>();
		const look = async (): Promise<ProcessMark[]> => {
			for (const mark of this.#running ? await descendantsOf(pid) : []) {
				seen.set(`${mark.pid} ${mark.started}`, mark);
			}
			return stillRunning([...seen.values()]);
		};
		// Below the builder is one helper; what runs in a container is below that, and the helper cleans up behind it.
		const below = await look();
		const contained = below.length > 1 ? below.slice(1) : below;
		if (contained.length > 0) {
			kill(contained, 'SIGKILL');
			await this.#endedWithin(GRACE_MS);
		}
		if (this.#running) {
			this.#child.kill('SIGTERM');
			await this.#endedWithin(GRACE_MS);
		}
		const left = await look();
		kill(left, 'SIGKILL');
		if (this.#running) {
			this.#child.kill('SIGKILL');
		}
		this.stdout.destroy();
		this.stderr.destroy();
		for (let waited = 0; waited < GRACE_MS && (await stillRunning(left)).length > 0; waited += 20) {
			await sleep(20);
		}
		await this.#endedWithin(GRACE_MS);
	}

	async #endedWithin(ms: number): Promise<void> {
		const stop = new AbortController();
		try {
			await Promise.race([this.#ended, sleep(ms, undefined, { signal: stop.signal })]);
		} finally {
			stop.abort();
		}
	}
}

function kill(marks: readonly ProcessMark[], signal: NodeJS.Signals): void {
	for (const { pid } of marks) {
		try {
			process.kill(pid, signal);
		} catch {
			// It has ended by itself, or belongs to another account and ends with its parent.
		}
	}
}
