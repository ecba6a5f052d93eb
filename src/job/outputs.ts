import collect from '../../templates/collect.sh';
import { BoincError } from '../common/errors.js';

/** What becomes a result besides what the program writes into `/root/shared/results/`. */
export interface Outputs {
	/** Patterns of files and folders: `*` and `?` within a name; relative to `/root/shared`, or absolute. */
	readonly files?: readonly string[];
	/** A file with figures, `.json` or `.csv`: the metrics of the job. */
	readonly metrics?: string;
}

/** Where the runner keeps its own busybox for other accounts to run; see `templates/runner.sh`. */
const BUSYBOX = '/.boinc2docker/bin/busybox';

/**
 * The command after the program that collects outputs, the person's own command first. The runner's busybox runs it, so the
 * image needs no shell. Throws `job-invalid` for patterns with `..`.
 */
export function collectCommand({ files = [], metrics = '' }: Outputs, after: readonly string[]): string[] {
	const outside = files.find((pattern) => pattern.split('/').includes('..'));
	if (outside !== undefined) {
		throw new BoincError('job-invalid', `The output “${outside}” leads out of the job’s folder.`, {
			remedy: 'Name files relative to /root/shared, without “..”, or by their absolute path.',
		});
	}
	return [BUSYBOX, 'sh', '-c', collect, 'collect', BUSYBOX, metrics, String(after.length), ...after, ...files];
}

/** For each input that a pattern of outputs finds as well, a sentence: it comes back with every result. */
export function returnedInputs({ files = [] }: Outputs, inputs: readonly { readonly path: string }[]): string[] {
	return inputs.flatMap(({ path }) => {
		const pattern = files.find((each) => matches(each, path));
		return pattern === undefined
			? []
			: [
					`Outputs: “${pattern}” also finds the input ${path}, so each job sends it back. Name what the program writes more narrowly.`,
				];
	});
}

/** Whether a pattern finds a path below the shared folder, or a folder that it is in. */
function matches(pattern: string, path: string): boolean {
	const wanted = pattern.replace(/^\.\//, '').split('/');
	const parts = path.split('/');
	return (
		wanted.length <= parts.length &&
		wanted.every((word, index) => {
			const name = parts[index] ?? '';
			const text = word
				.replaceAll(/[.+^${}()|\\]/g, '\\$&')
				.replaceAll('*', '.*')
				.replaceAll('?', '.');
			// A shell leaves out hidden files where the pattern does not say a dot.
			return (word.startsWith('.') || !name.startsWith('.')) && wordExpression(text).test(name);
		})
	);
}

/** What is no expression, such as an open bracket, finds nothing. */
function wordExpression(text: string): RegExp {
	try {
		return new RegExp(`^${text}$`, 's');
	} catch {
		return /(?!)/;
	}
}
