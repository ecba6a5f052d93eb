import path from 'node:path';

import * as vscode from 'vscode';

import { BoincError } from '../../../common/errors.js';
import type { SubmissionPlan } from '../../../job/submissionPlan.js';
import type { SubmitSteps } from '../../../job/submit.js';
import type { SubmittedBatch } from '../../../job/types.js';
import type { Services } from '../../services.js';
import { settings } from '../../settings.js';
import { saveIfChanged } from '../saveIfChanged.js';
import { addServer } from '../server/add.js';
import { askWhatToSubmit, type Submission } from './askWhatToSubmit.js';
import { chooseDockerfile, isJobFile } from './chooseDockerfile.js';
import { confirmPlan } from './confirmPlan.js';
import { readJobFile } from './readJobFile.js';

/**
 * Builds a Dockerfile and submits its image as a batch of jobs; shows the batch in the tree and follows it. `built` is the id of an
 * image of the engine to submit instead.
 */
export async function submitJob(services: Services, uri?: unknown, built?: unknown): Promise<void> {
	if (!vscode.workspace.isTrusted) {
		throw new BoincError(
			'permission-denied',
			vscode.l10n.t('Nothing is built in Restricted Mode: a Dockerfile can run any program.'),
			{
				remedy: vscode.l10n.t('Trust this workspace first.'),
			},
		);
	}
	const dockerfile = await chooseDockerfile(uri);
	await saveIfChanged(dockerfile);
	if (services.models.all().length === 0) {
		await addServer(services);
	}
	const file = isJobFile(dockerfile) ? await readJobFile(services, dockerfile) : undefined;
	const submission = await askWhatToSubmit(services, dockerfile, file);
	const batch = await services.operation(vscode.l10n.t('Submitting {0}', submission.name), (ctx) =>
		run(services, submission, typeof built === 'string' ? built : undefined, ctx),
	);
	for (const note of batch.notes) {
		services.log.info(note);
	}
	const { model } = submission;
	await services.watched.add(model.server.id, batch.id);
	await model.refresh();
	await services.view.reveal(model.server.id, batch.id);
	tell(services, submission, batch);
}

async function run(
	services: Services,
	submission: Submission,
	built: string | undefined,
	ctx: Parameters<Parameters<Services['operation']>[1]>[0],
): Promise<SubmittedBatch> {
	const { findEngine, planCard, submitContainer, submitSteps } = await services.core();
	const command = settings.engineCommand();
	const engine = await findEngine(ctx, command === undefined ? {} : { command });
	const project = await submission.model.project(ctx.signal);
	const file = submission.dockerfile.fsPath;
	const onLog = (line: string): void => services.log.output(line);
	let canary = false;
	const approve = async (plan: SubmissionPlan): Promise<boolean> => {
		const answer = await confirmPlan(await planCard(project, plan), submission.model.server.name);
		canary = answer === 'canary';
		return answer !== undefined;
	};
	const steps: SubmitSteps = (...given) => submitSteps({ canary })(...given);
	const all = { engine, cacheDir: services.cacheDir, approve, steps };
	const { jobs } = submission;
	if (jobs) {
		const request = { ...jobs.request, name: submission.name, app: submission.app, image: jobs.image, onLog };
		return submitContainer(project, { ...request, ...(jobs.jobs && { jobs: jobs.jobs }) }, all, ctx);
	}
	return submitContainer(
		project,
		{
			name: submission.name,
			app: submission.app,
			image:
				built === undefined
					? { kind: 'dockerfile', contextDir: path.dirname(file), dockerfile: path.basename(file) }
					: { kind: 'reference', reference: built },
			...(submission.command && { command: submission.command }),
			count: submission.count,
			onLog,
		},
		all,
		ctx,
	);
}

function tell(services: Services, { model, name }: Submission, batch: SubmittedBatch): void {
	const showLog = vscode.l10n.t('Show Log');
	const jobs = batch.jobs;
	const text =
		jobs === 1
			? vscode.l10n.t('Submitted “{0}” to {1} as 1 job.', name, model.server.name)
			: vscode.l10n.t('Submitted “{0}” to {1} as {2} jobs.', name, model.server.name, jobs);
	vscode.window.showInformationMessage(text, showLog).then(
		(choice) => choice === showLog && services.log.show(),
		() => undefined, // the window is closing
	);
}
