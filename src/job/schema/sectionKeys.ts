import { DOTTED, GPU_REMEDY, GPU_TYPES, REFUSED_GPUS } from '../../project/gpu.js';
import { EXTRA_CREATE_ARGS } from '../jobToml.js';
import { BYTES, type Key, SECONDS, type Shape, TEXTS } from './shape.js';

const COPIES: Shape = { type: 'whole', least: 1, most: 99 };
const ID: Shape = { type: 'whole', least: 1, most: 2 ** 31 - 1 };

const GPU_TYPE: Shape = { type: 'choice', of: GPU_TYPES, refused: { values: REFUSED_GPUS, remedy: GPU_REMEDY } };

/** Keys of `resources.gpu`. */
const GPU_KEYS: readonly Key[] = [
	{ name: 'type', shape: GPU_TYPE, doc: 'Kind of GPU.', example: 'nvidia' },
	{
		name: 'memory',
		shape: BYTES,
		doc: 'Memory that the GPU must have; the client keeps as much of it for the job.',
		default: 'any',
		trap: 'Cards report a little less than what is written on them: ask for 7500 MB of a card of 8 GB.',
		example: '4 GB',
	},
	{
		name: 'compute_capability',
		shape: { type: 'text', pattern: DOTTED, help: 'two numbers with a dot, such as 7.5' },
		doc: 'Least compute capability of the GPU, as NVIDIA counts it.',
		default: 'any that has CUDA',
		example: '7.5',
	},
	{
		name: 'cuda',
		shape: { type: 'text', pattern: DOTTED, help: 'two numbers with a dot, such as 12.4' },
		doc: 'Least version of CUDA that the host’s driver must know: that of the CUDA libraries in the image.',
		default: 'any',
		trap: 'Without it hosts with an older driver get jobs too, and CUDA ends the program there.',
		example: '12.4',
	},
	{
		name: 'count',
		shape: { type: 'whole', least: 1, most: 1 },
		doc: 'GPUs of one job.',
		later:
			'Leave it out: each job gets one GPU. BOINC’s scheduler does not compare the number with what a host has, so jobs for two would go to hosts with one, and wait there.',
		example: '1',
	},
];

/** Keys of `resources`. */
export const RESOURCE_KEYS: readonly Key[] = [
	{
		name: 'memory',
		shape: BYTES,
		doc: 'Memory that the program may use; one that uses more is stopped.',
		default: '1 GB',
		example: '2 GiB',
	},
	{
		name: 'disk',
		shape: BYTES,
		doc: 'Disk that a job may use: image, inputs, results.',
		default: 'computed from image, inputs and max_output',
		trap: 'A client aborts a job that uses more (exit status 196).',
		example: '5 GB',
	},
	{ name: 'time', shape: SECONDS, doc: 'Expected run time on an ordinary computer.', default: '1 h', example: '3 h' },
	{
		name: 'time_limit',
		shape: SECONDS,
		doc: 'The program is stopped after this time; pauses do not count.',
		default: 'ten times the expected time, at least 1 d',
		example: '1 d',
	},
	{
		name: 'deadline',
		shape: SECONDS,
		doc: 'Time that a host has to return a job.',
		default: 'twice the time limit, at least 7 d',
		trap: 'BOINC sends a job to nobody whose expected time is longer.',
		example: '7 d',
	},
	{
		name: 'max_output',
		shape: BYTES,
		doc: 'Largest packed result; a larger one is refused by the client.',
		default: '128 MiB',
		example: '100 MB',
	},
	{
		name: 'cpus',
		shape: { type: 'whole', least: 1, most: 256 },
		doc: 'Processors of one job. In BOINC they belong to the app: Install App takes the number from here, and an app for another number needs another name.',
		default: 'what the app gives',
		trap: 'Hosts with fewer processors get no jobs, and the program must start its threads itself.',
		example: '4',
	},
	{
		name: 'gpu',
		shape: {
			type: 'either',
			of: [GPU_TYPE, { type: 'section', keys: () => GPU_KEYS, kinds: ['type'] }],
			what: 'nvidia, or a map with type',
		},
		doc: 'A GPU for each job: its kind, or a map that says how good it must be. In BOINC it belongs to the app, as cpus does. No host runs such jobs in VirtualBox.',
		default: 'none',
		trap: 'Jobs fail on hosts whose engine was not set up for GPUs (NVIDIA Container Toolkit; Podman 5 or later), and BOINC’s scheduler cannot tell these from the others.',
		example: '{ type: nvidia, memory: 4 GB, cuda: 12.4 }',
	},
];

/** Keys of `replication`. */
export const REPLICATION_KEYS: readonly Key[] = [
	{ name: 'min_quorum', shape: COPIES, doc: 'Results that must agree.', default: '1', example: '2' },
	{
		name: 'target_nresults',
		shape: COPIES,
		doc: 'Copies of a job that are sent at the start.',
		default: 'min_quorum',
		example: '2',
	},
	{
		name: 'max_error_results',
		shape: COPIES,
		doc: 'Failed copies that a job survives; with one more it fails.',
		default: '3',
		example: '3',
	},
	{
		name: 'max_total_results',
		shape: COPIES,
		doc: 'Most copies in all.',
		default: 'target_nresults + 4',
		trap: 'BOINC’s own default is 1: one failure, and the job is lost.',
		example: '5',
	},
	{ name: 'max_success_results', shape: COPIES, doc: 'Most successful copies.', default: 'target_nresults + 1', example: '2' },
	{
		name: 'retries',
		shape: { type: 'whole', least: 0, most: 98 },
		doc: 'Failed copies that are tried again on other hosts: the short form of max_error_results and max_total_results.',
		default: '3',
		example: '3',
	},
];

const RECEIVER_KEYS: readonly Key[] = ['host', 'user', 'team'].map((name) => ({
	name,
	shape: ID,
	doc: `Number of the ${name}.`,
	example: '7',
}));

/** Keys of `boinc`: what create_work can do besides. */
export const BOINC_KEYS: readonly Key[] = [
	{
		name: 'credit',
		shape: { type: 'number', above: 0 },
		doc: 'Credit for a job, where the validator runs with --credit_from_wu.',
		example: '25',
	},
	{ name: 'hr_class', shape: { type: 'whole', least: 0, most: 2 ** 31 - 1 }, doc: 'Homogeneous redundancy class.', example: '1' },
	{ name: 'size_class', shape: { type: 'whole', least: -1, most: 100 }, doc: 'Size class, for apps with several.', example: '1' },
	{ name: 'keywords', shape: { type: 'list', of: ID }, doc: 'Numbers of BOINC’s keywords.', example: '[7, 12]' },
	{
		name: 'sub_appname',
		shape: {
			type: 'text',
			pattern: /^[A-Za-z0-9 _.,:()+-]{1,100}$/,
			help: 'at most 100 letters, digits, blanks and simple punctuation',
		},
		doc: 'Shown to volunteers beside the app’s name.',
		example: 'Pi',
	},
	{
		name: 'target',
		shape: { type: 'section', keys: () => RECEIVER_KEYS, kinds: ['host', 'user', 'team'] },
		doc: 'Only this host, user or team gets the jobs.',
		trap: 'The project’s config.xml needs enable_assignment.',
		example: '{ host: 7 }',
	},
	{
		name: 'broadcast',
		shape: {
			type: 'either',
			of: [
				{ type: 'choice', of: ['all'] },
				{ type: 'section', keys: () => RECEIVER_KEYS.slice(1), kinds: ['user', 'team'] },
			],
			what: 'all, or a user or team',
		},
		doc: 'Every host of the project, of a user or of a team runs each job.',
		trap: 'The project’s config.xml needs enable_assignment_multi.',
		example: 'all',
	},
	{
		name: 'app_version_num',
		shape: { type: 'whole', least: 1, most: 10_000_000 },
		doc: 'Exactly this version number of the app: 100·major + minor.',
		default: 'chosen by the image’s architecture where that is needed',
		example: '102',
	},
	{
		name: 'user_id',
		shape: ID,
		doc: 'User that owns the batch on the project’s web pages.',
		default: 'the first user',
		example: '1',
	},
];

/** Keys of `outputs`. */
export const OUTPUT_KEYS: readonly Key[] = [
	{
		name: 'max_size',
		shape: BYTES,
		doc: 'Largest packed result; the same as resources.max_output.',
		default: '128 MiB',
		example: '100 MB',
	},
	{
		name: 'files',
		shape: TEXTS,
		doc: 'Patterns of further files and folders that are results, in /root/shared or absolute; * and ? stand within a name. They are copied to results/ when the program has ended.',
		example: '["*.csv"]',
	},
	{
		name: 'metrics',
		shape: { type: 'text', pattern: /\.(json|csv)$/, help: 'a file that ends with .json or .csv' },
		doc: 'File with figures of the job, in /root/shared or absolute: an object, a list of objects, or a table. The figures of all jobs come into one table.',
		default: 'metrics.json or metrics.csv in results/',
		example: 'metrics.json',
	},
];

/** Keys of `job_toml`. */
export const TOML_KEYS: readonly Key[] = [
	{
		name: 'create_args',
		shape: {
			type: 'text',
			pattern: EXTRA_CREATE_ARGS,
			help: '--shm-size=SIZE, --ulimit=NAME=SOFT:HARD and --hostname=NAME; others could reach the volunteer’s computer',
		},
		doc: 'Options for the engine’s create: --shm-size, as 64m or 1g; --ulimit of core, memlock, nofile, nproc or stack; --hostname.',
		trap: 'The whole command is cut after 1023 characters, so it is refused when it gets too long.',
		example: '--shm-size=1g',
	},
];
