import collect from '../../templates/collect.sh';

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
 * image needs no shell.
 */
export function collectCommand({ files = [], metrics = '' }: Outputs, after: readonly string[]): string[] {
	return [BUSYBOX, 'sh', '-c', collect, 'collect', BUSYBOX, metrics, String(after.length), ...after, ...files];
}
