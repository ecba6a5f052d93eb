import { type FileHandle, open } from 'node:fs/promises';

/** Bytes that can be read from any offset, by several readers at a time. */
export interface RandomAccess {
	readonly size: number;
	/** Fills `target` from `offset`; resolves to the number of bytes, which is smaller only at the end. */
	readInto(target: Buffer, offset: number): Promise<number>;
}

/** A local file. It must not change while it is open. */
export class LocalFile implements RandomAccess {
	readonly path: string;
	readonly size: number;
	readonly #handle: FileHandle;

	private constructor(path: string, handle: FileHandle, size: number) {
		this.path = path;
		this.#handle = handle;
		this.size = size;
	}

	static async open(path: string): Promise<LocalFile> {
		const handle = await open(path, 'r');
		return new LocalFile(path, handle, (await handle.stat()).size);
	}

	async readInto(target: Buffer, offset: number): Promise<number> {
		let filled = 0;
		while (filled < target.length) {
			const { bytesRead } = await this.#handle.read(target, filled, target.length - filled, offset + filled);
			if (bytesRead === 0) {
				break;
			}
			filled += bytesRead;
		}
		return filled;
	}

	close(): Promise<void> {
		return this.#handle.close();
	}
}

/** Bytes in memory. */
export class MemoryFile implements RandomAccess {
	readonly size: number;
	readonly bytes: Buffer;

	constructor(bytes: Buffer) {
		this.bytes = bytes;
		this.size = bytes.length;
	}

	readInto(target: Buffer, offset: number): Promise<number> {
		return Promise.resolve(this.bytes.copy(target, 0, offset));
	}
}

const WINDOW = 1 << 18;
const NOTHING = Buffer.alloc(0);

/**
 * Reads small pieces mostly forwards: headers and small files come out of one window of 256 KiB. For one sequence of
 * calls; several readers of the same source do not disturb each other.
 */
export class ForwardReader {
	readonly #source: RandomAccess;
	/** What lies in memory as a whole needs no window. */
	readonly #whole: Buffer | undefined;
	#window = NOTHING;
	#start = 0;
	#length = 0;

	constructor(source: RandomAccess) {
		this.#source = source;
		this.#whole = source instanceof MemoryFile ? source.bytes : undefined;
	}

	/** What `read` would resolve to, if that is at hand: millions of small reads need not wait for promises. */
	peek(offset: number, length: number): Buffer | undefined {
		if (this.#whole) {
			return offset + length <= this.#whole.length ? this.#whole.subarray(offset, offset + length) : undefined;
		}
		return offset >= this.#start && offset + length <= this.#start + this.#length
			? this.#window.subarray(offset - this.#start, offset - this.#start + length)
			: undefined;
	}

	/** Exactly `length` bytes, fewer only at the end. The buffer is valid until the next call. */
	async read(offset: number, length: number): Promise<Buffer> {
		if (this.#whole) {
			return this.#whole.subarray(offset, offset + length);
		}
		if (length > WINDOW) {
			const large = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#source.size - offset)));
			return large.subarray(0, await this.#source.readInto(large, offset));
		}
		const there = this.peek(offset, length);
		if (there) {
			return there;
		}
		if (this.#window === NOTHING) {
			this.#window = Buffer.allocUnsafe(WINDOW);
		}
		this.#length = await this.#source.readInto(this.#window, offset);
		this.#start = offset;
		return this.#window.subarray(offset - this.#start, Math.min(offset - this.#start + length, this.#length));
	}

	/** The bytes from `start` to before `end` in pieces, each valid until the next. Ends early where the source does. */
	async *stream(start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
		for (let at = start; at < end;) {
			const piece = await this.read(at, Math.min(WINDOW, end - at));
			if (piece.length === 0) {
				return;
			}
			yield piece;
			at += piece.length;
		}
	}
}
