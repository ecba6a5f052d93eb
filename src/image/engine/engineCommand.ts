import { abortError, BoincError, throwIfAborted } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { programMissing } from './detection.js';
import { EngineProcess, type ProcessEnd } from './engineProcess.js';
import { textLines } from './textLines.js';

const QUERY_MS = 60_000;

/** The command line of an engine. */
export class EngineCommand {
	constructor(
		readonly command: string,
		readonly env: NodeJS.ProcessEnv,
	) {}

	/** Runs a short command and collects its standard output. */
	async query(args: readonly string[], ctx: OperationContext): Promise<{ end: ProcessEnd; lines: string[] }> {
		const deadline = AbortSignal.timeout(QUERY_MS);
		const signal = ctx.signal ? AbortSignal.any([ctx.signal, deadline]) : deadline;
		const lines: string[] = [];
		try {
			return { end: await this.run(args, signal, (line) => lines.push(line)), lines };
		} catch (error) {
			if (!deadline.aborted || ctx.signal?.aborted) {
				throw error;
			}
			throw new BoincError('engine-failed', `${this.command} did not answer within ${QUERY_MS / 1000} s.`, {
				remedy: `See whether “${this.command} ${args[0] ?? ''}” works in a terminal.`,
			});
		}
	}

	/** Runs a command to its end; the callbacks get its output by line. Cancelling ends it with all its processes. */
	async run(
		args: readonly string[],
		signal: AbortSignal | undefined,
		onLine: (line: string) => void,
		onErrorLine: (line: string) => void = () => undefined,
		most = Infinity,
	): Promise<ProcessEnd> {
		throwIfAborted(signal);
		const child = await this.start(args);
		let ending: Promise<void> | undefined;
		const stop = (): void => {
			ending ??= child.end();
		};
		signal?.addEventListener('abort', stop, { once: true });
		try {
			await Promise.all([readLines(child.stdout, onLine, most), readLines(child.stderr, onErrorLine, most)]);
			return await child.ended();
		} catch (error) {
			stop();
			throw signal?.aborted ? abortError() : error;
		} finally {
			signal?.removeEventListener('abort', stop);
			await ending;
		}
	}

	/** Throws `engine-missing`. */
	async start(args: readonly string[]): Promise<EngineProcess> {
		try {
			return await EngineProcess.start({ command: this.command, args, env: this.env });
		} catch (cause) {
			throw programMissing(this.command, cause);
		}
	}

	/** The error that the command could not do something. */
	failed(doing: string, end: ProcessEnd): BoincError {
		return new BoincError('engine-failed', `${this.command} could not ${doing}: ${lastWords(end)}`, {
			detail: { code: end.code },
		});
	}
}

async function readLines(stream: AsyncIterable<Uint8Array>, onLine: (line: string) => void, most: number): Promise<void> {
	for await (const line of textLines(stream, most)) {
		onLine(line);
	}
}

/** The end of what a command said about its failure. */
export function lastWords({ stderr, code }: ProcessEnd): string {
	const said = stderr.trim().split('\n').slice(-3).join('\n');
	return said === '' ? `it ended with ${code}` : said;
}
