import * as vscode from 'vscode';

import { JobTerminal, sayReport } from '../../results/jobTerminal.js';
import { keepResult } from '../../results/keepResult.js';
import type { Services } from '../../services.js';
import { settings } from '../../settings.js';
import { InstanceNode } from '../../tree/instanceNode.js';
import { JobNode } from '../../tree/jobNode.js';

/** Runs a job on this computer's engine as a volunteer's host does, with its output in a terminal. */
export async function reproduceJob(services: Services, item?: unknown): Promise<void> {
	const node = item instanceof InstanceNode ? item.parent : item;
	const model = node instanceof JobNode ? services.models.get(node.server.id) : undefined;
	if (!(node instanceof JobNode) || !model) {
		return;
	}
	const job = node.job.name;
	const pty = new JobTerminal(services, async (output, ctx) => {
		const { findEngine, reproduce } = await services.core();
		const command = settings.engineCommand();
		const engine = await findEngine(ctx, command === undefined ? {} : { command });
		output.say(vscode.l10n.t('Running {0} with {1}; Ctrl+C ends it', job, `${engine.command} ${engine.version}`));
		const project = await model.project(ctx.signal);
		const request = { job, onOutput: (chunk: Uint8Array) => output.write(chunk) };
		await reproduce(
			project,
			engine,
			request,
			async (report) => {
				sayReport(output, report);
				await keepResult(services, report, { folder: 'reproduced', job }, output);
			},
			ctx,
		);
	});
	const terminal = vscode.window.createTerminal({
		name: vscode.l10n.t('Reproduce {0}', job),
		pty,
		iconPath: new vscode.ThemeIcon('debug-rerun'),
	});
	terminal.show();
	await pty.ended;
}
