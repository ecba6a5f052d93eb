import { BoincError } from '../common/errors.js';
import type { BatchSpec, NetworkPolicy } from './types.js';

/** Where the slot folder appears in the container; `templates/runner.sh` and the recipe rely on it. */
export const WORKDIR = '/boinc';

/** What the runner needs of root's powers: read and hand over any file, change the user, signal the program. */
export const CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'KILL', 'SETGID', 'SETUID'] as const;

/** Processes and threads of one container: enough for many workers, too few for a fork bomb. */
export const PIDS_LIMIT = 4096;

/** Options for the engine's `create` that a person may add: none of them opens anything of the volunteer's computer. */
const SHM_SIZE = /\d{1,6}[kmg]/.source;
const ULIMIT = /(?:core|memlock|nofile|nproc|stack)=-?\d{1,12}(?::-?\d{1,12})?/.source;
const HOSTNAME = /[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?/.source;
const EXTRA = `--shm-size=${SHM_SIZE}|--ulimit=${ULIMIT}|--hostname=${HOSTNAME}`;
export const EXTRA_CREATE_ARGS = new RegExp(`^(?:${EXTRA})(?: (?:${EXTRA}))*$`);

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** Bytes of shared memory that a job's options for `create` allow; 0 when they say nothing of it. */
export function sharedMemoryBytes(createArgs = ''): number {
	// The engines take the last one.
	const [, size, unit] = [...createArgs.matchAll(/--shm-size=(\d+)([kmg])/g)].at(-1) ?? [];
	return Number(size ?? 0) * (UNITS[unit ?? ''] ?? 0);
}

/** Whether our own `job.toml` can have an option with a value. */
export const isExtraCreateArgument = (option: string, value: string): boolean => EXTRA_CREATE_ARGS.test(`${option}=${value}`);

/** Arguments for the engine's `create` that protect the volunteer. The wrapper puts them into a shell command as they are. */
export function createArguments(network: NetworkPolicy, extra = ''): string {
	return [
		...(network === 'bridge' ? [] : ['--network', network]),
		'--security-opt',
		'no-new-privileges',
		'--cap-drop',
		'ALL',
		...CAPABILITIES.flatMap((name) => ['--cap-add', name]),
		'--pids-limit',
		String(PIDS_LIMIT),
		// Name and value apart, as those above.
		...(extra === '' ? [] : extra.split(' ').flatMap((word) => word.split(/=(.*)/s, 2))),
	].join(' ');
}

/** What docker_wrapper adds for `use_gpu`, with either engine. */
export const GPU_ARGUMENTS = ['--gpus', 'all'] as const;

/** What a batch asks of the engine. */
export type EngineWishes = Pick<BatchSpec, 'network' | 'createArgs' | 'gpu'>;

/** The file `job.toml` of docker_wrapper. Its parser is simple, and so is the file: plain keys and basic strings. */
export function jobToml(imageName: string, { network, createArgs, gpu }: EngineWishes): string {
	return [
		`workdir = "${WORKDIR}"`,
		`image_name = "${imageName}"`,
		`create_args = "${createArguments(network, createArgs)}"`,
		...(gpu ? ['use_gpu = true'] : []),
		'',
	].join('\n');
}

/** docker_wrapper silently cuts commands for the engine after this many characters; the image name comes last. */
const LONGEST_COMMAND = 1023;

/** What a host may add by itself: the slot's path on macOS, `--cpus`, the address of a proxy for three variables. */
const RESERVE = 90 + 30 + 3 * 80;

/**
 * Checks that the engine's longest command of a job is not cut. `masterUrl` gives the name of the project's folder on
 * the client, which is part of the container's name. Throws `job-invalid`.
 */
export function checkCommandLength(
	masterUrl: string,
	longestJobName: string,
	imageName: string,
	{ network, createArgs, gpu }: EngineWishes,
): void {
	const folder = masterUrl
		.replace(/^https?:\/\//, '')
		.replace(/\/$/, '')
		.replace(/[^A-Za-z0-9.-]/g, '_');
	// Instances beyond the hundredth do not occur: the replication limits are lower.
	const container = `boinc__${folder}__${longestJobName}_99`;
	const command = `docker create --name ${container} -v "/":"${WORKDIR}" -e ARGS=""${gpu ? ` ${GPU_ARGUMENTS.join(' ')}` : ''} ${createArguments(network, createArgs)} --log-driver=k8s-file ${imageName} 2>&1`;
	const length = command.length + RESERVE;
	if (length > LONGEST_COMMAND) {
		throw new BoincError(
			'job-invalid',
			`The command that starts a container for this project would have up to ${length} characters, and docker_wrapper cuts it after ${LONGEST_COMMAND}: the address ${masterUrl} is too long.`,
			{ remedy: 'Use a project with a shorter address.', detail: { length, limit: LONGEST_COMMAND } },
		);
	}
}
