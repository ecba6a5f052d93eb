import path from 'node:path';

import * as vscode from 'vscode';

import { BoincError } from '../../../common/errors.js';
import type { ExpandedJobs } from '../../../job/expandJobFile.js';
import type { ImageSource } from '../../../job/imageSource.js';
import type { Services } from '../../services.js';

/** What a `boinc2docker.yml` says, with its image. */
export interface NamedJobs extends ExpandedJobs {
	readonly image: ImageSource;
	readonly count: number;
}

/** Reads a job file, its tables, and looks for its files. Rejects with `job-file-invalid` naming the place. */
export async function readJobFile(services: Services, uri: vscode.Uri): Promise<NamedJobs> {
	const { expandJobFile, parseJobFile } = await services.core();
	const text = (await vscode.workspace.openTextDocument(uri)).getText();
	const name = path.basename(uri.fsPath);
	const jobs = await expandJobFile(await parseJobFile(text, path.dirname(uri.fsPath), name));
	const { image, count } = jobs.request;
	if (!image) {
		throw new BoincError('job-file-invalid', vscode.l10n.t('{0} names no image.', name), {
			remedy: vscode.l10n.t('Add one of dockerfile, image, archive.'),
		});
	}
	return { ...jobs, image, count: jobs.sweep?.count ?? count ?? 1 };
}
