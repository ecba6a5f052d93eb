import * as vscode from 'vscode';

import { looksLikeDockerfile } from '../../images/sourceList.js';
import type { Services } from '../../services.js';
import { revealPanel } from './chooseSource.js';

/** Adds a Dockerfile to the panel that may lie outside of the workspace. */
export async function addDockerfile(services: Services, given?: unknown): Promise<void> {
	const files =
		given instanceof vscode.Uri
			? [given]
			: await vscode.window.showOpenDialog({
					title: vscode.l10n.t('Add Dockerfile'),
					openLabel: vscode.l10n.t('Add'),
					canSelectMany: true,
				});
	await addDockerfiles(services, (files ?? []).map(String));
	await revealPanel(services);
}

/** Adds files by their addresses, and unfolds the last. Says which are none. */
export async function addDockerfiles(services: Services, addresses: readonly string[]): Promise<void> {
	const model = await services.images();
	const refused: string[] = [];
	for (const address of addresses) {
		const file = fileOf(address);
		const source =
			file && (await looksLikeDockerfile(file)) ? (model.source(file.toString()) ?? (await model.add(file))) : undefined;
		if (source) {
			await model.setOpen(source.id);
		} else {
			refused.push(address.slice(address.lastIndexOf('/') + 1));
		}
	}
	if (refused.length > 0) {
		void vscode.window.showWarningMessage(
			vscode.l10n.t('No Dockerfile: {0}. Give a Dockerfile or Containerfile of this computer.', refused.join(', ')),
		);
	}
}

function fileOf(address: string): vscode.Uri | undefined {
	try {
		const uri = vscode.Uri.parse(address, true);
		// In a remote window the Explorer’s addresses name the remote; their paths are this computer’s as we see it.
		return uri.scheme === 'vscode-remote' || uri.scheme === 'file' ? vscode.Uri.file(uri.path) : undefined;
	} catch {
		return undefined;
	}
}
