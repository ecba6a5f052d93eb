import { request } from 'node:http';
import { request as secureRequest } from 'node:https';

import type { Connection } from '../../src/connection/connection.js';

export interface HttpAnswer {
	readonly status: number;
	readonly headers: NodeJS.Dict<string | string[]>;
	readonly body: Buffer;
}

const TIMEOUT_MS = 20_000;

/** Fetches a URL of the project as seen from its server: its host name may mean nothing here. */
export function httpGet(connection: Connection, url: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
	return exchange(connection, url, 'GET', headers, undefined);
}

export function httpPost(connection: Connection, url: string, body: Uint8Array | string): Promise<HttpAnswer> {
	return exchange(connection, url, 'POST', { 'Content-Type': 'application/x-www-form-urlencoded' }, Buffer.from(body));
}

async function exchange(
	connection: Connection,
	url: string,
	method: string,
	headers: Record<string, string>,
	body: Buffer | undefined,
): Promise<HttpAnswer> {
	const address = new URL(url);
	const secure = address.protocol === 'https:';
	const port = address.port === '' ? (secure ? 443 : 80) : Number(address.port);
	const stream = secure ? undefined : await connection.dial({ host: address.hostname, port }, AbortSignal.timeout(TIMEOUT_MS));
	// Ending the stream early is not an error here.
	stream?.on('error', () => undefined);
	try {
		return await new Promise((resolve, reject) => {
			const options = {
				method,
				headers: { ...headers, Connection: 'close', ...(body && { 'Content-Length': String(body.length) }) },
				timeout: TIMEOUT_MS,
				agent: false as const,
			};
			const outgoing = stream
				? request(address, { ...options, createConnection: () => stream })
				: secureRequest(address, options);
			outgoing.on('timeout', () => outgoing.destroy(new Error(`${url} did not answer within ${TIMEOUT_MS / 1000} s`)));
			outgoing.on('error', reject);
			outgoing.on('response', (response) => {
				const chunks: Buffer[] = [];
				response.on('data', (chunk: Buffer) => chunks.push(chunk));
				response.on('error', reject);
				response.on('end', () =>
					resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
				);
			});
			outgoing.end(body);
		});
	} finally {
		stream?.destroy();
	}
}
