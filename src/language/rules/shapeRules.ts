import { closest } from '../../common/problem.js';
import type { ElementSpec } from '../formats/element.js';
import { textOf, type XmlNode } from '../xml/xmlTree.js';
import type { Findings } from './findings.js';

const byName = new WeakMap<readonly ElementSpec[], ReadonlyMap<string, ElementSpec>>();

/** The specifications by name; made once for each list. */
export function specsByName(specs: readonly ElementSpec[]): ReadonlyMap<string, ElementSpec> {
	let map = byName.get(specs);
	if (!map) {
		map = new Map(specs.map((spec) => [spec.name, spec]));
		byName.set(specs, map);
	}
	return map;
}

/** Elements that are not known here, stand twice, or hold what is no number. */
export function checkShape(findings: Findings, parent: XmlNode, specs: readonly ElementSpec[], isOpen: boolean): void {
	const known = specsByName(specs);
	let seen: Set<string> | undefined;
	for (const node of parent.children) {
		if (findings.isFull) {
			return;
		}
		const spec = known.get(node.name);
		if (!spec) {
			unknownElement(findings, node, parent, specs, isOpen);
			continue;
		}
		if (spec.repeat !== true && parent.children.length > 1) {
			seen ??= new Set();
			if (seen.has(node.name)) {
				findings.useless(node, 'warning', 'element-twice', `<${node.name}> stands twice here.`);
			}
			seen.add(node.name);
		}
		if (spec.kind === 'block') {
			checkShape(findings, node, spec.children ?? [], spec.open === true);
		} else if (spec.kind === 'number') {
			checkNumber(findings, node);
		}
	}
}

function checkNumber(findings: Findings, node: XmlNode): void {
	const text = textOf(findings.tree, node);
	if (text === '' || !Number.isFinite(Number(text))) {
		findings.text(node, 'error', 'not-a-number', `<${node.name}> holds “${text.slice(0, 40)}”, and a number is expected.`);
	}
}

/** Macros of BOINC look like elements. */
const MACRO = /^(OUTFILE_\d+|UPLOAD_URL|DOWNLOAD_URL|INFILE_\d+)$/;

function unknownElement(
	findings: Findings,
	node: XmlNode,
	parent: XmlNode,
	specs: readonly ElementSpec[],
	isOpen: boolean,
): void {
	if (MACRO.test(node.name)) {
		return;
	}
	const near = closest(
		node.name,
		specs.map(({ name }) => name),
	);
	if (isOpen && near === undefined) {
		return; // BOINC copies or ignores it
	}
	const where = parent.name === '' ? 'here' : `in <${parent.name}>`;
	findings.tag(
		node,
		isOpen ? 'hint' : 'warning',
		'element-unknown',
		`BOINC does not know <${node.name}> ${where}.${near === undefined ? '' : ` Did you mean <${near}>?`}`,
		near === undefined ? undefined : { title: `Change to <${near}>`, edits: renaming(findings, node, near) },
	);
}

function renaming({ tree }: Findings, node: XmlNode, name: string): { start: number; end: number; text: string }[] {
	const start = node.start + 1;
	const edits = [{ start, end: start + node.name.length, text: name }];
	if (node.closed && !node.selfClosing && tree.text.startsWith(`</${node.name}`, node.contentEnd)) {
		edits.push({ start: node.contentEnd + 2, end: node.contentEnd + 2 + node.name.length, text: name });
	}
	return edits;
}
