import { daemonApp, daemonProgram } from '../../project/daemonCommand.js';
import { childOf, childrenOf, childText, hasFlag, textOf, textRange, type XmlNode } from '../xml/xmlTree.js';
import type { Findings } from './findings.js';
import { physicalName } from './templateRules.js';

/** Traps of `config.xml` (`sched/start`, `sched/sched_config.cpp`). */
export function configRules(findings: Findings): void {
	const boinc = childOf(findings.tree.root, 'boinc');
	const config = childOf(boinc, 'config');
	const daemons = childrenOf(childOf(boinc, 'daemons'), 'daemon');
	settings(findings, config);
	pidFiles(findings, daemons);
	[...daemons, ...childrenOf(childOf(boinc, 'tasks'), 'task')].forEach((daemon) => command(findings, daemon));
	pipeline(findings, childOf(boinc, 'daemons'), daemons);
	for (const task of childrenOf(childOf(boinc, 'tasks'), 'task')) {
		const period = childOf(task, 'period');
		if (period && /^\d+\s*mo/i.test(textOf(findings.tree, period))) {
			findings.text(period, 'error', 'config-month', 'A unit that begins with m is minutes: this is run every few minutes.');
		}
	}
}

function settings(findings: Findings, config: XmlNode | undefined): void {
	const { tree } = findings;
	const url = childOf(config, 'master_url');
	if (url && !textOf(tree, url).endsWith('/') && textOf(tree, url) !== '') {
		const { end } = textRange(tree, url);
		findings.text(url, 'error', 'config-master-url', 'The address must end with a slash.', {
			title: 'Add the slash',
			edits: [{ start: end, end, text: '/' }],
		});
	}
	if (hasFlag(tree, config, 'user_filter')) {
		const node = childOf(config, 'user_filter');
		if (node) {
			findings.tag(
				node,
				'warning',
				'config-user-filter',
				'Each job goes only to the user whose number is the job’s batch.',
				findings.removal(node),
			);
		}
	}
	const cgi = childOf(config, 'cgi_url');
	if (cgi) {
		findings.tag(
			cgi,
			'hint',
			'config-cgi-url',
			'BOINC reads no cgi_url: the scheduler’s address is in html/user/schedulers.txt.',
		);
	}
	const fanout = findings.number(config, 'uldl_dir_fanout');
	if (fanout?.value === 0) {
		findings.text(fanout.node, 'warning', 'config-fanout', 'With 0 folders PHP tools fail; BOINC’s own value is 1024.');
	}
	const host = childOf(config, 'host');
	if (host && textOf(tree, host).includes('.')) {
		findings.text(
			host,
			'warning',
			'config-host',
			'bin/start compares it with the short host name, up to the first dot: nothing would be started.',
		);
	}
}

function pidFiles(findings: Findings, daemons: readonly XmlNode[]): void {
	const { tree } = findings;
	const seen = new Map<string, XmlNode>();
	for (const daemon of daemons) {
		const program = daemonProgram(childText(tree, daemon, 'cmd') ?? '');
		const file = childText(tree, daemon, 'pid_file') ?? `${program}.pid`;
		if (program === '') {
			continue;
		}
		if (seen.has(file)) {
			const own = childOf(daemon, 'pid_file');
			const name = `${program}_${daemonApp(childText(tree, daemon, 'cmd') ?? '') ?? '2'}.pid`;
			findings.tag(
				daemon,
				'error',
				'config-pid-file',
				`Two daemons have the pid file ${file}: the second is not started, or bin/stop ends only one.`,
				own
					? { title: `Use ${name}`, edits: [{ ...textRange(tree, own), text: name }] }
					: findings.insertion(daemon, `<pid_file>${name}</pid_file>`),
			);
		}
		seen.set(file, daemon);
	}
}

function command(findings: Findings, daemon: XmlNode): void {
	const { tree } = findings;
	const cmd = childOf(daemon, 'cmd');
	const text = cmd ? textOf(tree, cmd) : '';
	if (!cmd || text === '') {
		findings.tag(daemon, 'error', 'config-no-command', 'There is no <cmd>.');
		return;
	}
	if (/[|>]|\$\w|&gt;/.test(text) && !hasFlag(tree, daemon, 'use_shell')) {
		findings.text(
			cmd,
			'warning',
			'config-shell',
			'The command is started without a shell: >, | and $NAME are passed on as they are.',
			findings.insertion(daemon, '<use_shell>1</use_shell>'),
		);
	}
	const start = textRange(tree, cmd).start;
	for (const match of text.matchAll(/--?(?:init_script|compare_script|script)\s+(["'])([^"'\s]+)( +)([^"'\t]*)\1/g)) {
		const from = start + match.index + match[0].indexOf(match[2] ?? '') + (match[2]?.length ?? 0);
		const to = start + match.index + match[0].length - 1;
		findings.add(
			{ start: from, end: to },
			'error',
			'config-tokens',
			'Servers of 1.6 and later drop all tokens after a script’s name, and the program gets no arguments. The name alone works.',
			{ title: 'Keep the name alone', edits: [{ start: from, end: to, text: '' }] },
		);
	}
}

/** Which parts of a job's way are missing, or race with each other. */
function pipeline(findings: Findings, parent: XmlNode | undefined, daemons: readonly XmlNode[]): void {
	const { tree } = findings;
	if (!parent) {
		return;
	}
	const commands = daemons.flatMap((node): DaemonCommand[] => {
		const cmd = childText(tree, node, 'cmd') ?? '';
		return hasFlag(tree, node, 'disabled')
			? []
			: [{ node, program: daemonProgram(cmd), app: daemonApp(cmd), parted: /--?mod\b/.test(cmd) }];
	});
	const programs = commands.map(({ program }) => program);
	for (const [name, effect] of [
		['feeder', 'clients are told to stay away for an hour'],
		['transitioner', 'jobs never get copies, and nothing times out'],
	] as const) {
		if (!programs.includes(name)) {
			findings.tag(
				parent,
				'warning',
				`config-no-${name}`,
				`There is no ${name}: ${effect}.`,
				findings.insertion(parent, `<daemon><cmd>${name} -d 3</cmd></daemon>`),
			);
		}
	}
	workers(findings, commands);
}

interface DaemonCommand {
	readonly node: XmlNode;
	readonly program: string;
	readonly app: string | undefined;
	/** One of several that share the jobs. */
	readonly parted: boolean;
}

/** Validators and assimilators that are missing, or too many. */
function workers(findings: Findings, commands: readonly DaemonCommand[]): void {
	const validators = commands.filter(({ program }) => program.endsWith('_validator'));
	const assimilators = commands.filter(({ program }) => program.endsWith('_assimilator'));
	for (const list of [validators, assimilators]) {
		const seen = new Set<string>();
		for (const { node, app, program, parted } of list) {
			if (app !== undefined && seen.has(app) && !parted) {
				findings.tag(
					node,
					'warning',
					'config-race',
					`Another ${program.split('_').at(-1) ?? ''} works for ${app} already: they race with each other.`,
				);
			}
			seen.add(app ?? '');
		}
	}
	for (const { node, app } of validators) {
		if (app !== undefined && !assimilators.some((other) => other.app === app)) {
			findings.tag(
				node,
				'warning',
				'config-no-assimilator',
				`No assimilator works for ${app}: results are not collected, and rows are never removed.`,
			);
		}
	}
	for (const { node, program } of assimilators) {
		if (program === 'sample_dummy_assimilator' && commands.some((other) => other.program === 'file_deleter')) {
			findings.tag(
				node,
				'warning',
				'config-dummy',
				'With the dummy assimilator and the file deleter results are removed and collected by nobody.',
			);
		}
	}
}

/** Traps of `project.xml` (`tools/xadd`). */
export function projectRules(findings: Findings): void {
	const { tree } = findings;
	const boinc = childOf(tree.root, 'boinc');
	const seen = new Set<string>();
	for (const entry of boinc?.children ?? []) {
		const name = childOf(entry, 'name');
		const friendly = childOf(entry, 'user_friendly_name');
		for (const node of [name, friendly]) {
			if (node && /['"\\]/.test(textOf(tree, node))) {
				findings.text(
					node,
					'error',
					'project-quote',
					'xadd puts the name into SQL unescaped: a quote or backslash breaks the statement.',
				);
			}
		}
		const key = `${entry.name} ${name ? textOf(tree, name) : ''}`;
		if (name && seen.has(key)) {
			findings.text(name, 'warning', 'project-twice', `The ${key} is given twice.`);
		}
		seen.add(key);
		const least = childOf(entry, 'min_version');
		if (least) {
			findings.tag(least, 'hint', 'project-min-version', 'xadd ignores min_version when it adds the app; run it a second time.');
		}
	}
}

/** Traps of `plan_class_spec.xml` (`sched/plan_class_spec.cpp`, and the client that goes by names). */
export function planClassRules(findings: Findings): void {
	const { tree } = findings;
	const seen = new Set<string>();
	for (const node of childrenOf(childOf(tree.root, 'plan_classes'), 'plan_class')) {
		const label = childOf(node, 'name');
		const name = label ? textOf(tree, label) : '';
		if (!label || name === '') {
			findings.tag(node, 'error', 'plan-class-name', 'The plan class has no name.');
			continue;
		}
		if (seen.has(name)) {
			findings.text(label, 'warning', 'plan-class-twice', `The plan class ${name} is defined twice.`);
		}
		seen.add(name);
		planClass(findings, node, label, name);
	}
}

function planClass(findings: Findings, node: XmlNode, label: XmlNode, name: string): void {
	const { tree } = findings;
	const has = (flag: string): boolean => hasFlag(tree, node, flag);
	if (name.includes('__')) {
		findings.text(label, 'error', 'plan-class-underscores', 'update_versions splits folder names at two underscores.');
	}
	if (has('docker') && !name.includes('docker')) {
		findings.text(
			label,
			'error',
			'plan-class-docker',
			'The client takes an app for a Docker one only if the name holds “docker”; it would remove its images.',
		);
	}
	if (has('virtualbox') && !name.includes('vbox')) {
		findings.text(
			label,
			'error',
			'plan-class-vbox',
			'The client takes an app for a VirtualBox one only if the name holds “vbox”.',
		);
	}
	if (/nvidia|cuda|opencl|_ati|_amd/.test(name) && !childOf(node, 'gpu_type') && !childOf(node, 'gpu_type_regex')) {
		findings.text(
			label,
			'warning',
			'plan-class-gpu',
			'Without gpu_type no GPU is reserved.',
			findings.insertion(node, '<gpu_type>nvidia</gpu_type>'),
		);
	}
	bitsAndMachines(findings, node);
}

function bitsAndMachines(findings: Findings, node: XmlNode): void {
	const has = (flag: string): boolean => hasFlag(findings.tree, node, flag);
	const bits = childOf(node, 'is64bit');
	if (bits && !has('virtualbox')) {
		findings.tag(bits, 'hint', 'plan-class-64', 'is64bit is looked at together with virtualbox only.', findings.removal(bits));
	}
	if (has('virtualbox') && !bits) {
		findings.tag(
			node,
			'warning',
			'plan-class-no-64',
			'A 64-bit host never gets a VirtualBox class without is64bit.',
			findings.insertion(node, '<is64bit/>'),
		);
	}
	if (has('virtualbox') && !has('vm_accel_required')) {
		const threads = findings.number(node, 'max_threads');
		const more = threads && threads.value > 1 ? ' And max_threads means one processor there.' : '';
		findings.tag(
			node,
			'warning',
			'plan-class-accel',
			`Without vm_accel_required hosts without virtualisation in hardware get jobs that fail.${more}`,
			findings.insertion(node, '<vm_accel_required/>'),
		);
	}
}

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
			findings.tag(
				file,
				'warning',
				'version-copy-file',
				'Containers and virtual machines cannot follow link files.',
				findings.insertion(file, '<copy_file/>'),
			);
		}
	}
}

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
			findings.tag(
				node,
				'error',
				'vbox-clash',
				`<${name}> and <${other}> exclude each other: vboxwrapper ends with 206.`,
				findings.removal(node),
			);
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
	const floppy = childOf(job, 'enable_floppyio');
	if (floppy && hasFlag(findings.tree, job, 'enable_floppyio')) {
		findings.tag(floppy, 'warning', 'vbox-floppy', 'The floppy holds the volunteer’s account key.', findings.removal(floppy));
	}
	for (const forward of childrenOf(job, 'port_forward')) {
		const port = findings.number(forward, 'host_port');
		if (port?.value === 0) {
			findings.text(port.node, 'error', 'vbox-port', 'vboxwrapper does not accept port 0 here.');
		}
	}
}
