import type { Replacement } from '../../common/problem.js';
import { childOf, childrenOf, childText, hasFlag, textOf, type XmlNode } from '../xml/xmlTree.js';
import type { Findings } from './findings.js';
import { quoteRules } from './templateRules.js';

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
