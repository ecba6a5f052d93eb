import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as vscode from 'vscode';

import { makeFolder } from '../../common/makeFolder.js';
import type { LocalRunReport } from '../../job/localRun/runSlot.js';
import type { Services } from '../services.js';
import type { JobOutput } from './jobTerminal.js';
import { resultsFolder } from './resultsFolder.js';

/** Unpacks what a job left on this computer into a new folder `FOLDER/JOB` beside the results, and says where it is. */
export async function keepResult(
	services: Services,
	report: LocalRunReport,
	{ folder: name, job }: { readonly folder: 'reproduced' | 'local'; readonly job: string },
	{ say }: JobOutput,
): Promise<void> {
	if (report.resultFile === undefined) {
		return;
	}
	const { unpackResult } = await services.core();
	const folder = await freeFolder(name, job);
	const refused = await unpackResult({ file: report.resultFile, size: report.outputBytes }, folder);
	say(vscode.l10n.t('What it left is in {0}', vscode.workspace.asRelativePath(folder)));
	refused.forEach((entry) => say(vscode.l10n.t('Not unpacked: {0}', entry)));
}

/** A folder that does not exist yet, beside the results; outside of the workspace when there is none. */
async function freeFolder(name: string, job: string): Promise<string> {
	const parent = await resultsFolder(vscode.workspace.workspaceFolders?.[0]);
	if (parent === undefined) {
		return path.join(await mkdtemp(path.join(tmpdir(), `b2d-${name}-`)), job);
	}
	const folder = path.join(parent, name);
	await makeFolder(folder);
	for (let n = 1; ; n++) {
		const free = path.join(folder, n === 1 ? job : `${job}-${n}`);
		if (!(await stat(free).catch(() => undefined))) {
			return free;
		}
	}
}
