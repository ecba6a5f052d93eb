import type { Replacement } from '../../common/problem.js';
import { childOf, childrenOf, childText, hasFlag, textOf, type XmlNode } from '../xml/xmlTree.js';
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
			findings.text(node, 'warning', 'input-no-retry', 'One failed copy is a failed job: nothing is tried again.');
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
function quoteRules(findings: Findings): void {
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
}

/** The path is stored with each job. */
function storedPath(findings: Findings, top: XmlNode, path: string): void {
	const stored = /(^|\/)(templates\/[^/]+)$/.exec(path)?.[2] ?? '';
	if (Buffer.byteLength(stored) > 63 && top.children[0]) {
		findings.tag(
			top.children[0],
			'error',
			'output-path',
			`A job keeps 63 bytes of the path ${stored}: give the file a shorter name.`,
		);
	}
}

/** Traps of output templates (`tools/process_result_template.cpp`, and the scheduler that inserts names). */
export function outputTemplateRules(findings: Findings, path: string): void {
	const { tree } = findings;
	const outer = childOf(tree.root, 'output_template');
	const top = outer ?? tree.root;
	if (outer && outer.start > 0) {
		findings.tag(
			outer,
			'warning',
			'output-not-first',
			'BOINC strips <output_template> only if it is the very first text of the file.',
			{
				title: 'Remove what stands before',
				edits: [{ start: 0, end: outer.start, text: '' }],
			},
		);
	}
	lineEnds(findings);
	storedPath(findings, top, path);
	const infos = childrenOf(top, 'file_info');
	const result = childOf(top, 'result');
	const refs = childrenOf(result, 'file_ref');
	for (const [node, severity] of [
		...infos.map((info) => [info, 'warning'] as const),
		...(result ? [[result, 'error'] as const] : []),
	]) {
		if (!node.selfClosing && tree.text[node.contentStart] !== '\n' && tree.text[node.contentStart] !== '\r') {
			const what =
				severity === 'error'
					? 'The scheduler looks for <result> followed by a line feed: without it results are marked as sent and never arrive.'
					: 'With upload certificates the scheduler looks for <file_info> followed by a line feed.';
			findings.tag(node, severity, 'output-line-feed', what, {
				title: 'Break the line',
				edits: [{ start: node.contentStart, end: node.contentStart, text: '\n' }],
			});
		}
	}
	infos.forEach((info) => outputFileInfo(findings, info, refs));
	const names = infos.map((info) => childText(tree, info, 'name'));
	refs.forEach((ref) => outputFileRef(findings, ref, names));
	if (!result && tree.text.trim() !== '') {
		findings.tag(top.children[0] ?? top, 'error', 'output-no-result', 'The template has no <result>.');
	}
	quoteRules(findings);
}

function lineEnds(findings: Findings): void {
	const { text } = findings.tree;
	const first = text.indexOf('\r\n');
	if (first === -1) {
		return;
	}
	const edits: Replacement[] = [];
	for (let at = first; at !== -1; at = text.indexOf('\r\n', at + 2)) {
		edits.push({ start: at, end: at + 1, text: '' });
	}
	findings.add(
		{ start: Math.max(0, text.lastIndexOf('\n', first - 1) + 1), end: first },
		'error',
		'output-crlf',
		'The file has Windows line ends; the scheduler needs a line feed alone after <result>.',
		{ title: 'Change all line ends to LF', edits },
	);
}

function outputFileInfo(findings: Findings, info: XmlNode, refs: readonly XmlNode[]): void {
	const { tree } = findings;
	const size = findings.number(info, 'max_nbytes');
	if (!childOf(info, 'max_nbytes') || size?.value === 0) {
		const fix = size ? undefined : findings.insertion(info, '<max_nbytes>100000000</max_nbytes>');
		findings.tag(info, 'error', 'output-max-nbytes', 'Without <max_nbytes> every output is too big (-131).', fix);
	}
	if (!childOf(info, 'url') && !childOf(info, 'url_list')) {
		findings.lacks(
			info,
			'error',
			'output-url',
			'Without <url> the client does not know where to send the output.',
			'<url><UPLOAD_URL/></url>',
		);
	}
	const name = childOf(info, 'name');
	const text = name ? textOf(tree, name) : '';
	if (!/<OUTFILE_\d+\s*\/>/.test(text)) {
		const what = 'The name must hold <OUTFILE_0/>: else all results would have one file.';
		findings.add({ start: (name ?? info).start, end: (name ?? info).contentStart }, 'error', 'output-name', what);
	} else if (!refs.some((ref) => childText(tree, ref, 'file_name') === text)) {
		findings.tag(info, 'warning', 'output-no-reference', 'No <file_ref> has this name, so the file is never made.');
	}
}

function outputFileRef(findings: Findings, ref: XmlNode, names: readonly (string | undefined)[]): void {
	const { tree } = findings;
	const name = childOf(ref, 'file_name');
	if (name && !names.includes(textOf(tree, name))) {
		findings.tag(name, 'error', 'output-reference', 'No <file_info> has this name.');
	}
	if (!hasFlag(tree, ref, 'copy_file')) {
		findings.lacks(
			ref,
			'warning',
			'output-copy-file',
			'Without <copy_file/> the client looks for a link file, which no container and no virtual machine writes.',
			'<copy_file/>',
		);
	}
	const open = childOf(ref, 'open_name');
	if (!open) {
		findings.tag(ref, 'error', 'output-open-name', 'The output has no <open_name>.');
	} else if (textOf(tree, open).includes('/')) {
		findings.text(
			open,
			'hint',
			'output-slash',
			'batch_collect_assimilator cannot move a file whose open name has a slash; the output would be lost. A script assimilator can.',
		);
	}
}
