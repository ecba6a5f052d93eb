/** The world of one run of a tool or daemon. Tests put their own in place of the process. */
export interface ToolIo {
	readonly cwd: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Whether standard output is a terminal: some tools say more there. */
	readonly isTerminal: boolean;
	/** Writes to standard output. */
	out(text: string): void;
	/** Writes to standard error. */
	err(text: string): void;
	/** What is left of standard input. */
	stdin(): Promise<string>;
	/** The next line of standard input without its end; `undefined` at the end. */
	line(): Promise<string | undefined>;
}

/** A program of `bin/`. Resolves to its exit code. */
export type Tool = (args: readonly string[], io: ToolIo) => Promise<number>;

/** The real process. */
export function processIo(): ToolIo {
	const input = chunkedInput(process.stdin as AsyncIterable<Buffer>);
	return {
		cwd: process.cwd(),
		env: process.env,
		isTerminal: process.stdout.isTTY,
		out: (text) => void process.stdout.write(text),
		err: (text) => void process.stderr.write(text),
		...input,
	};
}

/** Reads a stream as a whole or line by line. The stream is touched on first use only. */
export function chunkedInput(source: AsyncIterable<Buffer>): Pick<ToolIo, 'stdin' | 'line'> {
	let iterator: AsyncIterator<Buffer> | undefined;
	let pending = '';
	const more = async (): Promise<boolean> => {
		iterator ??= source[Symbol.asyncIterator]();
		const { done, value } = (await iterator.next()) as IteratorResult<Buffer, undefined>;
		if (done) {
			return false;
		}
		pending += value.toString('utf8');
		return true;
	};
	return {
		stdin: async () => {
			while (await more());
			const all = pending;
			pending = '';
			return all;
		},
		line: async () => {
			while (!pending.includes('\n') && (await more()));
			if (pending === '') {
				return undefined;
			}
			const end = pending.indexOf('\n');
			const line = end < 0 ? pending : pending.slice(0, end);
			pending = end < 0 ? '' : pending.slice(end + 1);
			return line;
		},
	};
}
