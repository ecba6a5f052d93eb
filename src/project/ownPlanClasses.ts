import type { Runtime } from './types.js';
import type { XmlNode } from './xmlEdit.js';

/** A plan class of ours: its definition, and the element by which one that exists is known to do the same. */
export interface OwnPlanClass {
	readonly name: string;
	readonly node: XmlNode;
	readonly element: string;
	/** What the element asks the host for, for messages. */
	readonly asksFor: string;
}

/**
 * The classes that our app versions need in `plan_class_spec.xml`. A virtual machine gets one processor, as the scheduler counts
 * for a container: BOINC's own `vbox64_mt` would take all of a host for any program. It counts as much slower than a container, so
 * that hosts with both mostly run the container until the scheduler has measured either: it multiplies its guess by 1 plus a
 * random number with a deviation of 1 (`version_select_random_factor`), and uses it for nothing else. 6.0 is the first VirtualBox that
 * knows all commands of vboxwrapper.
 */
export const OWN_PLAN_CLASSES: Readonly<Record<Runtime, OwnPlanClass>> = {
	docker: {
		name: 'docker',
		node: classNode('docker', { docker: undefined }),
		element: 'docker',
		asksFor: 'Docker',
	},
	vm: {
		name: 'vbox64_mt',
		node: classNode('vbox64_mt', {
			virtualbox: undefined,
			is64bit: undefined,
			vm_accel_required: undefined,
			min_core_client_version: '70000',
			min_vbox_version: '60000',
			min_ncpus: '1',
			max_threads: '1',
			projected_flops_scale: '.1',
		}),
		element: 'virtualbox',
		asksFor: 'VirtualBox',
	},
};

function classNode(name: string, elements: Readonly<Record<string, string | undefined>>): XmlNode {
	return {
		name: 'plan_class',
		children: [
			{ name: 'name', text: name },
			...Object.entries(elements).map(([element, text]) => ({ name: element, ...(text !== undefined && { text }) })),
		],
	};
}
