import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { PassThrough } from 'node:stream';

import { createConnection } from 'vscode-languageserver/node';

import { OpenFile } from '../src/language/openFile.js';
import { LanguageServer } from '../src/language/server.js';
import { measureProcess, median, redHatSettings } from './language/overStdio.js';
import { redHatYaml } from './language/redHat.js';

/** Edits that are measured; the median counts. */
const EDITS = 15;
/** Fewer as an editor sees them: they take seconds. */
const EDITS_AS_EDITOR = 5;
const MEGABYTE = 1e6;

/** An input template of about 5 MB: as many files as fit. */
function template(): string {
	const infos: string[] = [];
	const refs: string[] = [];
	for (let bytes = 0, k = 0; bytes < 5 * MEGABYTE; k++) {
		const info = `\t<file_info>\n\t\t<physical_name>b2d_input_${k}</physical_name>\n\t\t<sticky/>\n\t\t<no_delete/>\n\t</file_info>\n`;
		const ref = `\t\t<file_ref>\n\t\t\t<open_name>in/${k}.csv</open_name>\n\t\t\t<copy_file/>\n\t\t</file_ref>\n`;
		infos.push(info);
		refs.push(ref);
		bytes += info.length + ref.length;
	}
	return `<input_template>\n${infos.join('')}\t<workunit>\n${refs.join('')}\t</workunit>\n</input_template>\n`;
}

/** A job file of 10,000 lines: a sweep with a row in each. */
function jobFile(): string {
	const rows = Array.from({ length: 9_990 }, (_, k) => `    - { alpha: 0.${k}, beta: ${k}, label: "row ${k}" }\n`);
	return `image: alpine:3.20\ncommand: run {{alpha}} {{beta}}\nresources:\n  memory: 2 GiB\n  time: 3 h\nsweep:\n  list:\n${rows.join('')}count_unknown: 1\n`;
}

interface Times {
	readonly openMs: number;
	readonly diagnosticsMs: number;
	readonly completionMs: number;
	readonly megabytes: number;
}

/** Opens a text, then types a character and takes it back again and again in its middle. */
async function measure(uri: string, text: string, mark: string): Promise<Times> {
	const server = new LanguageServer(createConnection(new PassThrough(), new PassThrough()));
	const opened = performance.now();
	const file = new OpenFile(uri, 'x', 1, text);
	await file.check();
	const openMs = performance.now() - opened;
	const at = text.indexOf(mark, text.length >> 1) + mark.length;
	const edits: number[] = [];
	const completions: number[] = [];
	for (let k = 0; k < 2 * EDITS; k++) {
		const isTyped = k % 2 === 0;
		const range = { start: file.document.positionAt(at), end: file.document.positionAt(at + (isTyped ? 0 : 1)) };
		const started = performance.now();
		file.update([{ range, text: isTyped ? '7' : '' }], k + 2);
		await file.check();
		edits.push(performance.now() - started);
		file.update([{ range: { start: range.start, end: range.start }, text: '\n' }], k + 2);
		const asked = performance.now();
		const offered = await server.complete(file, at + 1);
		completions.push(performance.now() - asked);
		if (offered.length === 0 && uri.endsWith('_in')) {
			throw new Error('nothing was offered');
		}
		file.update([{ range: { start: range.start, end: { line: range.start.line + 1, character: 0 } }, text: '' }], k + 2);
	}
	return { openMs, diagnosticsMs: median(edits), completionMs: median(completions), megabytes: text.length / MEGABYTE };
}

/**
 * Milliseconds until diagnostics after an edit, and for a completion, in a template of 5 MB and a job file of 10,000 lines. The job file
 * also as an editor sees it, with our program and Red Hat's server for YAML with our schema.
 */
export async function run(): Promise<Record<string, unknown>> {
	const xml = await measure('file:///bench/templates/big_in', template(), '</file_info>');
	const yaml = await measure('file:///bench/boinc2docker.yml', jobFile(), 'beta: ');
	const figures = {
		templateMegabytes: xml.megabytes,
		templateOpenMs: xml.openMs,
		templateDiagnosticsMs: xml.diagnosticsMs,
		templateCompletionMs: xml.completionMs,
		jobFileLines: 10_000,
		jobFileOpenMs: yaml.openMs,
		jobFileDiagnosticsMs: yaml.diagnosticsMs,
		jobFileCompletionMs: yaml.completionMs,
	};
	const reached = Math.max(xml.diagnosticsMs, yaml.diagnosticsMs) <= 100 && Math.max(xml.completionMs, yaml.completionMs) <= 30;
	const root = process.cwd();
	const theirs = await redHatYaml();
	const ourEditor = await measureProcess({ script: path.join(root, 'dist/language.js') }, jobFile(), 'beta: ', EDITS_AS_EDITOR);
	const redHat =
		theirs === undefined
			? 'not to be had'
			: await measureProcess({ script: theirs, settings: redHatSettings(root) }, jobFile(), 'beta: ', EDITS_AS_EDITOR);
	return { ...figures, targetsReached: reached, jobFileInEditor: ourEditor, jobFileInEditorRedHat: redHat };
}
