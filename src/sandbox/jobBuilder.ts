import { access, readFile } from 'node:fs/promises';
import path from 'node:path';

import { NEVER } from './daemons/states.js';
import type { Parameter } from './database.js';
import { stagedFinder } from './downloads.js';
import { type FindStaged, InputTemplate, TemplateError } from './inputTemplate.js';
import type { ProjectSettings } from './projectSettings.js';
import { sqlLiteral } from './sqlLiteral.js';
import type { JobOptions } from './tools/createWorkOptions.js';

/** The values of a row of `workunit`, by column. */
export type WorkunitRow = Readonly<Record<string, Parameter>>;

/** The output template of a job does not exist: the real tool says so, makes no job, and goes on. */
export class OutputTemplateMissing extends Error {
	override readonly name = 'OutputTemplateMissing';
}

const DEFAULTS = {
	rsc_fpops_est: 3.6e12,
	rsc_fpops_bound: 8.64e13,
	rsc_memory_bound: 5e8,
	rsc_disk_bound: 1e9,
	rsc_bandwidth_bound: 0,
	delay_bound: 7 * 86_400,
	batch: 0,
	size_class: -1,
	min_quorum: 1,
	target_nresults: 1,
	max_error_results: 1,
	max_total_results: 1,
	max_success_results: 1,
};

/** Refuses what the real tool refuses. Throws `TemplateError`. */
function checkNumbers(values: typeof DEFAULTS): void {
	for (const name of [
		'rsc_fpops_est',
		'rsc_fpops_bound',
		'rsc_disk_bound',
		'target_nresults',
		'max_error_results',
		'max_total_results',
		'max_success_results',
	] as const) {
		if (values[name] === 0) {
			throw new TemplateError(`no ${name} given; can't create job`, -191, 'no option', 'job');
		}
	}
	for (const name of ['max_success_results', 'max_error_results'] as const) {
		if (values[name] > values.max_total_results) {
			throw new TemplateError(`${name} > max_total_results; can't create job`, -178, 'invalid parameter', 'job');
		}
	}
}

/** Turns options and templates into rows of `workunit`. Templates are read once a file name. */
export class JobBuilder {
	readonly #cwd: string;
	readonly #findStaged: FindStaged;
	readonly #templates = new Map<string, Promise<InputTemplate>>();
	readonly #outputTemplates = new Set<string>();

	/** `say` receives what the tool prints on standard output while it looks for files. */
	constructor(settings: ProjectSettings, cwd: string, say: (text: string) => void) {
		this.#cwd = cwd;
		this.#findStaged = stagedFinder(settings, say);
	}

	/** An input template; rejects when the file cannot be read. */
	inputTemplate(file: string): Promise<InputTemplate> {
		const known =
			this.#templates.get(file) ?? readFile(path.resolve(this.#cwd, file), 'utf8').then((text) => new InputTemplate(text));
		this.#templates.set(file, known);
		return known;
	}

	/** Throws `TemplateError`, `OutputTemplateMissing` or `SqlSyntaxError`. */
	async row(options: JobOptions, appId: number, jobName: string, now: number): Promise<WorkunitRow> {
		const outputTemplate = options.outputTemplate ?? `templates/${options.appName ?? ''}_out`;
		if (!this.#outputTemplates.has(outputTemplate)) {
			try {
				await access(path.resolve(this.#cwd, outputTemplate));
			} catch {
				throw new OutputTemplateMissing(`create_work: result template file ./${outputTemplate} doesn't exist`);
			}
			this.#outputTemplates.add(outputTemplate);
		}
		if (Buffer.byteLength(outputTemplate) > 63) {
			throw new TemplateError(
				`result template filename is too big: ${Buffer.byteLength(outputTemplate)} bytes, max is 63`,
				-118,
				'buffer overflow',
				'job',
			);
		}
		const template = await this.inputTemplate(options.inputTemplate ?? `templates/${options.appName ?? ''}_in`);
		const { xmlDoc, numbers } = await template.fill({
			files: options.files,
			commandLine: options.commandLine,
			subAppName: options.subAppName,
			findStaged: this.#findStaged,
		});
		const given = { ...DEFAULTS, ...options.numbers, ...numbers };
		const values = {
			...given,
			max_success_results: Math.max(given.max_success_results, given.target_nresults),
			max_total_results: Math.max(given.max_total_results, given.target_nresults),
		};
		checkNumbers(values);
		return {
			create_time: now,
			appid: appId,
			name: sqlLiteral(jobName),
			xml_doc: sqlLiteral(xmlDoc),
			...values,
			need_validate: 0,
			canonical_resultid: 0,
			canonical_credit: options.credit,
			// Others than the transitioner make the instances of targeted jobs.
			transition_time: options.target ? NEVER : now,
			error_mask: 0,
			file_delete_state: 0,
			assimilate_state: 0,
			hr_class: options.hrClass,
			opaque: 0,
			result_template_file: sqlLiteral(outputTemplate),
			priority: options.priority,
			fileset_id: 0,
			app_version_id: 0,
			transitioner_flags: options.target ? (options.target.broadcast ? 1 : 2) : 0,
			keywords: sqlLiteral(options.keywords),
			app_version_num: options.appVersionNum,
		};
	}
}
