import { messageOf } from '../../common/errors.js';
import { type Database, numberOf } from '../database.js';
import { TemplateError } from '../inputTemplate.js';
import { JobBuilder, OutputTemplateMissing, type WorkunitRow } from '../jobBuilder.js';
import { SqlSyntaxError } from '../sqlLiteral.js';
import { MAX_LINE, MAX_TOKENS, stdinTokens } from '../stdinTokens.js';
import type { Tool, ToolIo } from '../toolIo.js';
import { ToolExit, toolProject, withDatabase } from '../toolProject.js';
import { type JobOptions, lineOptions, programOptions } from './createWorkOptions.js';

/** Bytes of collected rows after which they are sent. */
const FLUSH_BYTES = 1_000_000;

/** `create_work`: makes jobs. */
export const createWork: Tool = async (args, io) => {
	const options = programOptions(args);
	const settings = toolProject(io, options.configDir);
	return withDatabase('create_work', settings, async (database) => {
		const [app] = await database.select('SELECT id FROM app WHERE name = ?', [options.appName ?? '']);
		if (!app) {
			throw new ToolExit(1, 'create_work: app not found\n');
		}
		const job: Job = {
			options,
			appId: numberOf(app, 'id'),
			builder: new JobBuilder(settings, io.cwd, (text) => io.out(text)),
			database,
			io,
		};
		return options.stdin ? manyJobs(job) : oneJob(job);
	});
};

interface Job {
	readonly options: JobOptions;
	readonly appId: number;
	readonly builder: JobBuilder;
	readonly database: Database;
	readonly io: ToolIo;
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const madeUpName = (appName: string): string => `${appName}_${process.pid}_${(Date.now() / 1000).toFixed(6)}`;
const inputTemplateOf = (options: JobOptions): string => options.inputTemplate ?? `templates/${options.appName ?? ''}_in`;

async function oneJob({ options, appId, builder, database, io }: Job): Promise<number> {
	const file = inputTemplateOf(options);
	await builder.inputTemplate(file).catch(() => {
		throw new ToolExit(1, `create_work: input template file ${file} doesn't exist\n`);
	});
	const name = options.jobName ?? madeUpName(options.appName ?? '');
	try {
		const row = await builder.row(options, appId, name, seconds());
		const id = await insertOne(database, row, options);
		if (options.jobName === undefined) {
			io.out(`workunit name: ${name}\n`);
		}
		if (options.verbose) {
			io.err(`created workunit; name ${name}, ID ${id}\n`);
		}
		return 0;
	} catch (error) {
		if (error instanceof OutputTemplateMissing) {
			// The real tool exits with 0 here, too.
			io.err(`${error.message}\n`);
			return 0;
		}
		if (error instanceof TemplateError) {
			throw new ToolExit(1, `${error.text}create_work: ${error.reason}\n`);
		}
		throw new ToolExit(1, `${databaseError(error)}create_work: workunit.insert() Error 1\ncreate_work: Error 1\n`);
	}
}

async function insertOne(database: Database, row: WorkunitRow, options: JobOptions): Promise<number> {
	if (options.workunitId > 0) {
		const columns = Object.keys(row);
		await database.execute(`UPDATE workunit SET ${columns.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`, [
			...columns.map((column) => row[column] ?? null),
			options.workunitId,
		]);
		return options.workunitId;
	}
	const { insertId: id } = await database.insert('workunit', [row]);
	if (options.target) {
		await database.execute(
			`INSERT INTO assignment (create_time, target_id, target_type, multi, workunitid, resultid)
				VALUES (?, ?, ?, ?, ?, 0)`,
			[seconds(), options.target.id, options.target.type, options.target.broadcast ? 1 : 0, id],
		);
	}
	return id;
}

async function manyJobs(job: Job): Promise<number> {
	const { options, appId, builder, database, io } = job;
	const prefix = options.jobName ?? madeUpName(options.appName ?? '');
	const pending: WorkunitRow[] = [];
	let bytes = 0;
	let last: WorkunitRow | undefined;
	const flush = async (): Promise<void> => {
		if (pending.length > 0) {
			await database.insert('workunit', pending.splice(0)).catch((error: unknown) => {
				throw new ToolExit(1, databaseError(error));
			});
			bytes = 0;
		}
	};
	let index = 0;
	for (let line = await io.line(); line !== undefined; line = await io.line()) {
		const words = wordsOf(line);
		const own = lineOptions(options, words, `${prefix}_${index}`);
		index++;
		await builder.inputTemplate(inputTemplateOf(own)).catch(() => {
			throw new ToolExit(1, `Can't read WU template ${inputTemplateOf(own)}\n`);
		});
		try {
			const row = await builder.row(own, appId, own.jobName ?? '', seconds());
			if (own.target) {
				await insertOne(database, row, own);
				continue;
			}
			last = row;
		} catch (error) {
			if (error instanceof OutputTemplateMissing) {
				// The real tool goes on and adds the row before this one a second time.
				io.err(`${error.message}\n`);
			} else {
				reportLine(error, options, io);
				continue;
			}
		}
		if (last) {
			pending.push(last);
			bytes += 400 + String(last.xml_doc ?? '').length;
		}
		if (bytes > FLUSH_BYTES) {
			await flush();
		}
	}
	await flush();
	return 0;
}

/** A line that cannot become a job ends the program unless it was told to go on. */
function reportLine(error: unknown, options: JobOptions, io: ToolIo): void {
	const text = error instanceof TemplateError ? `${error.text}create_work() failed: ${error.code}\n` : databaseError(error);
	if (!options.continueOnError || !(error instanceof TemplateError)) {
		throw new ToolExit(1, text);
	}
	io.err(text);
}

function wordsOf(line: string): string[] {
	if (Buffer.byteLength(line) + 1 > MAX_LINE) {
		throw new ToolExit(1, 'fgets() buffer was too small\n');
	}
	const words = stdinTokens(line);
	if (words.length > MAX_TOKENS) {
		throw new ToolExit(1, 'create_work: too many arguments in a line\n');
	}
	return words;
}

function databaseError(error: unknown): string {
	const message = messageOf(error);
	return error instanceof SqlSyntaxError || message !== '' ? `Database error: ${message}\n` : 'Database error\n';
}
