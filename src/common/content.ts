import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

const READ = 1 << 18;

/** Content that can be read again from any offset: uploads resume with it. */
export interface Content {
	/** Bytes in all. */
	readonly size: number;
	/** SHA-256 in lower-case hex. */
	readonly sha256: string;
	/** MD5 in lower-case hex: BOINC's side files, templates and signatures use it. */
	readonly md5: string;
	/**
	 * The bytes from `offset` to the end. With `passing` the caller is done with a chunk when it asks for the next one, so
	 * that a few buffers serve for all: a large file costs much less time.
	 */
	open(offset: number, chunks?: 'passing'): AsyncIterable<Uint8Array>;
}

/** Content that is already in memory. */
export function contentOfBytes(bytes: Uint8Array | string): Content {
	const data = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
	return {
		size: data.length,
		sha256: createHash('sha256').update(data).digest('hex'),
		md5: createHash('md5').update(data).digest('hex'),
		open: async function* (offset) {
			await Promise.resolve();
			if (offset < data.length) {
				yield data.subarray(offset);
			}
		},
	};
}

/** Content of a local file. Reads it once for the hashes; the file must not change afterwards. */
export async function contentOfFile(path: string): Promise<Content> {
	const sha256 = createHash('sha256');
	const md5 = createHash('md5');
	let size = 0;
	for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
		sha256.update(chunk);
		md5.update(chunk);
		size += chunk.length;
	}
	return {
		size,
		sha256: sha256.digest('hex'),
		md5: md5.digest('hex'),
		open: (offset, chunks) =>
			chunks === 'passing' ? readAhead(path, offset) : createReadStream(path, { start: offset, highWaterMark: READ }),
	};
}

/** A file in two buffers: one is filled while the other is with the caller. */
async function* readAhead(path: string, offset: number): AsyncGenerator<Uint8Array> {
	const file = await open(path);
	let position = offset;
	const fill = async (buffer: Buffer): Promise<Buffer> => {
		const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
		position += bytesRead;
		return buffer.subarray(0, bytesRead);
	};
	let next: Promise<Buffer> | undefined;
	try {
		let [busy, idle] = [Buffer.allocUnsafeSlow(READ), Buffer.allocUnsafeSlow(READ)];
		next = fill(busy);
		for (;;) {
			const chunk = await next;
			if (chunk.length === 0) {
				return;
			}
			[busy, idle] = [idle, busy];
			next = fill(busy);
			yield chunk;
		}
	} finally {
		await next?.catch(() => undefined);
		await file.close();
	}
}

/** MD5 in lower-case hex and size in bytes of a file. */
export interface Md5Info {
	readonly md5: string;
	readonly size: number;
}

/** Reads a local file once, where SHA-256 is not needed. */
export async function md5OfFile(file: string): Promise<Md5Info> {
	const md5 = createHash('md5');
	let size = 0;
	for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
		md5.update(chunk);
		size += chunk.length;
	}
	return { md5: md5.digest('hex'), size };
}
