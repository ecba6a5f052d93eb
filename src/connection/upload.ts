import { createHash } from 'node:crypto';
import { posix } from 'node:path';

import type { Content } from '../common/content.js';
import { BoincError, isAbort } from '../common/errors.js';
import type { Bytes, Connection, TransferOptions, TransferReceipt } from './connection.js';
import uploadScript from './scripts/upload.sh';
import { transferProblem, type TransferSubject } from './transferProblem.js';

const IDLE_MS = 300_000;
const DISCARD_MS = 10_000;

/** `Connection.upload` by way of `exec`. What arrived before the link was cut stays for the next try; a cancelled upload leaves nothing. */
export async function upload(
	connection: Pick<Connection, 'name' | 'exec'>,
	source: Content,
	path: string,
	options: TransferOptions = {},
): Promise<TransferReceipt> {
	try {
		return await transfer(connection, source, path, options);
	} catch (error) {
		if (isAbort(error)) {
			await discard(connection, partFile(path, source));
		}
		throw error;
	}
}

/** Takes the beginning of a file away, and a dead upload's lock, unless another upload of the same content is at work on it. Never rejects. */
async function discard(connection: Pick<Connection, 'exec'>, part: string): Promise<void> {
	// Without a connection it stays, as after any cut.
	await connection.exec(['sh', '-c', discardScript, 'sh', part], { timeoutMs: DISCARD_MS }).catch(() => undefined);
}

/** A lock that is empty has just been made. */
const discardScript = `
if [ -e "$1.lock" ]; then
	read -r holder <"$1.lock"
	if [ -z "$holder" ] || kill -0 "$holder"; then exit 0; fi
fi 2>/dev/null
rm -f -- "$1" "$1.lock"
`;

async function transfer(
	connection: Pick<Connection, 'name' | 'exec'>,
	source: Content,
	path: string,
	options: TransferOptions,
): Promise<TransferReceipt> {
	const subject = { server: connection.name, path, doing: `write ${path}` };
	const first = await new Upload(connection, source, path, options, subject).run('resume');
	const outcome =
		first.said === 'different' ? await new Upload(connection, source, path, options, subject).run('restart') : first;
	if (outcome.said !== 'done') {
		throw new BoincError('transfer-corrupt', `${path} arrived damaged on ${connection.name}, twice; nothing was put there.`, {
			remedy: 'Check that the local file does not change meanwhile, and the disk of the server.',
			detail: { path, expected: source.sha256, found: outcome.found },
		});
	}
	return { bytesSent: outcome.bytesSent + (outcome === first ? 0 : first.bytesSent), resumedAt: outcome.resumedAt };
}

interface Outcome {
	readonly said: 'done' | 'different';
	readonly found: string;
	readonly bytesSent: number;
	readonly resumedAt: number;
}

class Upload {
	#text = '';
	#sent = 0;
	#resumedAt = 0;
	#start: (offset: number) => void = () => undefined;
	readonly #offset = new Promise<number>((resolve) => (this.#start = resolve));

	constructor(
		readonly connection: Pick<Connection, 'name' | 'exec'>,
		readonly source: Content,
		readonly path: string,
		readonly options: TransferOptions,
		readonly subject: TransferSubject,
	) {}

	async run(how: 'resume' | 'restart'): Promise<Outcome> {
		const { source, options } = this;
		const target = safePath(this.path);
		const folder = posix.dirname(target);
		const mode = (options.mode ?? 0o644).toString(8);
		const { code, stderr } = await this.connection.exec(
			[
				'sh',
				'-c',
				uploadScript,
				'sh',
				target,
				folder,
				partFile(this.path, source),
				String(source.size),
				source.sha256,
				mode,
				how,
			],
			{
				stdin: this.#content(),
				onStdout: (chunk) => this.#listen(chunk),
				timeoutMs: Number.POSITIVE_INFINITY,
				idleTimeoutMs: IDLE_MS,
				...(options.signal && { signal: options.signal }),
			},
		);
		const [word, value = ''] = this.#text.trimEnd().split('\n').at(-1)?.split(' ') ?? [];
		if (word === 'done' || word === 'different') {
			return { said: word, found: value, bytesSent: this.#sent, resumedAt: this.#resumedAt };
		}
		if (word === 'short') {
			throw this.#cutShort(value);
		}
		throw transferProblem(
			this.subject,
			this.#text.trimEnd().replace(/^have \d+\n/, '') || `${stderr.toString('utf8')} (code ${String(code)})`,
		);
	}

	#cutShort(arrived: string): BoincError {
		const { source, subject } = this;
		return this.#resumedAt + this.#sent < source.size
			? new BoincError(
					'transfer-corrupt',
					`Could not ${subject.doing} on ${subject.server}: the local file is shorter than it was.`,
					{
						remedy: 'Try again when nothing changes the file.',
					},
				)
			: new BoincError(
					'connection-lost',
					`Only ${arrived} of ${source.size} bytes of ${subject.path} reached ${subject.server}.`,
					{
						remedy: 'Try again; what has arrived is not sent again.',
					},
				);
	}

	#listen(chunk: Bytes): void {
		this.#text += Buffer.from(chunk).toString('utf8');
		const have = /^have (\d+)\n/.exec(this.#text)?.[1];
		if (have !== undefined) {
			this.#start(Number(have));
		}
	}

	async *#content(): AsyncGenerator<Bytes> {
		const { source, options } = this;
		this.#resumedAt = await this.#offset;
		const message = `Sending ${posix.basename(this.path)}`;
		if (this.#resumedAt >= source.size) {
			return;
		}
		for await (const chunk of source.open(this.#resumedAt, 'passing')) {
			// Counted before: whoever takes the chunk may never come back for more.
			this.#sent += chunk.length;
			options.progress?.report({ message, current: this.#resumedAt + this.#sent, total: source.size, unit: 'bytes' });
			yield chunk;
		}
	}
}

/** No option, whatever its first character is. */
const safePath = (path: string): string => (path.startsWith('-') ? `./${path}` : path);

/** The same for the same content under the same name, so that the next try finds it; short, whatever the name. */
function partFile(path: string, source: Content): string {
	const hash = createHash('sha256')
		.update(`${posix.basename(path)}\0${source.sha256}`)
		.digest('hex');
	return posix.join(posix.dirname(safePath(path)), `.b2d-${hash.slice(0, 24)}.part`);
}
