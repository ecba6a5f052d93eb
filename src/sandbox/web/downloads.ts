import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A range of bytes, both ends included. */
export interface ByteRange {
	readonly start: number;
	readonly end: number;
}

/**
 * Reads a `Range` header for a file of `size` bytes: a single range, `'all'` when there is none that we understand (then
 * the whole file is the right answer), or `'unsatisfiable'`.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'all' | 'unsatisfiable' {
	const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
	if (!match || (match[1] === '' && match[2] === '')) {
		return 'all';
	}
	if (match[1] === '') {
		const length = Math.min(Number(match[2]), size);
		return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
	}
	const start = Number(match[1]);
	const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
	if (start >= size) {
		return 'unsatisfiable';
	}
	return end < start ? 'all' : { start, end };
}

/**
 * Answers GET and HEAD for the file `relative` (already decoded) below `folder`. 404 for what is no file, lies outside or
 * starts with a dot: a client takes that for final and fails the task, as with a real server.
 */
export async function serveFile(
	request: IncomingMessage,
	response: ServerResponse,
	folder: string,
	relative: string,
): Promise<void> {
	if (request.method !== 'GET' && request.method !== 'HEAD') {
		response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end();
		return;
	}
	const file = filePath(folder, relative);
	const info = file === undefined ? undefined : await stat(file).catch(() => undefined);
	if (file === undefined || !info?.isFile()) {
		notFound(response);
		return;
	}
	const modified = new Date(info.mtimeMs).toUTCString();
	const tag = `"${info.size.toString(16)}-${Math.floor(info.mtimeMs).toString(16)}"`;
	const condition = request.headers['if-range'];
	const usable = condition === undefined || condition === tag || condition === modified;
	const range = usable ? parseRange(request.headers.range, info.size) : 'all';
	if (range === 'unsatisfiable') {
		response.writeHead(416, { 'Content-Range': `bytes */${info.size}`, 'Content-Length': 0 }).end();
		return;
	}
	const { start, end } = range === 'all' ? { start: 0, end: info.size - 1 } : range;
	const length = end - start + 1;
	// Set one by one, headers can be read again: the access log wants the length.
	response.setHeader('Content-Length', length);
	response.writeHead(range === 'all' ? 200 : 206, {
		'Accept-Ranges': 'bytes',
		'Content-Type': 'application/octet-stream',
		'Last-Modified': modified,
		ETag: tag,
		...(range !== 'all' && { 'Content-Range': `bytes ${start}-${end}/${info.size}` }),
	});
	if (request.method === 'HEAD' || length === 0) {
		response.end();
		return;
	}
	await pipeline(createReadStream(file, { start, end }), response);
}

/** The file's path; `undefined` for names that lead outside or to hidden files. */
function filePath(folder: string, relative: string): string | undefined {
	const parts = relative.split('/').filter((part) => part !== '');
	const usable = parts.length > 0 && !parts.some((part) => part.startsWith('.') || part.includes('\0'));
	return usable ? path.join(folder, ...parts) : undefined;
}

/** A plain "not found". */
export function notFound(response: ServerResponse): void {
	const body = 'Not found\n';
	response.setHeader('Content-Length', body.length);
	response.writeHead(404, { 'Content-Type': 'text/plain' }).end(body);
}
