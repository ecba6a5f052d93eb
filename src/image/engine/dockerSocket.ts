import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { homedir } from 'node:os';
import path from 'node:path';

const ANSWER_MS = 5_000;
const MOST_BYTES = 16 * 2 ** 20;
const DEFAULT_SOCKET = '/var/run/docker.sock';

/** Names of what cannot change its meaning in the path of a request. */
const PLAIN_NAME = /^[\w][\w.-]*(?:[/:@][\w][\w.-]*)*$/;

/**
 * The socket of the daemon that Docker's command line talks to with this environment: as `DOCKER_HOST`, `DOCKER_CONTEXT` or the
 * chosen context say. `undefined` for daemons that are reached otherwise, and where there are no such sockets.
 */
export async function dockerSocket(env: NodeJS.ProcessEnv): Promise<string | undefined> {
	if (process.platform === 'win32') {
		return undefined;
	}
	const host = isSet(env.DOCKER_HOST) ? env.DOCKER_HOST : await hostOfContext(env);
	return host?.startsWith('unix:///') === true ? host.slice('unix://'.length) : undefined;
}

const isSet = (text: string | undefined): text is string => text !== undefined && text !== '';

async function hostOfContext(env: NodeJS.ProcessEnv): Promise<string | undefined> {
	const folder = isSet(env.DOCKER_CONFIG) ? env.DOCKER_CONFIG : path.join(isSet(env.HOME) ? env.HOME : homedir(), '.docker');
	const config = await readJson(path.join(folder, 'config.json'));
	if (config === 'unreadable') {
		return undefined;
	}
	const name = isSet(env.DOCKER_CONTEXT) ? env.DOCKER_CONTEXT : textAt(config, 'currentContext');
	if (!isSet(name) || name === 'default') {
		return `unix://${DEFAULT_SOCKET}`;
	}
	// Docker's command line keeps a context under the SHA-256 of its name.
	const place = createHash('sha256').update(name).digest('hex');
	return textAt(await readJson(path.join(folder, 'contexts', 'meta', place, 'meta.json')), 'Endpoints', 'docker', 'Host');
}

/** `undefined` for a file that is not there. */
async function readJson(file: string): Promise<unknown> {
	try {
		return JSON.parse(await readFile(file, 'utf8')) as unknown;
	} catch (error) {
		return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : 'unreadable';
	}
}

function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
	const found = keys.reduce<unknown>(
		(at, key) => (typeof at === 'object' && at !== null ? (Reflect.get(at, key) as unknown) : undefined),
		value,
	);
	return typeof found === 'string' ? found : undefined;
}

/**
 * What `docker image inspect` prints of an image, asked of the daemon itself, which answers in a hundredth of the time that it takes to start
 * the command line. `undefined` whenever the command line had better be asked: about an image that is not there, or after trouble of any kind.
 */
export async function inspectBySocket(
	reference: string,
	env: NodeJS.ProcessEnv,
	signal: AbortSignal | undefined,
): Promise<string | undefined> {
	const socketPath = PLAIN_NAME.test(reference) ? await dockerSocket(env) : undefined;
	if (socketPath === undefined) {
		return undefined;
	}
	const deadline = AbortSignal.timeout(ANSWER_MS);
	const body = await request(
		socketPath,
		`/images/${reference}/json`,
		signal ? AbortSignal.any([signal, deadline]) : deadline,
	).catch(() => undefined);
	return body === undefined ? undefined : `[${body}]`;
}

/** The body of an answer with JSON; `undefined` for any other answer. Rejects when there is none. */
function request(socketPath: string, resource: string, signal: AbortSignal): Promise<string | undefined> {
	return new Promise((resolve, reject) => {
		get({ socketPath, path: resource, host: 'docker', signal, agent: false }, (answer) => {
			const chunks: Buffer[] = [];
			let size = 0;
			answer.on('data', (chunk: Buffer) => {
				size += chunk.length;
				if (size > MOST_BYTES) {
					answer.destroy(new Error('the answer is too long'));
				}
				chunks.push(chunk);
			});
			answer.once('error', reject);
			answer.once('end', () => {
				const isJson = answer.statusCode === 200 && answer.headers['content-type']?.startsWith('application/json') === true;
				resolve(isJson ? Buffer.concat(chunks).toString('utf8') : undefined);
			});
		}).once('error', reject);
	});
}
