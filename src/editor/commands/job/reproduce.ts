import * as vscode from 'vscode';

import { ReproduceTerminal } from '../../results/reproduceTerminal.js';
import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';
import { JobNode } from '../../tree/jobNode.js';

/** Runs a job on this computer's engine as a volunteer's host does, with its output in a terminal. */
export async function reproduceJob(services: Services, item?: unknown): Promise<void> {
	const node = item instanceof InstanceNode ? item.parent : item;
	const model = node instanceof JobNode ? services.models.get(node.server.id) : undefined;
	if (!(node instanceof JobNode) || !model) {
		return;
	}
	const { job } = node;
	const pty = new ReproduceTerminal(services, model, job.name);
	const terminal = vscode.window.createTerminal({
		name: vscode.l10n.t('Reproduce {0}', job.name),
		pty,
		iconPath: new vscode.ThemeIcon('debug-rerun'),
	});
	terminal.show();
	await pty.ended;
}
