import * as vscode from 'vscode';

import { BoincError } from '../../../common/errors.js';
import { formatBytes } from '../../../common/format.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { JobNode } from '../../tree/jobNode.js';

/** Longer logs are opened with their head and tail. */
const LONG = 1 << 20;

/** Opens a file of a job's result where it is, on the server: nothing is put into the workspace. */
export async function openResult(services: Services, item?: unknown): Promise<void> {
	if (!(item instanceof JobNode)) {
		return;
	}
	const { job, server } = item;
	const model = services.models.get(server.id);
	if (!model) {
		return;
	}
	const { archivedResult, resultsDirectory } = await services.core();
	const batch = model.batches().find(({ id }) => id === job.batchId);
	const { files } = await services.operation(vscode.l10n.t('Looking into the result of {0}', job.name), async (ctx) => {
		const project = await model.project(ctx.signal);
		const resultsDir = await resultsDirectory(project, batch?.appId ?? 0);
		return archivedResult(project.connection, { resultsDir, batchId: job.batchId, job: job.name }, ctx.signal);
	});
	const names = [...files.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
	const [only] = names;
	if (only === undefined) {
		throw new BoincError('result-missing', vscode.l10n.t('The result of {0} has no files.', job.name));
	}
	const sizeOf = (name: string): number => files.get(name)?.length ?? 0;
	const name =
		names.length === 1
			? only
			: await pickOne<string>(vscode.l10n.t('Open Result'), {
					placeholder: vscode.l10n.t('Which file?'),
					choices: names.map((value) => ({ label: value, description: formatBytes(sizeOf(value)), value })),
				});
	const kind = sizeOf(name) > LONG && /\.(log|txt|err)$/i.test(name) ? 'excerpt-0' : 'result';
	await services.documents.open(`/${kind}/${server.id}/${job.batchId}/${job.name}/${name}`);
}

/** What the job made, before what the runner says about it. */
const rank = (name: string): number => (name.startsWith('.b2d/') ? 1 : 0);
