import type { Bytes } from './connection.js';

/** The process id, or that the folder of the command cannot be entered. */
export type StartLine = number | 'no-folder';

const EMPTY = Buffer.alloc(0);
/** More talk than this before the command is not a login script's greeting. */
const MOST_NOISE = 256 * 1024;

/**
 * Finds the line by which a marked command says that it starts, and drops what login scripts print before it.
 */
export class StartLineReader {
	/** What came before the line. */
	noise: Buffer = EMPTY;
	#found = false;
	readonly #mark: Buffer;
	readonly #onStart: (line: StartLine) => void;

	constructor(mark: string, onStart: (line: StartLine) => void) {
		this.#mark = Buffer.from(mark, 'ascii');
		this.#onStart = onStart;
	}

	/** Takes output as it comes and returns what belongs to the command. */
	push(chunk: Bytes): Bytes {
		if (this.#found) {
			return chunk;
		}
		const seen = Buffer.concat([this.noise, chunk]);
		const start = seen.indexOf(this.#mark);
		const end = start < 0 ? -1 : seen.indexOf(0x0a, start);
		if (end < 0) {
			this.noise = seen.subarray(-MOST_NOISE);
			return EMPTY;
		}
		this.#found = true;
		this.noise = seen.subarray(0, start);
		const rest = seen.toString('latin1', start + this.#mark.length, end);
		this.#onStart(rest === '!cwd' ? 'no-folder' : Number(rest));
		return seen.subarray(end + 1);
	}
}
