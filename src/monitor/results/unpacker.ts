import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';

import { BoincError, type ErrorCode } from '../../common/errors.js';
import { GROUP_BYTES, keepArchive, type KeepRequest, type Kept } from './keepArchive.js';
import { LANES } from './md5Module.js';
import { SpareMemory } from './spareMemory.js';

/** Compares and unpacks small results. `close` ends it; calls that run are ended with it. */
export interface Unpacker {
	/** Memory for a packed result of `size` bytes; it may hold anything. */
	room(size: number): Buffer;
	/** Takes the bytes over: the caller's buffer is empty afterwards, and its memory is used for others. Rejects as `keepArchive` does. */
	keep(bytes: Buffer, request: KeepRequest): Promise<Kept>;
	close(): Promise<void>;
}

/** The same without a thread. */
export const inThisThread: Unpacker = {
	room: (size) => Buffer.allocUnsafeSlow(size),
	keep: (bytes, request) => keepArchive(bytes, request),
	close: () => Promise.resolve(),
};

/** What the thread gets and answers. */
export interface ThreadRequest extends KeepRequest {
	readonly id: number;
	readonly bytes: Uint8Array;
}
export interface ThreadAnswer {
	readonly id: number;
	/** What the request brought. */
	readonly bytes: Uint8Array;
	readonly kept?: Kept;
	readonly error?: { readonly code?: ErrorCode; readonly message: string; readonly remedy?: string };
}

/** Beside the bundle that this is part of; absent where the sources run as they are. */
const PROGRAM = 'unpack.js';

/**
 * Threads at most. One is not enough: to unpack takes three to four times as long as to decrypt, most of it the hash and the making of
 * files.
 */
const THREADS = 3;
/** Bytes that results leave for later ones. */
const MOST_SPARE = 64 * 2 ** 20;

/**
 * An unpacker in threads of its own, which the file system may keep waiting while this one decrypts; in this thread where the program
 * of the threads is not at hand.
 */
export function createUnpacker(folder: string | undefined = typeof __dirname === 'string' ? __dirname : undefined): Unpacker {
	const program = folder === undefined ? undefined : path.join(folder, PROGRAM);
	return program !== undefined && existsSync(program) ? new ThreadedUnpacker(program) : inThisThread;
}

/** Gives results to the thread that has least to do: to one as many in a row as it hashes together. */
class ThreadedUnpacker implements Unpacker {
	readonly #spare = new SpareMemory(MOST_SPARE);
	readonly #threads: readonly UnpackThread[];
	#given: { readonly thread: UnpackThread; count: number; bytes: number } | undefined;

	constructor(program: string) {
		const count = Math.min(THREADS, Math.max(2, availableParallelism() - 1));
		this.#threads = Array.from({ length: count }, () => new UnpackThread(program, this.#spare));
	}

	room(size: number): Buffer {
		return this.#spare.take(size);
	}

	keep(bytes: Buffer, request: KeepRequest): Promise<Kept> {
		const { length } = bytes;
		if (this.#given === undefined || this.#given.count === LANES || this.#given.bytes + length > GROUP_BYTES) {
			const thread = this.#threads.reduce((best, other) => (other.waiting < best.waiting ? other : best));
			this.#given = { thread, count: 0, bytes: 0 };
		}
		this.#given.count++;
		this.#given.bytes += length;
		return this.#given.thread.keep(bytes, request);
	}

	async close(): Promise<void> {
		await Promise.all(this.#threads.map((thread) => thread.close()));
	}
}

class UnpackThread {
	readonly #worker: Worker;
	readonly #spare: SpareMemory;
	readonly #waiting = new Map<number, { readonly resolve: (kept: Kept) => void; readonly reject: (error: unknown) => void }>();
	#count = 0;
	#ended: Error | undefined;

	constructor(program: string, spare: SpareMemory) {
		this.#spare = spare;
		this.#worker = new Worker(program);
		this.#worker.unref();
		this.#worker.on('message', (answer: ThreadAnswer) => this.#take(answer));
		this.#worker.on('error', (error) => this.#fail(error));
		this.#worker.on('exit', () => this.#fail(new BoincError('result-corrupt', 'Unpacking has ended.')));
	}

	/** Results that it has not answered. */
	get waiting(): number {
		return this.#waiting.size;
	}

	keep(bytes: Buffer, request: KeepRequest): Promise<Kept> {
		if (this.#ended !== undefined) {
			return Promise.reject(this.#ended);
		}
		const id = ++this.#count;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject });
			const message: ThreadRequest = { ...request, id, bytes };
			this.#worker.postMessage(message, bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : []);
		});
	}

	async close(): Promise<void> {
		await this.#worker.terminate();
	}

	#take({ id, bytes, kept, error }: ThreadAnswer): void {
		if (bytes.buffer instanceof ArrayBuffer) {
			this.#spare.give(bytes.buffer);
		}
		const waiting = this.#waiting.get(id);
		this.#waiting.delete(id);
		if (kept) {
			waiting?.resolve(kept);
		} else {
			const message = error?.message ?? '';
			const remedy = error?.remedy === undefined ? {} : { remedy: error.remedy };
			waiting?.reject(error?.code === undefined ? new Error(message) : new BoincError(error.code, message, remedy));
		}
	}

	#fail(error: Error): void {
		this.#ended ??= error;
		for (const { reject } of this.#waiting.values()) {
			reject(error);
		}
		this.#waiting.clear();
	}
}
