import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

import { formatBytes } from '../common/format.js';
import type { Log, Progress, ProgressUpdate, Prompts, Question } from '../common/ports.js';
import { printable, printableLines } from './table.js';

type Level = 'error' | 'warn' | 'info' | 'debug' | 'trace';
const LEVELS: readonly Level[] = ['error', 'warn', 'info', 'debug', 'trace'];

/**
 * Standard error as the place for progress, questions and the log; standard output stays free for results.
 * Progress is one line that is written over in a terminal, and one line a message elsewhere.
 */
export class Terminal {
	readonly #out: NodeJS.WriteStream;
	readonly #in: NodeJS.ReadStream;
	readonly #level: number;
	#shown = '';
	#lastMessage = '';

	constructor(out: NodeJS.WriteStream, level: Level, input: NodeJS.ReadStream = process.stdin) {
		this.#out = out;
		this.#in = input;
		this.#level = LEVELS.indexOf(level);
	}

	readonly log: Log = {
		error: (message) => this.#log('error', message),
		warn: (message) => this.#log('warn', message),
		info: (message) => this.#log('info', message),
		debug: (message) => this.#log('debug', message),
		trace: (message) => this.#log('trace', message),
	};

	readonly progress: Progress = {
		report: (update) => this.#progress(update),
	};

	readonly prompts: Prompts = {
		secret: (question) => this.#ask(question, 'hidden'),
		text: (question) => this.#ask(question, 'shown'),
		confirm: async (question) =>
			/^(y|yes)$/i.test((await this.#ask({ ...question, message: `${question.message} [y/N]` }, 'shown')) ?? ''),
	};

	/** Writes a line, after taking the progress line away. */
	line(text: string): void {
		this.clear();
		this.#out.write(`${text}\n`);
	}

	/** Takes the progress line away. */
	clear(): void {
		if (this.#shown !== '') {
			this.#out.write('\r\u001B[K');
			this.#shown = '';
		}
	}

	#log(level: Level, message: string): void {
		if (LEVELS.indexOf(level) <= this.#level) {
			this.line(printable(`${level}: ${message}`));
		}
	}

	#progress(update: ProgressUpdate): void {
		if (!this.#out.isTTY) {
			if (update.message !== this.#lastMessage) {
				this.#lastMessage = update.message;
				this.#out.write(`${printable(update.message)}\n`);
			}
			return;
		}
		const text = printable(`${update.message}${amount(update)}`).slice(0, Math.max(20, this.#out.columns - 1));
		if (text !== this.#shown) {
			this.#out.write(`\r\u001B[K${text}`);
			this.#shown = text;
		}
	}

	async #ask(question: Question, echo: 'shown' | 'hidden'): Promise<string | undefined> {
		if (!this.#in.isTTY) {
			this.line(`${printable(question.title)}: ${printable(question.message)} — there is no terminal to answer in.`);
			return undefined;
		}
		this.clear();
		if (question.detail !== undefined) {
			this.#out.write(`${printableLines(question.detail)}\n`);
		}
		this.#out.write(printable(`${question.message} `));
		const output = echo === 'shown' ? this.#out : new Writable({ write: (_chunk, _encoding, done) => done() });
		const reader = createInterface({ input: this.#in, output, terminal: true });
		try {
			return await new Promise<string | undefined>((resolve) => {
				reader.once('close', () => resolve(undefined));
				reader.once('SIGINT', () => resolve(undefined));
				reader.once('line', resolve);
			});
		} finally {
			reader.close();
			if (echo === 'hidden') {
				this.#out.write('\n');
			}
		}
	}
}

function amount({ current, total, unit }: ProgressUpdate): string {
	if (current === undefined) {
		return '';
	}
	const show = (n: number): string => (unit === 'bytes' ? formatBytes(n) : String(n));
	return total === undefined ? ` (${show(current)})` : ` (${show(current)} of ${show(total)})`;
}
