import { BoincError } from '../../common/errors.js';
import { type EditedFile, editPlanClassSpec } from '../configEdit.js';
import { type Equipment, ownPlanClass } from '../ownPlanClasses.js';
import type { Runtime } from '../types.js';
import { childOf, childTextOf, parseWithPositions, type PositionedElement } from '../xmlPositions.js';

/** BOINC reads this file leniently, so it may work although it is not well-formed: then it stays as it is. */
export function editClasses(
	text: string | undefined,
	usedClasses: readonly string[],
	runtimes: readonly Runtime[],
	equipment: Equipment,
): EditedFile {
	try {
		return editPlanClassSpec(text, usedClasses, runtimes, equipment);
	} catch (error) {
		const classes = [...(text ?? '').replace(/<!--.*?-->/gs, '').matchAll(/<plan_class>(.*?)<\/plan_class>/gs)].map(
			(match) => match[1] ?? '',
		);
		const hasAll = runtimes.every((runtime) => {
			const { name, element } = ownPlanClass(runtime, equipment);
			return classes.some(
				(each) => new RegExp(`<name>\\s*${name}\\s*</name>`).test(each) && new RegExp(`<${element}\\s*/?>`).test(each),
			);
		});
		if (text !== undefined && BoincError.is(error, 'config-invalid') && hasAll) {
			return { text, edits: [], changes: [] };
		}
		throw error;
	}
}

/** What a person should know about the plan classes that exist already. */
export function classWarnings(
	text: string | undefined,
	usedClasses: readonly string[],
	runtimes: readonly Runtime[],
	equipment: Equipment,
): string[] {
	const own = ownPlanClass('vm', equipment).name;
	if (text === undefined) {
		return runtimes.includes('vm') && usedClasses.includes(own)
			? [wholeHost(own, 'as BOINC’s built-in class does, on which other app versions rely')]
			: [];
	}
	let classes: readonly PositionedElement[];
	try {
		classes = parseWithPositions(text, 'plan_class_spec.xml').children;
	} catch {
		// Not well-formed: the plan has decided that it may stay, and nothing can be said about its classes.
		return [];
	}
	const defined = classes.map((each) => childTextOf(each, 'name'));
	const ours = runtimes.map((runtime) => ownPlanClass(runtime, equipment).name);
	const lost = usedClasses
		.filter((name) => !ours.includes(name) && !defined.includes(name))
		.map((name) => `App versions of the plan class ${name} are never sent: plan_class_spec.xml does not define it.`);
	const machine = classes.find((each) => childTextOf(each, 'name')?.trim() === own);
	return machine && runtimes.includes('vm') ? [...lost, ...machineWarnings(machine, own, equipment)] : lost;
}

const wholeHost = (name: string, why: string): string =>
	`The plan class ${name} gives several processors of a host to one virtual machine, ${why}; hosts with Docker and VirtualBox get the virtual machine then. max_threads in plan_class_spec.xml says how many.`;

function machineWarnings(machine: PositionedElement, name: string, { cpus }: Equipment): string[] {
	return [
		...(childOf(machine, 'is64bit')
			? []
			: [`The plan class ${name} lacks <is64bit/>, without which BOINC sends its versions to 32-bit hosts only.`]),
		...(childOf(machine, 'vm_accel_required')
			? []
			: [`The plan class ${name} lacks <vm_accel_required/>: hosts without hardware virtualisation get jobs that fail.`]),
		...(Number(childTextOf(machine, 'max_threads') ?? '1') > cpus ? [wholeHost(name, 'as plan_class_spec.xml says')] : []),
	];
}
