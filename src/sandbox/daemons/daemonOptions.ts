import type { ToolIo } from '../toolIo.js';
import { ToolExit } from '../toolProject.js';
import { logLine } from './daemonLog.js';

/** Options of a daemon with the number of words that follow each. */
export type OptionSpec = Readonly<Record<string, number>>;

const COMMON: OptionSpec = { d: 1, debug_level: 1, one_pass: 0, sleep_interval: 1, mod: 2 };

/** The options that were given, by name without dashes. */
export interface DaemonOptions {
	has(name: string): boolean;
	/** The first word after an option. */
	text(name: string): string | undefined;
	number(name: string): number | undefined;
	/** An SQL condition for `--mod N i`, and its parameters; always true without the option. */
	mod(column: string): { readonly sql: string; readonly parameters: readonly number[] };
	readonly verbosity: number;
}

export interface ParseSettings {
	readonly usage: string;
	/** What an unknown option does: some daemons exit, some complain, some take no notice. */
	readonly unknown?: 'exit' | 'complain' | 'ignore';
	readonly io: Pick<ToolIo, 'out' | 'err'>;
	readonly defaultVerbosity?: number;
}

/** Reads the arguments of a daemon, with one or two dashes. Throws `ToolExit` for help, version and unknown words. */
export function daemonOptions(args: readonly string[], own: OptionSpec, settings: ParseSettings): DaemonOptions {
	const spec = { ...COMMON, ...own };
	const found = new Map<string, readonly string[]>();
	for (let at = 0; at < args.length; at++) {
		const word = args[at] ?? '';
		const name = word.replace(/^--?/, '');
		if (name === 'h' || name === 'help') {
			throw new ToolExit(0, `${settings.usage}\n`);
		}
		if (name === 'v' || name === 'version') {
			settings.io.out('8.3.0\n');
			throw new ToolExit(0);
		}
		const count = word.startsWith('-') && Object.hasOwn(spec, name) ? spec[name] : undefined;
		if (count === undefined) {
			if (settings.unknown === 'complain') {
				settings.io.err(`bad arg ${word}\n`);
			}
			if (settings.unknown === 'complain' || settings.unknown === 'ignore') {
				continue;
			}
			throw new ToolExit(1, `${logLine('critical', `unknown command line argument: ${word}`, new Date())}\n${settings.usage}\n`);
		}
		const values = args.slice(at + 1, at + 1 + count);
		if (values.length < count) {
			throw new ToolExit(1, `${logLine('critical', `${word} requires an argument`, new Date())}\n${settings.usage}\n`);
		}
		found.set(name, values);
		at += count;
	}
	return view(found, settings.defaultVerbosity ?? 2);
}

function view(found: ReadonlyMap<string, readonly string[]>, defaultVerbosity: number): DaemonOptions {
	const number = (name: string, index = 0): number | undefined => {
		const value = Number.parseFloat(found.get(name)?.[index] ?? '');
		return Number.isFinite(value) ? value : undefined;
	};
	return {
		has: (name) => found.has(name),
		text: (name) => found.get(name)?.[0],
		number,
		mod: (column) => {
			const [divisor, remainder] = [number('mod'), number('mod', 1)];
			return divisor === undefined || remainder === undefined
				? { sql: '1 = 1', parameters: [] }
				: { sql: `${column} % ? = ?`, parameters: [divisor, remainder] };
		},
		verbosity: number('d') ?? number('debug_level') ?? defaultVerbosity,
	};
}
