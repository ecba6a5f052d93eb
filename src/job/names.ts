import { createHash } from 'node:crypto';

/** Most jobs of one batch: indexes have six digits. */
export const MAX_JOBS = 1_000_000;

/** Name of a job: safe for BOINC, for file names, and as a part of image and container names. A label is for people. */
export function jobName(batchId: number, index: number, label?: string): string {
	return `b2d_${String(batchId)}_${String(index).padStart(6, '0')}${label === undefined ? '' : `_${label}`}`;
}

/** 128 bits of SHA-256 in hex: short enough for BOINC's columns, long enough never to meet twice. */
export function shortHash(text: string): string {
	return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** Characters in front of the hash, for each kind of text file that we make. */
const STAGED = {
	dockerfile: ['b2d_dockerfile_', ''],
	job: ['b2d_job_', '.toml'],
	params: ['b2d_params_', ''],
	vm: ['b2d_vm_', ''],
	vbox: ['b2d_vbox_', '.xml'],
} as const;

/** Physical name of a text file that we make for a job: one content for ever. */
export function stagedName(kind: keyof typeof STAGED, text: string): string {
	const [head, tail] = STAGED[kind];
	return `${head}${shortHash(text)}${tail}`;
}

/** Path of a template relative to the project; `workunit.result_template_file` holds 63 characters. */
export function templatePath(kind: 'in' | 'out', text: string): string {
	return `templates/b2d_${kind}_${shortHash(text)}`;
}
