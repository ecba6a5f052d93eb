import type { JobFile } from './jobFile.js';

/** What the command lines are made of. */
export interface CommandParts {
	readonly engine: 'docker' | 'podman';
	readonly job: JobFile;
	/** `.`, or an absolute path for engines that refuse relative ones. */
	readonly slot: string;
	readonly projectDir: string;
	readonly image: string;
	readonly container: string;
	readonly dockerfile: string;
	readonly ncpus: number;
	/** Arguments of the task. */
	readonly args: readonly string[];
	/** Port on the host for web graphics; 0 for none. */
	readonly graphicsPort: number;
}

/** The whole command, engine and redirection included, is cut here: the real program's buffer has 1024 bytes. */
export const MAX_COMMAND = 1023;

/** The text that the shell gets, cut silently as in the real program. */
export function shellText(engine: string, command: string): string {
	return Buffer.from(`${engine} ${command} 2>&1`).subarray(0, MAX_COMMAND).toString();
}

/** Lists the job's container with its state. */
export const stateCommand = (container: string): string =>
	`ps --all --filter "name=^${container}$" --format "{{.Names}}|{{.Status}}"`;

/** Builds the job's image from the slot. */
export function buildCommand(parts: CommandParts): string {
	const retry = parts.engine === 'podman' ? '--retry 0' : '';
	return `build "${parts.slot}" ${retry} -t ${parts.image} -f ${parts.dockerfile} ${parts.job.buildArgs}`;
}

/** Creates the job's container. Arguments travel in `ARGS`, with a leading blank and without quoting. */
export function createCommand(parts: CommandParts): string {
	const { job } = parts;
	const words = [
		`create --name ${parts.container}`,
		` -v "${parts.slot}/":"${job.workdir}"`,
		job.projectDirMount === '' ? '' : ` -v "${parts.slot}/../../projects/${parts.projectDir}/":"${job.projectDirMount}"`,
	];
	if (parts.args.length > 0) {
		words.push(`-e ARGS="${parts.args.map((arg) => ` ${arg}`).join('')}"`);
	}
	words.push(...job.mounts.map((mount) => `-v ${mount}`), ...job.portmaps.map((map) => `-p ${map}`));
	if (parts.ncpus > 1) {
		words.push(`--cpus ${parts.ncpus.toFixed(6)}`);
	}
	if (job.useGpu) {
		words.push('--gpus all');
	}
	if (parts.graphicsPort > 0) {
		words.push(`-p ${parts.graphicsPort}:${job.webGraphicsGuestPort}`);
	}
	if (job.createArgs !== '') {
		words.push(job.createArgs);
	}
	if (parts.engine === 'podman') {
		words.push('--log-driver=k8s-file');
	}
	words.push(parts.image);
	return words.join(' ');
}

/** Whether the output of `images` lists the image: its name followed by a blank. Names with a tag never match. */
export function listsImage(lines: readonly string[], image: string): boolean {
	return lines.some((line) => line.includes(`${image} `));
}

export type ContainerState = 'absent' | 'created' | 'running' | 'paused' | 'exited' | 'other';

/** Reads the output of `stateCommand`. A running container says "Up …", which the real program does not recognise. */
export function containerState(lines: readonly string[], container: string): ContainerState {
	const line = lines.find((candidate) => candidate.includes(container));
	const status = line?.split('|')[1]?.toLowerCase();
	if (status === undefined) {
		return 'absent';
	}
	return (['created', 'running', 'paused', 'exited'] as const).find((state) => status.includes(state)) ?? 'other';
}

export type JobState =
	{ readonly kind: 'running' } | { readonly kind: 'gone' } | { readonly kind: 'exited'; readonly code: number };

/** Reads the output of `ps --all` for the container. */
export function jobState(lines: readonly string[], container: string): JobState {
	const line = lines.find((candidate) => candidate.includes(container));
	if (line === undefined) {
		return { kind: 'gone' };
	}
	const code = /Exited \((-?\d+)/.exec(line)?.[1];
	return code === undefined ? { kind: 'running' } : { kind: 'exited', code: Number(code) };
}

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Reads `97.12% 420KiB / 503.8GiB`: share of a processor and bytes. */
export function parseStats(lines: readonly string[]): { readonly cpu: number; readonly memory: number } | undefined {
	for (const line of lines) {
		const match = /^\s*([\d.]+)%\s+([\d.]+)\s*([a-zA-Z])/.exec(line);
		const unit = UNITS[match?.[3]?.toLowerCase() ?? ''];
		if (match && unit !== undefined) {
			const memory = Number(match[2]) * unit;
			return memory > 0 ? { cpu: Number(match[1]) / 100, memory } : undefined;
		}
	}
	return undefined;
}
