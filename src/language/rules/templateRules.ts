import { childOf, childrenOf, childText, textOf, type XmlNode } from '../xml/xmlTree.js';
import type { Findings } from './findings.js';

const MAX_TEMPLATE = 65_536;
/** Operations per second of a slow host: a bound below two minutes of it is below two minutes anywhere. */
const SLOW_FLOPS = 1e9;
const NO_EFFECT = ['credit', 'priority', 'max_delay', 'app_version_num'];

const topOf = (root: XmlNode, name: string): XmlNode => childOf(root, name) ?? root;

/** Traps of input templates (`tools/process_input_template.cpp`). */
export function inputTemplateRules(findings: Findings): void {
	const { tree } = findings;
	const top = topOf(tree.root, 'input_template');
	const infos = childrenOf(top, 'file_info');
	const workunit = childOf(top, 'workunit');
	const refs = childrenOf(workunit, 'file_ref');
	if (Buffer.byteLength(tree.text) > MAX_TEMPLATE) {
		findings.tag(top.children[0] ?? top, 'error', 'input-too-long', 'BOINC reads at most 64 KiB of a template.');
	}
	infos.forEach((info) => inputFileInfo(findings, info));
	const names = new Map<string, XmlNode>();
	refs.forEach((ref) => inputFileRef(findings, ref, names));
	if (workunit && infos.length !== refs.length) {
		const what = `There are ${infos.length} file_info and ${refs.length} file_ref; they are matched by order, so there must be as many.`;
		findings.tag(workunit, 'error', 'input-count', what);
	}
	if (!workunit && tree.text.trim() !== '') {
		findings.tag(top.children[0] ?? top, 'error', 'input-no-workunit', 'The template has no <workunit>.');
	}
	if (workunit) {
		workunitRules(findings, workunit);
		shellRules(findings, workunit);
	}
	quoteRules(findings);
}

function inputFileInfo(findings: Findings, info: XmlNode): void {
	if (info.selfClosing) {
		findings.misspelt(info, 'input-self-closed', 'BOINC’s parser does not recognise <file_info/>.', '<file_info></file_info>');
		return;
	}
	const name = childOf(info, 'physical_name');
	if (!name) {
		return;
	}
	if (!childOf(info, 'no_delete')) {
		findings.lacks(
			info,
			'warning',
			'input-no-delete',
			'A constant file without <no_delete/> is removed from the server with the first finished job.',
			'<no_delete/>',
		);
	}
	const gzip = childOf(info, 'gzip');
	if (gzip) {
		findings.useless(gzip, 'warning', 'input-gzip-constant', '<gzip> is ignored for constant files.');
	}
	physicalName(findings, name);
}

/** Names that clients refuse, or that break shell commands and SQL. */
export function physicalName(findings: Findings, node: XmlNode): void {
	const name = textOf(findings.tree, node);
	if (name !== '' && (!/^[A-Za-z0-9._-]+$/.test(name) || name.includes('..'))) {
		findings.text(
			node,
			'error',
			'name-characters',
			'Names of files hold letters, digits, dots, dashes and underscores only, and no “..”.',
		);
	}
}

function inputFileRef(findings: Findings, ref: XmlNode, names: Map<string, XmlNode>): void {
	const copy = childOf(ref, 'copy_file');
	if (copy && !copy.selfClosing && copy.closed) {
		findings.misspelt(copy, 'input-copy-file-form', 'BOINC’s parser recognises the form <copy_file/> only.', '<copy_file/>');
	}
	if (!copy) {
		findings.lacks(
			ref,
			'warning',
			'input-copy-file',
			'Without <copy_file/> the slot holds a link file, which no container and no virtual machine can follow.',
			'<copy_file/>',
		);
	}
	const open = childOf(ref, 'open_name');
	const name = open && textOf(findings.tree, open);
	if (!open && !copy) {
		findings.tag(ref, 'error', 'input-open-name', 'The file has no <open_name>.');
	}
	if (open && name !== undefined && name !== '') {
		if (names.has(name)) {
			findings.text(open, 'error', 'input-open-name-twice', `Two files have the open name ${name}.`);
		}
		names.set(name, open);
		if (/(^\/|(^|\/)\.\.(\/|$))/.test(name)) {
			findings.text(open, 'error', 'input-open-name-path', 'An open name must not leave the slot folder.');
		}
	}
}

function workunitRules(findings: Findings, workunit: XmlNode): void {
	for (const name of NO_EFFECT) {
		const node = childOf(workunit, name);
		if (node) {
			findings.useless(
				node,
				'warning',
				'input-no-effect',
				`<${name}> in a template is copied into the job’s XML and has no effect; give --${name} to create_work.`,
			);
		}
	}
	const estimate = findings.number(workunit, 'rsc_fpops_est');
	const bound = findings.number(workunit, 'rsc_fpops_bound');
	if (bound && bound.value < 120 * SLOW_FLOPS) {
		findings.text(
			bound.node,
			'warning',
			'input-bound-two-minutes',
			'A limit that comes to less than two minutes is replaced by 12 hours.',
		);
	}
	if (bound && estimate && bound.value < estimate.value) {
		findings.text(
			bound.node,
			'error',
			'input-bound-below-estimate',
			'The bound is below the estimate: clients would end each job.',
		);
	}
	replication(findings, workunit);
}

function replication(findings: Findings, workunit: XmlNode): void {
	const [errors, total] = [findings.number(workunit, 'max_error_results'), findings.number(workunit, 'max_total_results')];
	if (total?.value === 1 || (errors?.value === 1 && total === undefined)) {
		const { node } = total ?? errors ?? {};
		if (node) {
			findings.text(node, 'warning', 'input-no-retry', 'The first failure of a job is final: nothing is tried again.');
		}
	}
	const quorum = findings.number(workunit, 'min_quorum');
	const target = findings.number(workunit, 'target_nresults');
	if (quorum && target && target.value < quorum.value) {
		findings.text(
			target.node,
			'error',
			'input-quorum',
			`With ${target.value} copies there cannot be an agreement of ${quorum.value}.`,
		);
	}
}

/** The job's XML goes into SQL as it is. */
export function quoteRules(findings: Findings): void {
	const { text } = findings.tree;
	const bare =
		text.includes("'") || text.includes('\\') ? text.replace(/<!--[^]*?-->/g, (comment) => ' '.repeat(comment.length)) : '';
	for (const match of bare.matchAll(/['\\]/g)) {
		if (findings.isFull) {
			return;
		}
		const isQuote = match[0] === "'";
		findings.add(
			{ start: match.index, end: match.index + 1 },
			isQuote ? 'error' : 'warning',
			isQuote ? 'template-quote' : 'template-backslash',
			isQuote
				? 'The job’s XML reaches SQL unescaped: a single quote is a syntax error, and no job is created.'
				: 'MySQL interprets backslash sequences: \\n becomes a line break.',
		);
	}
}

/** What docker_wrapper pastes into a command for the volunteer's shell. */
function shellRules(findings: Findings, workunit: XmlNode | undefined): void {
	const line = childOf(workunit, 'command_line');
	if (line && /[$`"]/.test(textOf(findings.tree, line))) {
		findings.text(
			line,
			'warning',
			'template-shell',
			'docker_wrapper puts the arguments between double quotes into a command of the volunteer’s shell, which interprets $, ` and ".',
		);
	}
	const isMachine = childrenOf(workunit, 'file_ref').some((ref) => childText(findings.tree, ref, 'open_name') === 'vbox_job.xml');
	const words = line ? textOf(findings.tree, line).split(/\s+/) : [];
	const refused = words.find(
		(word, at) => word !== '' && !VBOX_OPTION.test(word) && !VBOX_OPTION_VALUE.test(words[at - 1] ?? ''),
	);
	if (line && isMachine && refused !== undefined) {
		findings.text(
			line,
			'error',
			'template-vbox-arguments',
			`vboxwrapper ends with 206 at words that are not its own, such as “${refused}”: pass them in a file.`,
		);
	}
}

/** All that vboxwrapper knows; some take a value. */
const VBOX_OPTION = /^--?(nthreads|memory_size_mb|vmimage|trickle|register_only|sporadic)$/;
const VBOX_OPTION_VALUE = /^--?(nthreads|memory_size_mb|vmimage|trickle)$/;
