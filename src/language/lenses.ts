import path from 'node:path';

import type { CodeLens, Range } from 'vscode-languageserver/node';

import { expandJobFile } from '../job/expandJobFile.js';
import { parseJobFile } from '../job/jobFile.js';
import { valueOf } from '../project/yaml/yamlTree.js';
import { LENS_COMMANDS } from '../protocol/lsp.js';
import { isForVolunteers } from './fileSystem.js';
import type { OpenFile } from './openFile.js';
import { rangeOf } from './ranges.js';

/** Commands above a file: of those that the editor has. */
export async function lensesOf(file: OpenFile, commands: readonly string[]): Promise<CodeLens[]> {
	const lens = (range: Range, title: string, command: string): CodeLens[] =>
		commands.includes(command) ? [{ range, command: { title, command, arguments: [file.uri] } }] : [];
	const top: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
	if (file.format === 'dockerfile') {
		return (await isForVolunteers(file.path, file.text)) ? lens(top, 'Submit', LENS_COMMANDS.submit) : [];
	}
	const root = file.format === 'job-file' ? (await file.yaml()).root : undefined;
	if (!['image', 'dockerfile', 'archive'].some((key) => valueOf(root, key))) {
		return [];
	}
	const lenses = [...lens(top, 'Submit', LENS_COMMANDS.submit), ...lens(top, 'Run Locally', LENS_COMMANDS.runLocally)];
	const sweep = root?.kind === 'map' ? root.pairs.find(({ key }) => key.text === 'sweep') : undefined;
	if (!sweep) {
		return lenses;
	}
	const count = await countOf(file);
	const jobs = count === 1 ? '1 Job' : `${count?.toLocaleString('en') ?? ''} Jobs`;
	// With a mistake in the file the command says what and where it is.
	const title = count === undefined ? 'Preview: See What Is Wrong' : `Preview ${jobs}`;
	return [...lenses, ...lens(rangeOf(file.positions, sweep.key), title, LENS_COMMANDS.preview)];
}

/** Number of jobs of a file that has no mistakes. */
async function countOf(file: OpenFile): Promise<number | undefined> {
	try {
		const { sweep } = await expandJobFile(await parseJobFile(file.text, path.dirname(file.path)));
		return sweep?.count;
	} catch {
		return undefined; // a diagnostic says why, or submitting does
	}
}
