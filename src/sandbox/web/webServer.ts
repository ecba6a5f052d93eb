import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer as readAll } from 'node:stream/consumers';

import { messageOf } from '../../common/errors.js';
import { type Database, openDatabase } from '../database.js';
import { createAccount, databaseDown, lookupAccount } from './accounts.js';
import { notFound, serveFile } from './downloads.js';
import { masterPage, projectConfigDocument } from './pages.js';
import { isFeederRunning } from './scheduler/feeder.js';
import { handleSchedulerRequest } from './scheduler/scheduler.js';
import { readServerConfig, type ServerConfig } from './serverConfig.js';
import { UploadHandler } from './uploads.js';
import { WebLog } from './webLog.js';

export interface WebServerOptions {
	/** Folder of the project: the one with `config.xml`. */
	readonly projectRoot: string;
	/** Default: the port of `master_url`. 0 takes any free port (then the URLs of `config.xml` do not lead here). */
	readonly port?: number;
	/** Default: whether the project's feeder process runs. */
	readonly feederRunning?: () => boolean;
}

export interface WebServer {
	readonly port: number;
	/** Waits for the log to be written; ends connections. */
	stop(): Promise<void>;
}

/**
 * Serves a project on 127.0.0.1: master page, account calls, scheduler, upload handler, downloads. Reads `config.xml` at
 * each request, as CGI programs do. Rejects when the configuration cannot be read or the port is taken.
 */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
	const first = await readServerConfig(options.projectRoot);
	const log = new WebLog(first.logDir);
	const uploads = new UploadHandler();
	const context: Context = {
		projectRoot: options.projectRoot,
		log,
		uploads,
		feederRunning: options.feederRunning ?? ((): boolean => isFeederRunning(options.projectRoot)),
	};
	const running = new Set<Promise<void>>();
	const server = createServer((request, response) => {
		const handled = handle(request, response, context).finally(() => running.delete(handled));
		running.add(handled);
	});
	// Uploads of gigabytes take longer than the default of five minutes.
	server.requestTimeout = 0;
	await listen(server, options.port ?? portOf(first.masterUrl));
	return {
		port: addressOf(server).port,
		stop: async () => {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			server.closeIdleConnections();
			server.closeAllConnections();
			await closed;
			await Promise.allSettled(running);
			await log.flush();
		},
	};
}

interface Context {
	readonly projectRoot: string;
	readonly log: WebLog;
	readonly uploads: UploadHandler;
	feederRunning(): boolean;
}

async function handle(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
	logWhenDone(request, response, context.log);
	try {
		const config = await readServerConfig(context.projectRoot);
		await route(request, response, config, context);
	} catch (error) {
		context.log.scheduler(`${request.method ?? ''} ${request.url ?? ''}: ${messageOf(error)}`);
		if (response.headersSent) {
			response.destroy();
		} else {
			sendText(response, 'Internal server error\n', 'text/plain', 500);
		}
	}
}

const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname.replace(/\/+$/, '') : url);

async function route(request: IncomingMessage, response: ServerResponse, config: ServerConfig, context: Context): Promise<void> {
	const url = new URL(request.url ?? '/', 'http://127.0.0.1');
	const path = url.pathname.replace(/\/+$/, '');
	const master = pathOf(config.masterUrl);
	const download = pathOf(config.downloadUrl);
	if (path === pathOf(config.schedulerUrl)) {
		const body = (await readAll(request)).toString('utf8');
		const reply = await handleSchedulerRequest(body, request.socket.remoteAddress ?? '', {
			config,
			log: context.log,
			openDatabase: () => openProjectDatabase(config),
			feederRunning: () => context.feederRunning(),
			now: () => Math.floor(Date.now() / 1000),
		});
		sendText(response, reply, 'text/xml');
	} else if (path === pathOf(config.uploadUrl)) {
		sendText(response, await context.uploads.handle(request, config, context.log), 'text/xml');
		// Bytes that nobody reads would stall the connection.
		request.resume();
	} else if (path.startsWith(`${download}/`)) {
		await serveFile(request, response, config.downloadDir, decodePath(path.slice(download.length + 1)));
	} else if (path === master || path === `${master}/index.php`) {
		await withDatabase(config, async (database) => sendText(response, await masterPage(config, database), 'text/html'));
	} else if (path === `${master}/get_project_config.php`) {
		await withDatabase(config, async (database) => sendText(response, await projectConfigDocument(config, database), 'text/xml'));
	} else if (path === `${master}/lookup_account.php` || path === `${master}/create_account.php`) {
		const query = request.method === 'POST' ? new URLSearchParams((await readAll(request)).toString('utf8')) : url.searchParams;
		await withDatabase(config, async (database) => {
			const text = !database
				? databaseDown()
				: path.endsWith('lookup_account.php')
					? await lookupAccount(query, database)
					: await createAccount(query, config, database);
			sendText(response, text, 'text/xml');
		});
	} else {
		notFound(response);
	}
}

/** A path that cannot be decoded names no file. */
function decodePath(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return '';
	}
}

/** `db_host` may be `host:port`. The web programs always use TCP. */
function openProjectDatabase(config: ServerConfig): Promise<Database> {
	const [host = '', port] = config.database.host.split(':');
	return openDatabase({
		host: host === '' || host === 'localhost' ? '127.0.0.1' : host,
		port: Number(port ?? 3306),
		user: config.database.user,
		password: config.database.password,
		database: config.database.name,
	});
}

/** Calls `use` with a connection, or with `undefined` when the database does not answer. */
async function withDatabase(config: ServerConfig, use: (database: Database | undefined) => Promise<void>): Promise<void> {
	const database = await openProjectDatabase(config).catch(() => undefined);
	try {
		await use(database);
	} finally {
		await database?.end();
	}
}

function sendText(response: ServerResponse, text: string, type: string, status = 200): void {
	const bytes = Buffer.from(text, 'utf8');
	response.setHeader('Content-Length', bytes.length);
	response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8` }).end(bytes);
}

/** One line in the access log when the response ended, also when the client went away before. */
function logWhenDone(request: IncomingMessage, response: ServerResponse, log: WebLog): void {
	const before = request.socket.bytesWritten;
	response.once('close', () => {
		const sent = request.socket.bytesWritten - before;
		const whole = Number(response.getHeader('content-length') ?? 0);
		log.access({
			address: request.socket.remoteAddress ?? '-',
			time: Date.now(),
			method: request.method ?? '-',
			target: request.url ?? '-',
			version: request.httpVersion,
			status: response.statusCode,
			bytes: request.method === 'HEAD' ? 0 : Math.min(whole, sent),
			agent: request.headers['user-agent'] ?? '-',
		});
	});
}

function listen(server: Server, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => {
			server.removeListener('error', reject);
			resolve();
		});
	});
}

function addressOf(server: Server): AddressInfo {
	const address = server.address();
	if (address === null || typeof address === 'string') {
		throw new Error('The web server has no port.');
	}
	return address;
}

function portOf(url: string): number {
	const { port, protocol } = new URL(url);
	return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
