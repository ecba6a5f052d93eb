import { gpuElements, type GpuNeeds, gpuOfSuffix, gpuSuffix } from './gpu.js';
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

/** What an app gives each of its jobs: in BOINC it belongs to the plan class of its versions. */
export interface Equipment {
	/** Processors. */
	readonly cpus: number;
	readonly gpu?: GpuNeeds | undefined;
}

/** Virtual processors of one machine that vboxwrapper makes at most. */
export const MOST_MACHINE_CPUS = 32;

/**
 * The class that our app versions of a runtime need in `plan_class_spec.xml`. BOINC gives a job as many processors as the class of the
 * app version says, so an app is for one number of them; hosts with fewer get no jobs. docker_wrapper and vboxwrapper
 * pass the number on. For jobs with a GPU BOINC gives as many processors as `avg_ncpus` says.
 *
 * A virtual machine gets one processor by default, as the scheduler counts for a container: BOINC's own `vbox64_mt` would take all
 * of a host for any program. It counts as much slower than a container, so that hosts with both mostly run the container until
 * the scheduler has measured either: it multiplies its guess by 1 plus a random number with a deviation of 1
 * (`version_select_random_factor`), and uses it for nothing else. 6.0 is the first VirtualBox that knows all commands of
 * vboxwrapper.
 */
export function ownPlanClass(runtime: Runtime, { cpus, gpu }: Equipment): OwnPlanClass {
	const processors = { min_ncpus: String(cpus), max_threads: String(cpus) };
	if (runtime === 'docker') {
		const name = `docker${gpu ? gpuSuffix(gpu) : ''}${cpus === 1 ? '' : `_cpu${cpus}`}`;
		if (gpu) {
			const elements = { docker: undefined, ...gpuElements(gpu), min_ncpus: String(cpus), avg_ncpus: String(cpus) };
			return { name, node: classNode(name, elements), element: 'gpu_type', asksFor: 'a GPU' };
		}
		const elements = { docker: undefined, ...(cpus > 1 && processors) };
		return { name, node: classNode(name, elements), element: 'docker', asksFor: 'Docker' };
	}
	const name = cpus === 1 ? 'vbox64_mt' : `vbox64_cpu${cpus}`;
	const elements = {
		virtualbox: undefined,
		is64bit: undefined,
		vm_accel_required: undefined,
		min_core_client_version: '70000',
		min_vbox_version: '60000',
		...processors,
		projected_flops_scale: '.1',
	};
	return { name, node: classNode(name, elements), element: 'virtualbox', asksFor: 'VirtualBox' };
}

/** What a class gives a job, as far as its name says: ours do. */
export function equipmentOf(planClass: string): Equipment {
	const [, gpu = '', cpus] = /^(?:docker((?:_[a-z]+\d*)*?)|vbox64)(?:_cpu(\d+))?$/.exec(planClass) ?? [];
	return { cpus: Number(cpus ?? 1), gpu: gpuOfSuffix(gpu) };
}

function classNode(name: string, elements: Readonly<Record<string, string | undefined>>): XmlNode {
	return {
		name: 'plan_class',
		children: [
			{ name: 'name', text: name },
			...Object.entries(elements).map(([element, text]) => ({ name: element, ...(text !== undefined && { text }) })),
		],
	};
}
