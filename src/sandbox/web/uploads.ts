import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, stat, statfs } from 'node:fs/promises';
import path from 'node:path';

import { messageOf } from '../../common/errors.js';
import { hierarchyPath } from '../../project/hierarchy.js';
import { escapeXml } from './lenientXml.js';
import { isTriggered, type ServerConfig } from './serverConfig.js';
import { DATA_MARK, isUploadName, MAX_HEADER, parseUploadHeader, type UploadRequest } from './uploadHeader.js';
import type { WebLog } from './webLog.js';

/** 0 is success, 1 "try again", -1 "give up". */
interface Outcome {
	readonly status: 0 | 1 | -1;
	readonly message?: string;
	readonly fileSize?: number;
}

const done: Outcome = { status: 0 };
const transient = (message: string): Outcome => ({ status: 1, message });
const permanent = (message: string): Outcome => ({ status: -1, message });

/** Below this much free space clients are told to come back later. */
const MIN_FREE_BYTES = 1e9;

/**
 * BOINC's `file_upload_handler`: takes bytes from an offset on, so that a cut upload goes on where it stopped. Each
 * answer is an XML text for a reply with status 200.
 */
export class UploadHandler {
	/** Files that are being written: a second writer of the same file is sent away. */
	readonly #busy = new Set<string>();

	/** Handles one request whose body is `body`. Never throws. */
	async handle(body: AsyncIterable<Uint8Array>, config: ServerConfig, log: WebLog): Promise<string> {
		const outcome = await this.#handle(body, config, log).catch((error: unknown) =>
			transient(`can't handle the upload: ${messageOf(error)}`),
		);
		if (outcome.message !== undefined) {
			log.upload(`returning ${outcome.status < 0 ? 'permanent' : 'transient'} error: ${outcome.message}`);
		}
		return uploadReply(outcome);
	}

	async #handle(body: AsyncIterable<Uint8Array>, config: ServerConfig, log: WebLog): Promise<Outcome> {
		if (await isTriggered(config.projectRoot, 'stop_upload')) {
			return transient('File uploads are temporarily disabled.');
		}
		const reader = body[Symbol.asyncIterator]();
		const { header, rest, hasData } = await readHeader(reader);
		const request = parseUploadHeader(header);
		switch (request.kind) {
			case 'unknown':
				return transient('no command');
			case 'size':
				return this.#size(request.name, config);
			case 'upload': {
				const outcome = hasData ? await this.#upload(request, rest, reader, config) : permanent('Missing <data> tag');
				log.upload(`upload of ${request.name} [offset=${request.offset}, nbytes=${request.nbytes ?? -1}]: ${outcome.status}`);
				return outcome;
			}
		}
	}

	async #size(name: string, config: ServerConfig): Promise<Outcome> {
		if (!isUploadName(name)) {
			return permanent('Bad filename');
		}
		const file = this.#path(name, config);
		if (this.#busy.has(file)) {
			return transient(`[${name}] locked by file_upload_handler`);
		}
		const space = await statfs(config.uploadDir);
		if (space.bavail * space.bsize < MIN_FREE_BYTES) {
			return transient('Server is out of disk space');
		}
		const size = await stat(file).then(
			(info) => info.size,
			() => 0,
		);
		return { status: 0, fileSize: size };
	}

	async #upload(
		request: UploadRequest & { kind: 'upload' },
		rest: Uint8Array,
		reader: AsyncIterator<Uint8Array>,
		config: ServerConfig,
	): Promise<Outcome> {
		const refusal = refuse(request, config);
		if (refusal) {
			return refusal;
		}
		const nbytes = request.nbytes ?? 0;
		const file = this.#path(request.name, config);
		if (this.#busy.has(file)) {
			return transient(`can't lock file ${request.name}: another upload is going on`);
		}
		this.#busy.add(file);
		try {
			await mkdir(path.dirname(file), { recursive: true, mode: 0o2771 });
			return await receive(file, request.name, request.offset, nbytes, rest, reader);
		} finally {
			this.#busy.delete(file);
		}
	}

	#path(name: string, config: ServerConfig): string {
		return path.join(config.uploadDir, hierarchyPath(name, config.uldlDirFanout));
	}
}

function refuse(request: UploadRequest & { kind: 'upload' }, config: ServerConfig): Outcome | undefined {
	if (request.name === '') {
		return permanent('Missing name');
	}
	if (!config.ignoreUploadCertificates && request.signature === '') {
		return permanent('missing signature');
	}
	if (!config.ignoreUploadCertificates && request.maxNbytes === undefined) {
		return permanent('missing max_nbytes');
	}
	if (request.nbytes === undefined) {
		return permanent('nbytes missing or negative');
	}
	// Without certificates the limit is only the client's word, and the stock handler does not look at it.
	if (!config.ignoreUploadCertificates && request.maxNbytes !== undefined && request.nbytes > request.maxNbytes) {
		return permanent(
			`file size (${Math.floor(request.nbytes / 1024)} KB) exceeds limit (${Math.floor(request.maxNbytes / 1024)} KB)`,
		);
	}
	return isUploadName(request.name) ? undefined : permanent(`file_upload_handler: invalid filename: ${request.name}`);
}

/** Writes the bytes `offset` to `nbytes` of the file; what arrived stays there also when the link is cut. */
async function receive(
	file: string,
	name: string,
	offset: number,
	nbytes: number,
	rest: Uint8Array,
	reader: AsyncIterator<Uint8Array>,
): Promise<Outcome> {
	const existing = await stat(file).catch(() => undefined);
	// A read-only file was complete before; root could write to it all the same.
	if (existing && (existing.mode & 0o222) === 0) {
		return done;
	}
	if (offset > (existing?.size ?? 0)) {
		return transient(`length of file ${name} ${existing?.size ?? 0} bytes < offset ${offset} bytes`);
	}
	if (nbytes > 0 && offset >= nbytes) {
		return done;
	}
	const handle = await open(file, existing ? 'r+' : 'w', 0o644);
	try {
		const received = await copy(handle, offset, nbytes, rest, reader);
		if (received < nbytes) {
			return transient(`EOF on socket read : asked for ${nbytes - offset}, got ${received - offset}`);
		}
		// An empty or shorter file replaces a longer one that an earlier instance of the same name left.
		await handle.truncate(nbytes);
		return done;
	} finally {
		await handle.close();
	}
}

/** Returns the position after the last byte that was written. */
async function copy(
	handle: FileHandle,
	offset: number,
	nbytes: number,
	rest: Uint8Array,
	reader: AsyncIterator<Uint8Array>,
): Promise<number> {
	let position = offset;
	let chunk: Uint8Array | undefined = rest;
	while (chunk && position < nbytes) {
		const wanted: Uint8Array = chunk.subarray(0, nbytes - position);
		let written = 0;
		while (written < wanted.length) {
			written += (await handle.write(wanted, written, wanted.length - written, position + written)).bytesWritten;
		}
		position += wanted.length;
		chunk = position < nbytes ? await nextChunk(reader) : undefined;
	}
	return position;
}

/** The next chunk; a cut connection ends the body like any other end. */
async function nextChunk(reader: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
	try {
		const next = await reader.next();
		return next.done === true ? undefined : next.value;
	} catch {
		return undefined;
	}
}

/** Reads up to the mark that ends the XML; bytes that came along are `rest`. */
async function readHeader(
	reader: AsyncIterator<Uint8Array>,
): Promise<{ readonly header: string; readonly rest: Uint8Array; readonly hasData: boolean }> {
	let buffer = Buffer.alloc(0);
	for (;;) {
		const end = buffer.indexOf(DATA_MARK);
		if (end >= 0) {
			return { header: buffer.toString('utf8', 0, end), rest: buffer.subarray(end + DATA_MARK.length), hasData: true };
		}
		const chunk = buffer.length > MAX_HEADER ? undefined : await nextChunk(reader);
		if (!chunk) {
			return { header: buffer.toString('utf8'), rest: new Uint8Array(), hasData: false };
		}
		buffer = Buffer.concat([buffer, chunk]);
	}
}

function uploadReply(outcome: Outcome): string {
	const lines = ['<data_server_reply>', `    <status>${outcome.status}</status>`];
	if (outcome.message !== undefined) {
		lines.push(`    <message>${escapeXml(outcome.message)}</message>`);
	}
	if (outcome.fileSize !== undefined) {
		lines.push(`    <file_size>${outcome.fileSize}</file_size>`);
	}
	lines.push('</data_server_reply>', '');
	return lines.join('\n');
}
