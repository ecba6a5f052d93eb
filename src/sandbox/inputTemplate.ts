import { copied, type TemplateElement, templateElements } from './templateElements.js';
import { decodeText } from './web/lenientXml.js';

/** A remote input given as an option: `--remote_file URL NBYTES MD5`. */
export interface RemoteFile {
	readonly url: string;
	readonly size: number;
	readonly md5: string;
}

/** An input of a job as given to `create_work`: the name of a staged file, or a remote one. */
export type InputFile = string | RemoteFile;

/** What is known of a staged file. */
export interface StagedInfo {
	readonly md5: string;
	readonly size: number;
	readonly url: string;
	/** Bytes of the gzipped twin beside it; `undefined` when there is none. */
	readonly gzippedSize: number | undefined;
}

/** Finds a staged file. Throws `TemplateError` in the words of the real tool when it cannot be used. */
export type FindStaged = (name: string, kind: 'ordinary' | 'constant') => Promise<StagedInfo>;

/** The numbers that a template may set over the options of `create_work`. */
export const TEMPLATE_NUMBERS = [
	'rsc_fpops_est',
	'rsc_fpops_bound',
	'rsc_memory_bound',
	'rsc_disk_bound',
	'rsc_bandwidth_bound',
	'delay_bound',
	'batch',
	'size_class',
	'min_quorum',
	'target_nresults',
	'max_error_results',
	'max_total_results',
	'max_success_results',
] as const;
export type TemplateNumber = (typeof TEMPLATE_NUMBERS)[number];
const INTEGERS: ReadonlySet<string> = new Set(TEMPLATE_NUMBERS.slice(5));

export interface ProcessedTemplate {
	/** What clients get: `file_info` and `workunit` elements. */
	readonly xmlDoc: string;
	/** What the template sets itself. */
	readonly numbers: Readonly<Partial<Record<TemplateNumber, number>>>;
}

/** A template or input that `create_work` refuses. `code` is BOINC's error number. */
export class TemplateError extends Error {
	override readonly name = 'TemplateError';
	readonly code: number;
	/** The library's name of the error. */
	readonly reason: string;
	/** What the real tool writes first: the message, and for errors of the template who found them. */
	readonly text: string;

	constructor(message: string, code = -112, reason = 'unexpected XML tag or syntax', where: 'template' | 'job' = 'template') {
		super(message);
		this.code = code;
		this.reason = reason;
		this.text = where === 'job' ? `${message}\n` : `${message}\nprocess_input_template(): ${reason}\n`;
	}
}

export interface TemplateInput {
	readonly files: readonly InputFile[];
	/** From the option; the template may not have another one. */
	readonly commandLine: string;
	readonly subAppName?: string | undefined;
	readonly findStaged: FindStaged;
}

/** An input template, read once for many jobs. */
export class InputTemplate {
	readonly #files: readonly FileElement[];
	readonly #workunit: readonly WorkunitPart[] | undefined;

	constructor(text: string) {
		const top = templateElements(text);
		const body = top.find(({ name }) => name === 'input_template');
		const elements = body ? templateElements(body.inner) : top;
		// A self-closing <file_info/> is not recognised by the real parser.
		this.#files = elements.filter(({ name, selfClosing }) => name === 'file_info' && !selfClosing).map(fileElement);
		const workunit = elements.find(({ name, selfClosing }) => name === 'workunit' && !selfClosing);
		this.#workunit = workunit && templateElements(workunit.inner).map(workunitPart);
	}

	/** Fills the template as `create_work` does. Throws `TemplateError`. */
	async fill(input: TemplateInput): Promise<ProcessedTemplate> {
		const { xml: filesXml, names } = await filesXmlOf(this.#files, input);
		if (!this.#workunit) {
			throw new TemplateError('process_input_template: bad WU template - no <workunit>');
		}
		if (names.used !== input.files.length) {
			throw new TemplateError(`process_input_template: ${input.files.length} input files given, but template has ${names.used}`);
		}
		const { xml: workunitXml, numbers } = workunitXmlOf(this.#workunit, names.all, input);
		const xmlDoc = filesXml + workunitXml;
		if (Buffer.byteLength(xmlDoc) > 65535) {
			throw new TemplateError('process_input_template: XML is too long', -118, 'buffer overflow');
		}
		return { xmlDoc, numbers };
	}
}

const FILE_FIELDS = new Set(['physical_name', 'gzip', 'url', 'md5_cksum', 'nbytes', 'gzipped_nbytes', 'number']);

/** A `file_info` of a template. */
interface FileElement {
	/** Of a file that is the same for all jobs. */
	readonly constant: string | undefined;
	readonly gzip: boolean;
	readonly urls: readonly string[];
	readonly md5: string;
	readonly size: number;
	/** Elements that are copied. */
	readonly extra: string;
}

function fileElement({ inner }: TemplateElement): FileElement {
	const children = templateElements(inner);
	const value = (name: string): string | undefined => {
		const child = children.find((candidate) => candidate.name === name);
		return child && decodeText(child.inner);
	};
	return {
		constant: value('physical_name'),
		gzip: children.some(({ name }) => name === 'gzip'),
		urls: children.filter(({ name }) => name === 'url').map((child) => decodeText(child.inner)),
		md5: value('md5_cksum') ?? '',
		size: Number(value('nbytes') ?? 0),
		extra: children
			.filter(({ name }) => !FILE_FIELDS.has(name))
			.map(copied)
			.join(''),
	};
}

async function filesXmlOf(
	elements: readonly FileElement[],
	input: TemplateInput,
): Promise<{ xml: string; names: { all: string[]; used: number } }> {
	const all: string[] = [];
	let used = 0;
	let xml = '';
	for (const { constant, gzip, urls, md5, size, extra } of elements) {
		let lines: string;
		if (constant !== undefined) {
			all.push(constant);
			lines = stagedLines(constant, await input.findStaged(constant, 'constant'), false);
		} else {
			const file = input.files[used++];
			if (file === undefined) {
				throw new TemplateError(`Too few var input files given; need at least ${used}`);
			}
			const name = typeof file === 'string' ? file : `jf_${file.md5}`;
			all.push(name);
			if (typeof file !== 'string') {
				lines = fileLines(name, [file.url], file.md5, file.size);
			} else if (urls.length > 0) {
				lines = fileLines(
					name,
					urls.map((url) => url + name),
					md5,
					size,
				);
			} else {
				lines = stagedLines(name, await input.findStaged(name, 'ordinary'), gzip);
			}
		}
		xml += `<file_info>\n${extra}${lines}</file_info>\n`;
	}
	return { xml, names: { all, used } };
}

function fileLines(name: string, urls: readonly string[], md5: string, size: number, gzippedSize?: number): string {
	return [
		`    <name>${name}</name>\n`,
		...urls.map((url) => `    <url>${url}</url>\n`),
		...(gzippedSize === undefined ? [] : urls.map((url) => `    <gzipped_url>${url}.gz</gzipped_url>\n`)),
		`    <md5_cksum>${md5}</md5_cksum>\n`,
		`    <nbytes>${size.toFixed(0)}</nbytes>\n`,
		...(gzippedSize === undefined ? [] : [`    <gzipped_nbytes>${gzippedSize.toFixed(0)}</gzipped_nbytes>\n`]),
	].join('');
}

function stagedLines(name: string, staged: StagedInfo, gzip: boolean): string {
	if (gzip && staged.gzippedSize === undefined) {
		throw new TemplateError(`process_input_template: missing gzip file ${name}.gz`, -163, 'file missing');
	}
	return fileLines(name, [staged.url], staged.md5, staged.size, gzip ? staged.gzippedSize : undefined);
}

/** An element of `workunit`: a file, the command line, a number, or what is copied. */
type WorkunitPart =
	| { readonly kind: 'file'; readonly open: string; readonly isNamed: boolean; readonly isCopied: boolean }
	| { readonly kind: 'command line'; readonly text: string }
	| { readonly kind: 'number'; readonly name: TemplateNumber; readonly value: number }
	| { readonly kind: 'other'; readonly text: string };

function workunitPart(element: TemplateElement): WorkunitPart {
	const known = TEMPLATE_NUMBERS.find((name) => name === element.name);
	if (element.name === 'file_ref' && !element.selfClosing) {
		return filePart(element.inner);
	}
	if (element.name === 'command_line') {
		return { kind: 'command line', text: decodeText(element.inner) };
	}
	return known
		? { kind: 'number', name: known, value: Number(decodeText(element.inner)) }
		: { kind: 'other', text: copied(element) };
}

function filePart(inner: string): WorkunitPart {
	let open = '';
	let isNamed = false;
	let isCopied = false;
	for (const element of templateElements(inner)) {
		if (element.name === 'open_name') {
			open += `    <open_name>${decodeText(element.inner)}</open_name>\n`;
			isNamed = true;
		} else if (element.name === 'copy_file' && element.selfClosing) {
			open += '    <copy_file/>\n';
			isCopied = true;
		} else if (element.name !== 'file_number' && element.name !== 'file_name') {
			open += copied(element);
		}
	}
	return { kind: 'file', open, isNamed, isCopied };
}

function workunitXmlOf(
	parts: readonly WorkunitPart[],
	fileNames: readonly string[],
	input: TemplateInput,
): { xml: string; numbers: Partial<Record<TemplateNumber, number>> } {
	const numbers: Partial<Record<TemplateNumber, number>> = {};
	let used = 0;
	let xml = `<workunit>\n<command_line>\n${input.commandLine}\n</command_line>\n`;
	for (const part of parts) {
		if (part.kind === 'file') {
			const fileName = fileNames[used++];
			if (fileName === undefined) {
				throw new TemplateError('too many <file_ref>s');
			}
			xml += fileRefXml(fileName, part);
		} else if (part.kind === 'command line') {
			if (input.commandLine !== '') {
				throw new TemplateError(`Can't specify command line ${part.text}; already specified as ${input.commandLine}`);
			}
			xml += `<command_line>\n${part.text}\n</command_line>\n`;
		} else if (part.kind === 'number') {
			if (Number.isFinite(part.value) && (!INTEGERS.has(part.name) || Number.isInteger(part.value))) {
				numbers[part.name] = part.value;
			}
		} else {
			xml += part.text;
		}
	}
	if (used < fileNames.length) {
		throw new TemplateError('#file refs != #file infos');
	}
	if (input.subAppName !== undefined && input.subAppName !== '') {
		xml += `   <sub_appname>${input.subAppName}</sub_appname>\n`;
	}
	return { xml: `${xml}</workunit>`, numbers };
}

function fileRefXml(fileName: string, { open, isNamed, isCopied }: WorkunitPart & { kind: 'file' }): string {
	if (!isNamed && !isCopied) {
		throw new TemplateError('No open name found and copy_file not specified');
	}
	const own = isNamed ? '' : `    <open_name>${fileName}</open_name>\n`;
	return `<file_ref>\n    <file_name>${fileName}</file_name>\n${open}${own}</file_ref>\n`;
}
