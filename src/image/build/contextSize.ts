import { existsSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { abortError, throwIfAborted } from '../../common/errors.js';
import { type ContextSize, countContext } from './contextCount.js';

export type { ContextSize } from './contextCount.js';

/** What the thread gets and answers. */
export interface CountRequest {
	readonly context: string;
	readonly dockerfile: string;
}
export interface CountAnswer {
	readonly soFar?: ContextSize;
	readonly whole?: ContextSize;
	readonly error?: { readonly message: string; readonly code: string | undefined };
}

/** Milliseconds between two reports of what is counted. */
export const REPORT_MS = 200;

/** Beside the bundle that this is part of; absent where the sources run as they are. */
const PROGRAM = 'context.js';

export interface CountOptions {
	readonly signal?: AbortSignal | undefined;
	/** Gets what is counted so far, a few times a second. */
	readonly onProgress?: ((soFar: ContextSize) => void) | undefined;
	/** Folder of the thread's program. */
	readonly programs?: string | undefined;
}

/**
 * Bytes and files of a build context without what its ignore file leaves out, however many there are: counted in a thread of its own, so
 * that nobody waits for a slow disk or for millions of files; in this thread, with pauses, where the program of the thread is not at hand.
 * Cancelling ends the thread at once. Rejects with the error of the file system when the folder itself cannot be read.
 */
export async function contextSize(context: string, dockerfile: string, options: CountOptions = {}): Promise<ContextSize> {
	const { programs = typeof __dirname === 'string' ? __dirname : undefined } = options;
	throwIfAborted(options.signal);
	const program = programs === undefined ? undefined : path.join(programs, PROGRAM);
	return program !== undefined && existsSync(program)
		? inThread(program, { context, dockerfile }, options)
		: inThisThread({ context, dockerfile }, options);
}

function inThread(program: string, request: CountRequest, { signal, onProgress }: CountOptions): Promise<ContextSize> {
	const worker = new Worker(program, { workerData: request });
	worker.unref();
	return new Promise<ContextSize>((resolve, reject) => {
		const stop = (): void => reject(abortError());
		signal?.addEventListener('abort', stop, { once: true });
		worker.on('message', ({ soFar, whole, error }: CountAnswer) => {
			if (whole) {
				resolve(whole);
			} else if (error) {
				reject(Object.assign(new Error(error.message), { code: error.code }));
			} else if (soFar && signal?.aborted !== true) {
				onProgress?.(soFar);
			}
		});
		worker.on('error', reject);
		worker.on('exit', () => {
			signal?.removeEventListener('abort', stop);
			reject(new Error('The count has ended.'));
		});
	}).finally(() => {
		void worker.terminate();
	});
}

async function inThisThread({ context, dockerfile }: CountRequest, { signal, onProgress }: CountOptions): Promise<ContextSize> {
	const counting = countContext(context, dockerfile);
	let reported = Date.now();
	let next = counting.next();
	try {
		for (; next.done !== true; next = counting.next()) {
			if (Date.now() - reported >= REPORT_MS) {
				reported = Date.now();
				onProgress?.(next.value);
			}
			await nextTurn();
			throwIfAborted(signal);
		}
		return next.value;
	} finally {
		counting.return(next.value); // closes the folder that is open
	}
}
