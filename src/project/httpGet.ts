import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';

import { abortError, BoincError, isAbort, messageOf } from '../common/errors.js';

export interface GetOptions {
	/** More bytes than this are refused. */
	readonly maxBytes: number;
	/** Deadline for the whole transfer in milliseconds. Default 120,000. */
	readonly timeoutMs?: number;
	readonly signal?: AbortSignal;
	/** `http_proxy`, `https_proxy`, `no_proxy` in lower or upper case. Default: of this process. */
	readonly env?: Readonly<Record<string, string | undefined>>;
	readonly accept?: string;
}

export interface Downloaded {
	/** Address after redirects. */
	readonly url: string;
	readonly body: Buffer;
}

const MAX_REDIRECTS = 5;

/** Fetches a file by HTTP or HTTPS, following redirects. Rejects with `download-failed`, `timeout` or an `AbortError`. */
export async function httpGet(url: string, options: GetOptions): Promise<Downloaded> {
	const timeout = AbortSignal.timeout(options.timeoutMs ?? 120_000);
	const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
	try {
		let address = new URL(url);
		for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
			const answer = await request(address, options, signal);
			if ('body' in answer) {
				return { url: address.href, body: answer.body };
			}
			const next = new URL(answer.location, address);
			if (address.protocol === 'https:' && next.protocol !== 'https:') {
				throw new Error(`it is redirected from HTTPS to ${next.protocol.slice(0, -1)}`);
			}
			address = next;
		}
		throw new Error(`more than ${MAX_REDIRECTS} redirects`);
	} catch (error) {
		if (options.signal?.aborted) {
			throw abortError();
		}
		if (timeout.aborted || isAbort(error)) {
			throw new BoincError('timeout', `${url} did not arrive in time.`, {
				remedy: 'Try again, or fetch the file another way.',
				cause: error,
			});
		}
		throw new BoincError('download-failed', `${url} could not be fetched: ${messageOf(error)}.`, {
			remedy: 'Check the address and the network; behind a proxy, set https_proxy.',
			detail: { url },
			cause: error,
		});
	}
}

/** The proxy for an address by the usual environment variables; `undefined` for a direct connection. */
export function proxyFor(address: URL, env: Readonly<Record<string, string | undefined>>): URL | undefined {
	const value = (name: string): string => env[name.toLowerCase()] ?? env[name.toUpperCase()] ?? '';
	const host = address.hostname.toLowerCase();
	const direct = value('no_proxy')
		.split(',')
		.map((entry) =>
			entry
				.trim()
				.toLowerCase()
				.replace(/^\*?\./, '')
				.replace(/:\d+$/, ''),
		)
		.some((entry) => entry === '*' || (entry !== '' && (host === entry || host.endsWith(`.${entry}`))));
	const proxy = value(address.protocol === 'https:' ? 'https_proxy' : 'http_proxy') || value('all_proxy');
	if (direct || proxy === '' || /^socks/i.test(proxy)) {
		return undefined;
	}
	return new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

function credentials(proxy: URL): Record<string, string> {
	return proxy.username === ''
		? {}
		: {
				'proxy-authorization': `Basic ${Buffer.from(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`).toString('base64')}`,
			};
}

async function request(address: URL, options: GetOptions, signal: AbortSignal): Promise<{ body: Buffer } | { location: string }> {
	if (address.protocol !== 'http:' && address.protocol !== 'https:') {
		throw new Error(`${address.protocol.slice(0, -1)} is not supported`);
	}
	const proxy = proxyFor(address, options.env ?? process.env);
	const headers = { 'user-agent': 'boinc2docker', accept: options.accept ?? '*/*' };
	if (address.protocol === 'https:') {
		const tunnel = proxy && (await openTunnel(proxy, address, signal));
		return receive(
			https.request(address, {
				headers,
				signal,
				agent: false,
				...(tunnel && { createConnection: () => tls.connect({ socket: tunnel, servername: address.hostname }) }),
			}),
			options.maxBytes,
		);
	}
	return receive(
		proxy
			? http.request(proxy, {
					path: address.href,
					headers: { ...headers, host: address.host, ...credentials(proxy) },
					signal,
					agent: false,
				})
			: http.request(address, { headers, signal, agent: false }),
		options.maxBytes,
	);
}

/** Asks a proxy for a byte stream to the address. */
function openTunnel(proxy: URL, address: URL, signal: AbortSignal): Promise<Duplex> {
	const target = `${address.hostname}:${address.port === '' ? '443' : address.port}`;
	return new Promise((resolve, reject) => {
		http
			.request({
				host: proxy.hostname,
				port: proxy.port === '' ? 80 : Number(proxy.port),
				method: 'CONNECT',
				path: target,
				headers: { host: target, ...credentials(proxy) },
				signal,
				agent: false,
			})
			.on('connect', (response, socket) => {
				if (response.statusCode === 200) {
					resolve(socket);
				} else {
					socket.destroy();
					reject(new Error(`the proxy answers ${String(response.statusCode)} ${response.statusMessage ?? ''}`));
				}
			})
			.on('error', reject)
			.end();
	});
}

function receive(outgoing: http.ClientRequest, maxBytes: number): Promise<{ body: Buffer } | { location: string }> {
	return new Promise((resolve, reject) => {
		outgoing
			.on('error', reject)
			.on('response', (response) => {
				const status = response.statusCode ?? 0;
				if (status >= 300 && status < 400 && response.headers.location !== undefined) {
					response.destroy();
					resolve({ location: response.headers.location });
					return;
				}
				if (status !== 200) {
					response.destroy();
					reject(new Error(`the server answers ${status} ${response.statusMessage ?? ''}`.trim()));
					return;
				}
				collect(response, maxBytes).then((body) => resolve({ body }), reject);
			})
			.end();
	});
}

async function collect(response: http.IncomingMessage, maxBytes: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of response as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size > maxBytes) {
			response.destroy();
			throw new Error(`it is larger than ${maxBytes} bytes`);
		}
		chunks.push(chunk);
	}
	const announced = response.headers['content-length'];
	if (announced !== undefined && Number(announced) !== size) {
		throw new Error(`only ${size} of ${announced} bytes arrived`);
	}
	return Buffer.concat(chunks);
}
