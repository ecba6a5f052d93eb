import path from 'node:path';

import * as vscode from 'vscode';

import type { JobsDescription } from '../../../job/describeJobs.js';
import type { Services } from '../../services.js';
import { chooseDockerfile } from './chooseDockerfile.js';
import { readJobFile } from './readJobFile.js';

/** Shows the jobs that a `boinc2docker.yml` makes: the first, some at random, the last, and how many. Sends nothing. */
export async function previewJobs(services: Services, uri?: unknown): Promise<void> {
	const file = await chooseDockerfile(uri);
	const jobs = await readJobFile(services, file);
	const { describeJobs } = await services.core();
	const title = vscode.l10n.t('Jobs of {0}', path.basename(path.dirname(file.fsPath)));
	await services.documents.openText(title, previewText(describeJobs(jobs)));
}

/** The rows in columns, as plain text. */
function previewText({ rows, summary }: JobsDescription): string {
	if (!rows) {
		return `${summary}\n`;
	}
	const lines = [rows.heading, ...rows.cells.map((row) => row.map((cell) => String(cell).replace(/[\r\n\t]+/g, ' ')))];
	const widths = rows.heading.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
	const table = lines.map((line) =>
		line
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join('  ')
			.trimEnd(),
	);
	return `${summary}\n\n${table.join('\n')}\n`;
}
