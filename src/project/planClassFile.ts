import { readText } from './install/survey.js';
import type { Project } from './project.js';
import { parseXml, type XmlElement, xmlFlag } from './xml.js';

/** The conditions of a plan class on a host that its row in the database can answer. Numbers 0 mean "no limit". */
export interface PlanClassConditions {
	readonly name: string;
	readonly docker: boolean;
	readonly virtualbox: boolean;
	/** Kind of GPU as the class names it, `any` where it names none; absent: it asks for none. */
	readonly gpuType?: string;
	/** MiB of the GPU's own memory. */
	readonly minGpuRam?: number;
	/** The class asks for a compute capability or a version of CUDA or of a driver, which rows of hosts do not tell. */
	readonly gpuDetails?: boolean;
	/** 10000 × major + 100 × minor + release. */
	readonly minClientVersion: number;
	readonly maxClientVersion: number;
	readonly minNcpus: number;
	readonly osRegex: string;
	readonly vendorRegex: string;
	readonly modelRegex: string;
}

/**
 * The classes of the project's `plan_class_spec.xml`, or `undefined` when there is no such file: the scheduler's built-in
 * classes count then. Rejects with `config-invalid` when the file cannot be read as XML.
 */
export async function readPlanClasses(project: Project): Promise<readonly PlanClassConditions[] | undefined> {
	const text = await readText(project, 'plan_class_spec.xml');
	return text === undefined
		? undefined
		: (await parseXml(text, `${project.root}/plan_class_spec.xml`)).children('plan_class').map(conditions);
}

function conditions(element: XmlElement): PlanClassConditions {
	const number = (name: string): number => Number.parseInt(element.childText(name) ?? '', 10) || 0;
	const text = (name: string): string => element.childText(name) ?? '';
	const flag = (name: string): boolean => xmlFlag(element.childText(name));
	return {
		name: text('name'),
		docker: flag('docker'),
		virtualbox: flag('virtualbox'),
		...gpuConditions(element),
		minClientVersion: number('min_core_client_version'),
		maxClientVersion: number('max_core_client_version'),
		minNcpus: number('min_ncpus'),
		osRegex: text('os_regex'),
		vendorRegex: text('cpu_vendor_regex'),
		modelRegex: text('cpu_model_regex'),
	};
}

function gpuConditions(element: XmlElement): Partial<PlanClassConditions> {
	const type = element.childText('gpu_type') ?? '';
	const flagged = ['cuda', 'opencl', 'cal'].some((name) => xmlFlag(element.childText(name)));
	if (type === '' && !flagged) {
		return {};
	}
	const number = (name: string): number => Number.parseInt(element.childText(name) ?? '', 10) || 0;
	return {
		gpuType: type === '' ? 'any' : type,
		minGpuRam: number('min_gpu_ram_mb'),
		// Any GPU with CUDA has a compute capability of 1.0.
		gpuDetails: number('min_nvidia_compcap') > 100 || number('min_cuda_version') > 0 || number('min_driver_version') > 0,
	};
}

/** Whether the scheduler has a class of this name built in; only the ones for containers and machines matter here. */
export function builtinConditions(name: string): PlanClassConditions | undefined {
	return /^(vbox|mt$|nci$|sse|avx)/.test(name)
		? {
				name,
				docker: false,
				virtualbox: name.startsWith('vbox'),
				minClientVersion: name.startsWith('vbox') ? 70_000 : 0,
				maxClientVersion: 0,
				minNcpus: name === 'mt' ? 2 : 0,
				osRegex: '',
				vendorRegex: '',
				modelRegex: '',
			}
		: undefined;
}
