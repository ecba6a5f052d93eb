import { CONFIG_XML } from './configFile.js';
import type { ElementSpec } from './element.js';
import { PLAN_CLASSES } from './planClasses.js';
import { PROJECT_XML, VBOX_JOB, VERSION_XML } from './projectFiles.js';
import { INPUT_TEMPLATE, OUTPUT_TEMPLATE } from './templates.js';

/** Files of BOINC in XML, with what may stand at their top. */
export const XML_FORMATS = {
	'input-template': INPUT_TEMPLATE,
	'output-template': OUTPUT_TEMPLATE,
	config: CONFIG_XML,
	project: PROJECT_XML,
	'plan-classes': PLAN_CLASSES,
	version: VERSION_XML,
	'vbox-job': VBOX_JOB,
} as const satisfies Readonly<Record<string, readonly ElementSpec[]>>;
export type XmlFormat = keyof typeof XML_FORMATS;
export type Format = XmlFormat | 'job-file' | 'job-toml' | 'dockerfile';

const ROOTS: readonly (readonly [RegExp, XmlFormat])[] = [
	[/<input_template[\s>]/, 'input-template'],
	[/<output_template[\s>]/, 'output-template'],
	[/<vbox_job[\s>]/, 'vbox-job'],
	[/<plan_classes[\s>]/, 'plan-classes'],
];

/** What kind of file this is, by name and beginning; `undefined`: none of ours. Names such as config.xml are everybody's. */
export function formatOf(path: string, text: string): Format | undefined {
	const name = path.slice(path.lastIndexOf('/') + 1);
	if (/^boinc2docker\.ya?ml$/.test(name)) {
		return 'job-file';
	}
	if (/^job\.toml$/.test(name)) {
		return 'job-toml';
	}
	if (/^(Dockerfile|Containerfile)(\..+)?$|\.(Dockerfile|Containerfile)$/i.test(name)) {
		return 'dockerfile';
	}
	const head = text.slice(0, 20_000).replace(/<!--[^]*?(-->|$)/g, '');
	const root = ROOTS.find(([pattern]) => pattern.test(head))?.[1];
	if (root) {
		return root;
	}
	if (/<boinc[\s>]/.test(head)) {
		return name === 'project.xml' || /^\s*(<\?[^>]*>)?\s*<boinc>\s*<(platform|app)[\s>]/.test(head) ? 'project' : 'config';
	}
	if (name === 'version.xml' && (/<version[\s>]/.test(head) || head.trim() === '')) {
		return 'version';
	}
	return templateByContent(name, head);
}

/** Templates may have no element around their parts. */
function templateByContent(name: string, head: string): XmlFormat | undefined {
	if (/(_|\.|^)in(\.xml)?$|template_in/.test(name) && (/<(file_info|workunit)[\s>/]/.test(head) || head.trim() === '')) {
		return 'input-template';
	}
	if (/(_|\.|^)out(\.xml)?$|template_out/.test(name) && (/<(file_info|result)[\s>/]/.test(head) || head.trim() === '')) {
		return 'output-template';
	}
	return undefined;
}

/** Whether a format is XML. */
export function isXmlFormat(format: Format): format is XmlFormat {
	return Object.hasOwn(XML_FORMATS, format);
}
