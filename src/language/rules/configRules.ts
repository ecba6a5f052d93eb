import { daemonApp, daemonProgram } from '../../project/daemonCommand.js';
import { childOf, childrenOf, childText, hasFlag, textOf, textRange, type XmlNode } from '../xml/xmlTree.js';
import type { Findings } from './findings.js';

/** Traps of `config.xml` (`sched/start`, `sched/sched_config.cpp`). */
export function configRules(findings: Findings): void {
	const boinc = childOf(findings.tree.root, 'boinc');
	const config = childOf(boinc, 'config');
	const daemons = childrenOf(childOf(boinc, 'daemons'), 'daemon');
	settings(findings, config);
	pidFiles(findings, daemons);
	[...daemons, ...childrenOf(childOf(boinc, 'tasks'), 'task')].forEach((daemon) => command(findings, daemon));
	pipeline(findings, childOf(boinc, 'daemons'), daemons);
	fileOwner(findings, config, boinc);
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
			findings.useless(node, 'warning', 'config-user-filter', 'Each job goes only to the user whose number is the job’s batch.');
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

/** The account of the web server, which owns what hosts have uploaded. */
function fileOwner(findings: Findings, config: XmlNode | undefined, boinc: XmlNode | undefined): void {
	const { tree } = findings;
	if (!config || childOf(config, 'httpd_user')) {
		return;
	}
	const parts = [...childrenOf(childOf(boinc, 'daemons'), 'daemon'), ...childrenOf(childOf(boinc, 'tasks'), 'task')];
	for (const node of parts) {
		if (daemonProgram(childText(tree, node, 'cmd') ?? '') === 'antique_file_deleter') {
			findings.tag(
				node,
				'warning',
				'config-httpd-user',
				'antique_file_deleter takes apache for the web server’s account; on Debian and Ubuntu it is www-data.',
				findings.insertion(config, '<httpd_user>www-data</httpd_user>'),
			);
		}
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
			findings.lacks(
				parent,
				'warning',
				`config-no-${name}`,
				`There is no ${name}: ${effect}.`,
				`<daemon><cmd>${name} -d 3</cmd></daemon>`,
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
