import type { Problem } from '../../common/problem.js';
import { XML_FORMATS, type XmlFormat } from '../formats/identify.js';
import type { XmlTree } from '../xml/xmlTree.js';
import { configRules } from './configRules.js';
import { Findings } from './findings.js';
import { outputTemplateRules } from './outputTemplateRules.js';
import { planClassRules, projectRules } from './planClassRules.js';
import { checkShape } from './shapeRules.js';
import { inputTemplateRules } from './templateRules.js';
import { vboxJobRules, versionRules } from './versionRules.js';

const RULES: Readonly<Record<XmlFormat, readonly [source: string, rules: (findings: Findings, path: string) => void]>> = {
	'input-template': ['tools/process_input_template.cpp', inputTemplateRules],
	'output-template': ['tools/process_result_template.cpp', outputTemplateRules],
	config: ['sched/sched_config.cpp', configRules],
	project: ['tools/xadd', projectRules],
	'plan-classes': ['sched/plan_class_spec.cpp', planClassRules],
	version: ['tools/update_versions', versionRules],
	'vbox-job': ['samples/vboxwrapper', vboxJobRules],
};

/** Everything that is wrong with a BOINC file, in order of position. `path` has `/` between its parts. */
export function xmlProblems(tree: XmlTree, format: XmlFormat, path: string): Problem[] {
	const [file, rules] = RULES[format];
	const findings = new Findings(tree, file);
	checkShape(findings, tree.root, XML_FORMATS[format], false);
	const traps = new Findings(tree, file);
	rules(traps, path);
	return [...tree.problems, ...findings.problems, ...traps.problems].sort((a, b) => a.start - b.start);
}
