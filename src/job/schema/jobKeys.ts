import { EXTRA_CREATE_ARGS } from '../jobToml.js';
import { NETWORK_POLICIES } from '../types.js';
import { INSTALL_KEYS } from './installKeys.js';
import { BYTES, type Key, SECONDS, type Shape, TEXT, TEXTS, VALUE, WORDS } from './shape.js';
import { SWEEP } from './sweepKeys.js';

/** Newest form of the file that this program reads. */
export const SCHEMA_VERSION = 1;

const ENVIRONMENT: Shape = {
	type: 'pairs',
	of: VALUE,
	name: /^[^=\0]+$/,
	help: 'a name without “=”',
};
const COPIES: Shape = { type: 'whole', least: 1, most: 99 };
const ID: Shape = { type: 'whole', least: 1, most: 2 ** 31 - 1 };

const RESOURCE_KEYS: readonly Key[] = [
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
		shape: { type: 'choice', of: ['nvidia', 'amd', 'intel'] },
		doc: 'Kind of GPU that a job needs.',
		later:
			'Leave it out: docker_wrapper can only say --gpus all, which fails on hosts whose engine was not set up for it, and BOINC’s scheduler cannot tell those from the others.',
		example: 'nvidia',
	},
];

const REPLICATION_KEYS: readonly Key[] = [
	{ name: 'min_quorum', shape: COPIES, doc: 'Results that must agree.', default: '1', example: '2' },
	{
		name: 'target_nresults',
		shape: COPIES,
		doc: 'Copies of a job that are sent at the start.',
		default: 'min_quorum',
		example: '2',
	},
	{ name: 'max_error_results', shape: COPIES, doc: 'Failed copies after which the job fails.', default: '3', example: '3' },
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
		default: '4',
		example: '3',
	},
];

const RECEIVER_KEYS: readonly Key[] = ['host', 'user', 'team'].map((name) => ({
	name,
	shape: ID,
	doc: `Number of the ${name}.`,
	example: '7',
}));

const BOINC_KEYS: readonly Key[] = [
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

const OUTPUT_KEYS: readonly Key[] = [
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

const TOML_KEYS: readonly Key[] = [
	{
		name: 'create_args',
		shape: {
			type: 'text',
			pattern: EXTRA_CREATE_ARGS,
			help: '--shm-size=SIZE and --ulimit=NAME=SOFT:HARD; others could reach the volunteer’s computer',
		},
		doc: 'Options for the engine’s create: --shm-size, as 64m or 1g; --ulimit of core, memlock, nofile, nproc or stack.',
		trap: 'The whole command is cut after 1023 characters, so it is refused when it gets too long.',
		example: '--shm-size=1g',
	},
];

const INPUT_KEYS: readonly Key[] = [
	{ name: 'path', shape: TEXT, doc: 'Path below /root/shared.', default: 'the name of the file', example: 'data/in.csv' },
	{ name: 'file', shape: TEXT, doc: 'A file of this computer; may hold {{parameter}}.', example: 'data/in.csv' },
	{ name: 'files', shape: TEXTS, doc: 'Patterns of files: * and ? within a name, ** over folders.', example: 'data/*.csv' },
	{ name: 'folder', shape: TEXT, doc: 'A folder; each file in it is an input.', example: 'data' },
	{ name: 'ignore', shape: TEXTS, doc: 'Patterns of files to leave out, relative to the job file.', example: '["**/*.tmp"]' },
	{
		name: 'url',
		shape: {
			type: 'text',
			pattern: /^https?:\/\/[^\s/]+\/\S*[^\s/]$/,
			help: 'an address of a file that begins with https:// or http://',
		},
		doc: 'Address of a file on the web. It is fetched when jobs are submitted, compared with sha256, and sent to the server like a file of this computer.',
		example: 'https://example.org/in.csv',
	},
	{
		name: 'sha256',
		shape: { type: 'text', pattern: /^[0-9a-fA-F]{64}$/, help: '64 hexadecimal digits' },
		doc: 'SHA-256 of the file at url, as the program sha256sum tells it.',
		trap: 'With another content nothing is submitted.',
		example: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
	},
];
/** What an entry of `inputs` is. */
export const INPUT_KINDS = ['file', 'files', 'folder', 'url'] as const;

const INPUTS: Shape = {
	type: 'either',
	of: [
		{
			type: 'list',
			of: {
				type: 'either',
				of: [TEXT, { type: 'section', keys: () => INPUT_KEYS, kinds: INPUT_KINDS }],
				what: 'a file, or a map with file, files, folder or url',
			},
			single: true,
		},
		{ type: 'pairs', of: TEXT },
	],
	what: 'a list of files, or “path below /root/shared: file” lines',
};

const JOB_ONLY: readonly Key[] = [
	{
		name: 'schema',
		shape: { type: 'whole', least: 1, most: 1_000_000 },
		doc: 'Version of the form of this file.',
		default: String(SCHEMA_VERSION),
		example: String(SCHEMA_VERSION),
	},
	{ name: 'name', shape: TEXT, doc: 'Name of the batch, for people.', default: 'the folder or the image', example: 'First try' },
	{
		name: 'app',
		shape: TEXT,
		doc: 'App that runs the jobs.',
		default: 'appname, or the only app for containers',
		example: 'mysci',
	},
	{
		name: 'image',
		shape: TEXT,
		doc: 'Image of the jobs, by a name that Docker or Podman has on this computer.',
		trap: 'latest may be another image tomorrow; name a version.',
		example: 'python:3.13-slim',
	},
	{ name: 'dockerfile', shape: TEXT, doc: 'Dockerfile that is built for the jobs.', example: 'Dockerfile' },
	{ name: 'archive', shape: TEXT, doc: 'Image in a file, made by docker save.', example: 'image.tar' },
	{ name: 'context', shape: TEXT, doc: 'Folder of the build.', default: 'the folder of this file', example: '.' },
	{
		name: 'build_args',
		shape: { type: 'pairs', of: VALUE },
		doc: 'Arguments of the build.',
		trap: 'They can be read in the image’s history: no secrets.',
		example: '{ VERSION: "1.2" }',
	},
	{
		name: 'target',
		shape: TEXT,
		doc: 'Stage of the Dockerfile. Receivers of jobs stand under boinc.target.',
		example: 'runtime',
	},
	{
		name: 'platform',
		shape: { type: 'text', pattern: /^linux\/(amd64|arm64)(\/v8)?$/, help: 'linux/amd64 or linux/arm64' },
		doc: 'Platform to build for.',
		default: 'what the app’s versions run',
		example: 'linux/amd64',
	},
	{
		name: 'command',
		shape: WORDS,
		doc: 'Instead of the image’s command; may hold {{parameter}}. No shell expands it: $HOME and * stay as they are.',
		default: 'the image’s own',
		trap: 'The words travel in a parameter table, so blanks and quotes arrive as they are.',
		example: 'python main.py --alpha {{alpha}}',
	},
	{
		name: 'entrypoint',
		shape: WORDS,
		doc: 'Instead of the image’s entry point; an empty list means none.',
		default: 'the image’s own',
		example: '[/bin/sh, -c]',
	},
	{
		name: 'before',
		shape: WORDS,
		doc: 'Runs before the program, as the same user; if it fails, the job fails.',
		example: 'sh prepare.sh',
	},
	{ name: 'after', shape: WORDS, doc: 'Runs after the program, also if that failed.', example: 'sh tidy.sh' },
	{
		name: 'env',
		shape: ENVIRONMENT,
		doc: 'Environment of the program; values may hold {{parameter}}.',
		example: '{ GREETING: hello }',
	},
	{
		name: 'inputs',
		shape: INPUTS,
		doc: 'Local files that jobs get below /root/shared. A file with {{parameter}} in its path is each job’s own.',
		trap: 'BOINC takes at most 100 files for a job, packs of the image among them; pack many small files into an archive.',
		example: '{ data/in.csv: ./in.csv }',
	},
	{
		name: 'progress_file',
		shape: TEXT,
		doc: 'File below /root/shared in which the program writes its progress, a number from 0 to 1.',
		default: 'fraction_done',
		example: 'progress',
	},
	{
		name: 'sweep',
		shape: SWEEP,
		doc: 'Parameters: one job for each row. Each parameter is an environment variable, and {{parameter}} in command, env and inputs.',
		example: '{ grid: { alpha: [0.1, 0.2] } }',
	},
	{
		name: 'count',
		shape: { type: 'whole', least: 1, most: 1_000_000 },
		doc: 'Number of equal jobs; each knows its own by B2D_INDEX and B2D_COUNT.',
		default: '1',
		example: '20',
	},
	{
		name: 'resources',
		shape: { type: 'section', keys: () => RESOURCE_KEYS },
		doc: 'What a job needs, and its limits.',
		example: '{ memory: 2 GiB, time: 3 h }',
	},
	{
		name: 'network',
		shape: { type: 'choice', of: NETWORK_POLICIES },
		doc: 'none: no network. bridge: the Internet. host: as the host itself, also what listens there.',
		default: 'none',
		trap: 'Volunteers see what a job may reach; ask for no more than it needs.',
		example: 'none',
	},
	{
		name: 'replication',
		shape: { type: 'section', keys: () => REPLICATION_KEYS },
		doc: 'Copies of a job and retries.',
		example: '{ min_quorum: 2 }',
	},
	{
		name: 'priority',
		shape: { type: 'whole', least: -1_000_000, most: 1_000_000 },
		doc: 'Higher is sent first.',
		default: '0',
		example: '1',
	},
	{
		name: 'boinc',
		shape: { type: 'section', keys: () => BOINC_KEYS },
		doc: 'Other options of BOINC’s create_work.',
		example: '{ credit: 25 }',
	},
	{
		name: 'vbox_job_xml',
		shape: TEXT,
		doc: 'Elements to add to vbox_job.xml, for hosts with VirtualBox.',
		example: '<vram_size_mb>32</vram_size_mb>',
	},
	{
		name: 'job_toml',
		shape: { type: 'section', keys: () => TOML_KEYS },
		doc: 'Values to add to job.toml, for hosts with Docker or Podman.',
		trap: 'The rest of job.toml is ours: it keeps the container away from the volunteer’s files.',
		example: '{ create_args: "--shm-size=1g" }',
	},
	{
		name: 'outputs',
		shape: { type: 'section', keys: () => OUTPUT_KEYS },
		doc: 'What comes back: everything in /root/shared/results/.',
		example: '{ max_size: 100 MB }',
	},
	{
		name: 'then',
		shape: WORDS,
		doc: 'Command to run on this computer when the batch is over, in the folder of this file: boinc2docker submit --wait or --fetch runs it. It has B2D_BATCH, B2D_STATE, and B2D_RESULTS with the folder of --fetch.',
		trap: 'The editor does not run it, and no shell does: $NAME and * stay as they are.',
		example: 'python collect.py',
	},
];

/** All keys of the file. */
export const KEYS: readonly Key[] = [...JOB_ONLY, ...INSTALL_KEYS];

/** The file as a whole. */
export const FILE: Shape = { type: 'section', keys: () => KEYS };
