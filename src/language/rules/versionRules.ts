import { childOf, childrenOf, childText, hasFlag, textOf, type XmlNode } from '../xml/xmlTree.js';
import type { Findings } from './findings.js';
import { physicalName } from './templateRules.js';

/** Traps of `version.xml` (`tools/update_versions`). `path` is the file's, which says version and plan class. */
export function versionRules(findings: Findings, path: string): void {
	const { tree } = findings;
	const version = childOf(tree.root, 'version');
	if (!version) {
		return;
	}
	const [number = '', place = ''] = path.split('/').slice(-3, -1);
	folderRules(findings, version, number, place);
	const files = childrenOf(version, 'file');
	const mains = files.filter((file) => hasFlag(tree, file, 'main_program'));
	if (files.length > 0 && mains.length !== 1) {
		const node = mains[1] ?? version;
		findings.tag(
			node,
			'error',
			'version-main',
			`${mains.length === 0 ? 'No file is' : 'Several files are'} the main program: update_versions skips the version.`,
		);
	}
	versionFiles(findings, files, /docker|vbox/.test(place));
}

function versionFiles(findings: Findings, files: readonly XmlNode[], isContainer: boolean): void {
	const { tree } = findings;
	const seen = new Set<string>();
	for (const file of files) {
		const name = childOf(file, 'physical_name');
		const text = name ? textOf(tree, name) : '';
		if (!name || text === '') {
			findings.tag(file, 'error', 'version-name', 'The file has no physical_name.');
			continue;
		}
		physicalName(findings, name);
		if (!/\d/.test(text)) {
			findings.text(
				name,
				'warning',
				'version-name-fixed',
				'A name means one content for ever, in the whole project: put a version into it.',
			);
		}
		if (seen.has(text)) {
			findings.text(name, 'error', 'version-name-twice', `${text} is listed twice.`);
		}
		seen.add(text);
		if (
			isContainer &&
			!hasFlag(tree, file, 'main_program') &&
			!childOf(file, 'copy_file') &&
			childText(tree, file, 'logical_name') !== 'vbox_job.xml'
		) {
			findings.lacks(
				file,
				'warning',
				'version-copy-file',
				'Containers and virtual machines cannot follow link files.',
				'<copy_file/>',
			);
		}
	}
}

/** BOINC’s names of platforms that are in use. */
const PLATFORMS =
	/^(windows_(intelx86|x86_64|arm64)|(i686|x86_64)-pc-linux-gnu|(powerpc|i686|x86_64|arm64)-apple-darwin|(aarch64-unknown|arm-unknown)-linux-gnu(eabihf)?|(arm|aarch64|x86_64|x86)-android-linux-gnu)$/;
/** In file names of wrappers, and what they mean. */
const WRAPPER_PLATFORMS: Readonly<Record<string, string>> = {
	'arm64-pc-linux-gnu': 'aarch64-unknown-linux-gnu',
	'armhf-pc-linux-gnu': 'arm-unknown-linux-gnueabihf',
};

function folderRules(findings: Findings, version: XmlNode, number: string, place: string): void {
	const match = /^(\d+)\.(\d+)(\..*)?$/.exec(number);
	if (match && (match[2]?.length !== 2 || match[3] !== undefined)) {
		const minor = Number(match[2]);
		const says = Number(match[1]) * 100 + minor;
		findings.tag(
			version,
			'warning',
			'version-number',
			`BOINC reads the folder ${number} as number ${says}, the same as ${match[1] ?? ''}.${String(minor % 100).padStart(2, '0')}: write two digits after the dot.`,
		);
	}
	const [platform = ''] = place.split('__');
	if (/-(linux|darwin|apple)|^windows/.test(platform) && !PLATFORMS.test(platform)) {
		const right = WRAPPER_PLATFORMS[platform];
		const which = right === undefined ? '' : `; in names of wrappers it stands for ${right}`;
		findings.tag(
			version,
			'warning',
			'version-platform',
			`${platform} is no platform of BOINC${which}: update_versions skips the folder.`,
		);
	}
	if (place.split('__').length > 2) {
		findings.tag(version, 'error', 'version-folder', `The folder ${place} is split at two underscores, and the rest is dropped.`);
	}
}

/** Traps of `vbox_job.xml` (`samples/vboxwrapper`). */
export function vboxJobRules(findings: Findings): void {
	const { tree } = findings;
	const job = childOf(tree.root, 'vbox_job');
	if (!job) {
		if (tree.text.trim() !== '') {
			findings.tag(
				tree.root.children[0] ?? tree.root,
				'error',
				'vbox-root',
				'The root must be <vbox_job>; else vboxwrapper ends with -112.',
			);
		}
		return;
	}
	const has = (flag: string): boolean => hasFlag(tree, job, flag);
	const clash = (name: string, others: readonly string[]): void => {
		const node = childOf(job, name);
		const other = others.find((each) => childOf(job, each));
		if (node && has(name) && other !== undefined) {
			findings.useless(node, 'error', 'vbox-clash', `<${name}> and <${other}> exclude each other: vboxwrapper ends with 206.`);
		}
	};
	clash('share_slot_dir', ['enable_shared_directory', 'copy_to_shared']);
	clash('share_project_dir', ['enable_scratch_directory']);
	sharing(findings, job);
	machine(findings, job);
}

function sharing(findings: Findings, job: XmlNode): void {
	const has = (flag: string): boolean => hasFlag(findings.tree, job, flag);
	const isShared = has('enable_shared_directory') || has('share_slot_dir');
	for (const copy of childrenOf(job, 'copy_to_shared')) {
		if (!has('enable_shared_directory')) {
			findings.tag(
				copy,
				'error',
				'vbox-copy',
				'<copy_to_shared> needs <enable_shared_directory/>: vboxwrapper ends with 206.',
				findings.insertion(job, '<enable_shared_directory/>'),
			);
		}
	}
	for (const name of ['completion_trigger_file', 'temporary_exit_trigger_file', 'fraction_done_filename', 'heartbeat_filename']) {
		const node = childOf(job, name);
		if (node && !isShared) {
			findings.tag(
				node,
				'error',
				'vbox-trigger',
				`<${name}> needs a shared folder; without one its path begins at the host’s root.`,
				findings.insertion(job, '<enable_shared_directory/>'),
			);
		}
	}
}

function machine(findings: Findings, job: XmlNode): void {
	const duration = findings.number(job, 'job_duration');
	if (!childOf(job, 'completion_trigger_file') && !(duration && duration.value > 0)) {
		findings.tag(
			job,
			'warning',
			'vbox-end',
			'Without <completion_trigger_file> a machine that powers off is a success, whatever its program did.',
		);
	}
	if (duration && duration.value > 0 && childOf(job, 'fraction_done_filename')) {
		findings.text(
			duration.node,
			'warning',
			'vbox-duration',
			'With <job_duration> the progress file is ignored, and the task succeeds after that time.',
		);
	}
	const memory = findings.number(job, 'memory_size_mb');
	if (memory && memory.value < 512) {
		findings.text(memory.node, 'warning', 'vbox-memory', 'vboxwrapper makes no machine below 512 MB.');
	}
	const checkpoints = childOf(job, 'disable_automatic_checkpoints');
	if (checkpoints) {
		findings.tag(
			checkpoints,
			'hint',
			'vbox-checkpoints',
			'Each start of the client begins the job again, unless the guest keeps its state in the shared folder.',
		);
	}
	const floppy = childOf(job, 'enable_floppyio');
	if (floppy && hasFlag(findings.tree, job, 'enable_floppyio')) {
		findings.useless(floppy, 'warning', 'vbox-floppy', 'The floppy holds the volunteer’s account key.');
	}
	for (const forward of childrenOf(job, 'port_forward')) {
		const port = findings.number(forward, 'host_port');
		if (port?.value === 0) {
			findings.text(port.node, 'error', 'vbox-port', 'vboxwrapper does not accept port 0 here.');
		}
	}
}
