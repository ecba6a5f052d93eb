import { NETWORK_POLICIES } from '../types.js';
import { INPUTS } from './inputKeys.js';
import { INSTALL_KEYS } from './installKeys.js';
import { BOINC_KEYS, OUTPUT_KEYS, REPLICATION_KEYS, RESOURCE_KEYS, TOML_KEYS } from './sectionKeys.js';
import { type Key, type Shape, TEXT, VALUE, WORDS } from './shape.js';
import { SWEEP } from './sweepKeys.js';

/** Newest form of the file that this program reads. */
export const SCHEMA_VERSION = 1;

const ENVIRONMENT: Shape = {
	type: 'pairs',
	of: VALUE,
	name: /^[^=\0]+$/,
	help: 'a name without “=”',
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
