import { BoincError } from '../../common/errors.js';
import type { Connection } from '../../connection/connection.js';
import { commandError } from '../../connection/run.js';
import { decodeBlock } from '../../image/tar/decodeBlock.js';
import { BLOCK, paddedSize } from '../../image/tar/tarHeader.js';

/** A file that arrived whole. */
export interface ArrivedFile {
	readonly name: string;
	readonly bytes: Buffer;
}

/** What does not fit is fetched by itself: a file of a stream is kept in memory until it is whole. */
export const LARGEST_STREAMED = 32 * 2 ** 20;
/** A header holds so long a name without extensions, behind `./`. */
export const LONGEST_STREAMED = 97;
const IDLE_MS = 300_000;
/** As much as a pipe holds at a time: by itself GNU tar writes 10 KiB. An environment variable, for other programs of that name ignore it. */
const TAR_OPTIONS = '--blocking-factor=128';

/** Where the files of a stream go. */
export interface FileSink {
	/** Memory for a file of `size` bytes. */
	room(size: number): Buffer;
	/** Gets each file when it has arrived; when this returns a promise the stream waits for it. */
	take(file: ArrivedFile): void | Promise<void>;
}

/**
 * Fetches files of one folder on the server in one stream: the server's own `tar` is told their names on its standard input.
 * Files that are not there any more are left out. Rejects as the connection does, with `command-not-found` without `tar`, or `transfer-corrupt`.
 */
export async function streamFiles(
	connection: Connection,
	folder: string,
	names: readonly string[],
	sink: FileSink,
	signal?: AbortSignal,
): Promise<void> {
	const stream = new FileStream(sink);
	const { code, stderr } = await connection.exec(['tar', '-c', '-f', '-', '-T', '-'], {
		cwd: folder,
		env: { LC_ALL: 'C', TAR_OPTIONS },
		// Without the dot a name may look like an option.
		stdin: names.map((name) => `./${name}\n`).join(''),
		onStdout: (chunk) => stream.push(chunk),
		timeoutMs: Number.POSITIVE_INFINITY,
		idleTimeoutMs: IDLE_MS,
		...(signal && { signal }),
	});
	if (!stream.ended || (stream.count === 0 && code === 127)) {
		const said = stderr.toString('utf8');
		throw code === 0
			? new BoincError('transfer-corrupt', `The results from ${connection.name} ended in the middle.`, { remedy: 'Fetch again.' })
			: commandError(connection.name, 'tar', `read the results in ${folder}`, code, said);
	}
}

/** Cuts a tar archive of plain files apart while it arrives. */
class FileStream {
	readonly #sink: FileSink;
	readonly #header = Buffer.alloc(BLOCK);
	#inHeader = 0;
	#file: { readonly name: string; readonly bytes: Buffer } | undefined;
	#filled = 0;
	#skip = 0;
	/** Whether the end of the archive has arrived. */
	ended = false;
	count = 0;

	constructor(sink: FileSink) {
		this.#sink = sink;
	}

	push(chunk: Uint8Array): void | Promise<void> {
		const waits: Promise<void>[] = [];
		for (let at = 0; at < chunk.length && !this.ended;) {
			if (this.#skip > 0) {
				const step = Math.min(this.#skip, chunk.length - at);
				this.#skip -= step;
				at += step;
			} else if (this.#file) {
				const step = Math.min(this.#file.bytes.length - this.#filled, chunk.length - at);
				this.#file.bytes.set(chunk.subarray(at, at + step), this.#filled);
				this.#filled += step;
				at += step;
			} else {
				const step = Math.min(BLOCK - this.#inHeader, chunk.length - at);
				this.#header.set(chunk.subarray(at, at + step), this.#inHeader);
				this.#inHeader += step;
				at += step;
				this.#begin();
			}
			const wait = this.#complete();
			if (wait) {
				waits.push(wait);
			}
		}
		return waits.length > 0 ? Promise.all(waits).then(() => undefined) : undefined;
	}

	/** Reads the header, once it is whole. */
	#begin(): void {
		if (this.#inHeader < BLOCK) {
			return;
		}
		this.#inHeader = 0;
		const header = decodeBlock(this.#header);
		if (header === 'end') {
			this.ended = true;
			return;
		}
		if ('trouble' in header) {
			throw new BoincError('transfer-corrupt', `The results arrived damaged: ${header.trouble}.`, { remedy: 'Fetch again.' });
		}
		const plain = header.typeFlag === '0' || header.typeFlag === '\0';
		if (plain && header.size <= LARGEST_STREAMED) {
			this.#file = { name: header.name.replace(/^\.\//, ''), bytes: this.#sink.room(header.size) };
			this.#filled = 0;
		} else {
			// Somebody replaced the file since it was listed, or this tar describes times in a header of its own.
			this.#skip = paddedSize(header.size);
		}
	}

	#complete(): void | Promise<void> {
		const file = this.#file;
		if (file?.bytes.length === this.#filled) {
			this.#file = undefined;
			this.#skip = paddedSize(file.bytes.length) - file.bytes.length;
			this.count++;
			return this.#sink.take(file);
		}
	}
}
