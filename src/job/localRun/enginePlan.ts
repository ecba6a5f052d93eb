import { parse } from 'smol-toml';

import { BoincError, messageOf } from '../../common/errors.js';
import { CAPABILITIES, GPU_ARGUMENTS, isExtraCreateArgument, WORKDIR } from '../jobToml.js';
import { NETWORK_POLICIES } from '../types.js';

/** What `job.toml` says to docker_wrapper. */
export interface EnginePlan {
	readonly imageName: string;
	/** Arguments for the engine's `create`. */
	readonly createArguments: readonly string[];
}

/** Options that our own `job.toml` has. Others could give a container the whole computer, and the file comes from a server. */
const ALLOWED: Readonly<Record<string, (value: string) => boolean>> = {
	'--network': (value) => NETWORK_POLICIES.some((policy) => policy === value),
	'--security-opt': (value) => value === 'no-new-privileges',
	'--cap-drop': (value) => value === 'ALL',
	'--cap-add': (value) => CAPABILITIES.some((name) => name === value),
	'--pids-limit': (value) => /^\d+$/.test(value),
};

/** Reads `job.toml`. Throws `job-invalid` for what boinc2docker would not have written. */
export function enginePlan(text: string): EnginePlan {
	const refuse = (why: string): BoincError =>
		new BoincError('job-invalid', `The file job.toml of the job cannot be used here: ${why}.`, {
			remedy: 'Look who submitted the job. Only jobs of boinc2docker are run.',
		});
	let table: Record<string, unknown>;
	try {
		table = parse(text);
	} catch (cause) {
		throw refuse(messageOf(cause));
	}
	const { workdir, image_name: imageName, create_args: createArgs, use_gpu: useGpu = false, ...others } = table;
	const [other] = Object.keys(others);
	if (other !== undefined) {
		throw refuse(`it has the key ${other}`);
	}
	if (
		workdir !== WORKDIR ||
		typeof imageName !== 'string' ||
		!/^boinc__[a-z0-9_]+$/.test(imageName) ||
		typeof createArgs !== 'string' ||
		typeof useGpu !== 'boolean'
	) {
		throw refuse('its folder, image or GPU is not as ours');
	}
	const words = createArgs.split(' ').filter((word) => word !== '');
	for (let at = 0; at < words.length; at += 2) {
		const [option = '', value = ''] = words.slice(at, at + 2);
		if (ALLOWED[option]?.(value) !== true && !isExtraCreateArgument(option, value)) {
			throw refuse(`it asks the engine for “${option} ${value}”`);
		}
	}
	return { imageName, createArguments: [...(useGpu ? GPU_ARGUMENTS : []), ...words] };
}
