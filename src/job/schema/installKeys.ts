import { PLATFORMS, RUNTIMES } from '../../project/types.js';
import { type Key, type Shape, TEXT, TEXTS } from './shape.js';

const SCRIPT: Shape = {
	type: 'text',
	pattern: /^[A-Za-z0-9_][A-Za-z0-9._-]*$/,
	help: 'the name of a program in the project’s bin folder',
};

const VALIDATOR_KEYS: readonly Key[] = [
	{
		name: 'init_script',
		shape: SCRIPT,
		doc: 'Program that checks one result.',
		trap: 'Tokens after the name are dropped by current servers: give the name alone.',
		example: 'check_result',
	},
	{ name: 'compare_script', shape: SCRIPT, doc: 'Program that compares two results.', example: 'compare_results' },
];

const ASSIMILATOR_KEYS: readonly Key[] = [
	{
		name: 'script',
		shape: SCRIPT,
		doc: 'Program in the project’s bin/ that collects the results of a job.',
		trap: 'Tokens after the name are not to be trusted: give the name alone.',
		example: 'collect_results',
	},
];

/** Keys for installing the app; `src/project/appFile.ts` reads them. The original boinc2docker had most of them. */
export const INSTALL_KEYS: readonly Key[] = (
	[
		{
			name: 'appname',
			shape: {
				type: 'text',
				pattern: /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/,
				help: 'a name of letters, digits, dashes and underscores',
			},
			doc: 'BOINC’s short name of the app.',
			default: 'boinc2docker',
			example: 'mysci',
		},
		{ name: 'friendly_name', shape: TEXT, doc: 'Name of the app for volunteers.', default: 'Containers', example: 'My science' },
		{
			name: 'appver',
			shape: { type: 'text', pattern: /^\d{1,5}(\.\d{1,2})?$/, help: 'a version such as 1.00' },
			doc: 'Version of the app: two digits after the dot, the last one even. The versions for ARM get the odd number after it.',
			default: 'the next free version',
			trap: 'BOINC reads 1.2 as 1.02: both are number 102. Write two digits.',
			example: '"1.02"',
		},
		{ name: 'projhome', shape: TEXT, doc: 'Folder of the project on the server.', example: '/home/boincadm/projects/mysci' },
		{
			name: 'resultsdir',
			shape: TEXT,
			doc: 'Where results are collected on the server; relative to the project.',
			default: 'results/APP',
			example: 'results/mysci',
		},
		{
			name: 'tmpdir',
			shape: TEXT,
			doc: 'Folder on this computer in which downloads are kept, so that they are not fetched again.',
			example: '.boinc',
		},
		{
			name: 'download_only',
			shape: { type: 'flag' },
			doc: 'Fetch the programs into tmpdir, install nothing.',
			default: 'false',
			example: 'true',
		},
		{
			name: 'dont_install',
			shape: { type: 'list', of: { type: 'choice', of: ['template_in', 'template_out', 'assimilator'] }, single: true },
			doc: 'Parts to leave out. Templates are made for each batch, so only the assimilator matters.',
			example: '[assimilator]',
		},
		{
			name: 'wrapper',
			shape: TEXT,
			doc: 'docker_wrapper programs: a folder, an address, a release number or latest.',
			default: 'latest',
			example: 'latest',
		},
		{ name: 'busybox', shape: TEXTS, doc: 'Static busybox programs for containers: files or addresses.', example: './busybox' },
		{
			name: 'platforms',
			shape: { type: 'list', of: { type: 'choice', of: PLATFORMS }, single: true },
			doc: 'BOINC platforms that get an app version.',
			default: 'all',
			example: '[x86_64-pc-linux-gnu]',
		},
		{
			name: 'validator',
			shape: {
				type: 'either',
				of: [
					{ type: 'choice', of: ['trivial', 'bitwise', 'none'] },
					{ type: 'section', keys: () => VALIDATOR_KEYS },
				],
				what: 'one of trivial, bitwise, none, or init_script and compare_script',
			},
			doc: 'What decides whether results are valid.',
			default: 'trivial',
			trap: 'trivial accepts every result, also an empty one.',
			example: 'bitwise',
		},
		{
			name: 'assimilator',
			shape: {
				type: 'either',
				of: [
					{ type: 'choice', of: ['collect', 'none'] },
					{ type: 'section', keys: () => ASSIMILATOR_KEYS },
				],
				what: 'one of collect, none, or script',
			},
			doc: 'collect: our script stores results by batch. none: somebody else’s business. script: a program of your own.',
			default: 'collect',
			trap: 'Without an assimilator results stay in the upload folder and rows are never removed.',
			example: 'collect',
		},
		{
			name: 'runtimes',
			shape: { type: 'list', of: { type: 'choice', of: RUNTIMES }, single: true },
			doc: 'docker: hosts with Docker or Podman. vm: hosts with VirtualBox.',
			default: 'docker, and vm where iso or vboxwrapper is given',
			example: '[docker, vm]',
		},
		{
			name: 'iso',
			shape: TEXT,
			doc: 'The ISO for virtual machines: a file or an address.',
			example: 'dist/iso/boinc2docker.iso',
		},
		{
			name: 'vboxwrapper',
			shape: {
				type: 'either',
				of: [TEXT, { type: 'pairs', of: TEXT }],
				what: 'a release, folder or address',
			},
			doc: 'vboxwrapper programs: a folder, an address, a release number or latest.',
			default: 'latest',
			trap: 'Releases before 26208 cannot share the slot folder and are not used.',
			example: 'latest',
		},
	] satisfies readonly Key[]
).map((key) => ({ ...key, install: true }));
