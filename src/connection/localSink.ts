import type { Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

const BATCH = 1024 * 1024;

/** Appends to a local file in large writes; hashes on the way if it continues one. One write runs while the next batch fills. */
export class LocalSink {
	#batch: Uint8Array[] = [];
	#size = 0;
	#writing: Promise<void> | undefined;
	#hash: Hash | undefined;

	/** `hash` has seen what the file, opened for appending, holds already; absent for an empty file. */
	constructor(
		readonly handle: FileHandle,
		hash: Hash | undefined,
	) {
		this.#hash = hash;
	}

	/** Takes a chunk; the promise, when there is one, is back-pressure. */
	push(chunk: Uint8Array): void | Promise<void> {
		this.#hash?.update(chunk);
		this.#batch.push(chunk);
		this.#size += chunk.length;
		if (this.#size < BATCH) {
			return;
		}
		if (!this.#writing) {
			this.#flush();
			return;
		}
		return this.#writing.then(() => this.#flush());
	}

	/** Forgets everything: the file is empty again. */
	async restart(): Promise<void> {
		await this.handle.truncate(0);
		this.#hash = undefined;
	}

	/** Writes what is left. */
	async finish(): Promise<void> {
		await this.#writing;
		this.#flush();
		await this.#writing;
	}

	/** SHA-256 of the whole file in hex if it was continued; ends the hashing. */
	digest(): string | undefined {
		return this.#hash?.digest('hex');
	}

	#flush(): void {
		const batch = this.#batch;
		if (batch.length === 0) {
			return;
		}
		this.#batch = [];
		this.#size = 0;
		this.#writing = this.#write(batch);
		// Whoever waits for it next gets the error.
		this.#writing.catch(() => undefined);
	}

	async #write(batch: readonly Uint8Array[]): Promise<void> {
		let left = [...batch];
		while (left.length > 0) {
			const { bytesWritten } = await this.handle.writev(left);
			left = dropped(left, bytesWritten);
		}
		this.#writing = undefined;
	}
}

/** What is left of `chunks` without their first `count` bytes. */
function dropped(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
	let left = count;
	return chunks.flatMap((chunk) => {
		const skip = Math.min(left, chunk.length);
		left -= skip;
		return skip === chunk.length ? [] : [chunk.subarray(skip)];
	});
}
