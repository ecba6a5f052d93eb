import { childOf, childrenOf, hasFlag, textOf, type XmlNode } from '../xml/xmlTree.js';
import type { Findings } from './findings.js';

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
	argumentsOfClass(findings, node);
}

/** What the class adds to a job's command line. */
function argumentsOfClass(findings: Findings, node: XmlNode): void {
	for (const name of ['nthreads_cmdline', 'mem_usage_base_mb', 'mem_usage_per_cpu_mb']) {
		const child = childOf(node, name);
		if (child && hasFlag(findings.tree, node, 'docker')) {
			findings.tag(
				child,
				'hint',
				'plan-class-arguments',
				'docker_wrapper puts what this adds into the variable ARGS; a program that does not read it never knows.',
			);
		}
	}
	const gpu = childOf(node, 'gpu_type');
	if (gpu && textOf(findings.tree, gpu).startsWith('apple')) {
		const message = 'BOINC compares with apple in one place and with apple_gpu in another: no host may match.';
		findings.text(gpu, 'warning', 'plan-class-apple', message);
	}
}

function bitsAndMachines(findings: Findings, node: XmlNode): void {
	const has = (flag: string): boolean => hasFlag(findings.tree, node, flag);
	const bits = childOf(node, 'is64bit');
	if (bits && !has('virtualbox')) {
		findings.useless(bits, 'hint', 'plan-class-64', 'is64bit is looked at together with virtualbox only.');
	}
	if (has('virtualbox') && !bits) {
		findings.lacks(
			node,
			'warning',
			'plan-class-no-64',
			'A 64-bit host never gets a VirtualBox class without is64bit.',
			'<is64bit/>',
		);
	}
	if (has('virtualbox') && !has('vm_accel_required')) {
		const threads = findings.number(node, 'max_threads');
		const more = threads && threads.value > 1 ? ' And max_threads means one processor there.' : '';
		findings.lacks(
			node,
			'warning',
			'plan-class-accel',
			`Without vm_accel_required hosts without virtualisation in hardware get jobs that fail.${more}`,
			'<vm_accel_required/>',
		);
	}
}
