import * as vscode from 'vscode';

import { BoincError, isAbort, messageOf } from '../../../common/errors.js';
import type { ImageSource } from '../../images/imageSource.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { isDockerfile } from '../job/chooseDockerfile.js';

/**
 * What to build: the one that the panel passes by its id, the file that the Explorer or an editor passes, the active editor’s, the only
 * one, or what the person chooses. It is the open one of the panel from then on.
 */
export async function chooseSource(services: Services, title: string, given: unknown): Promise<ImageSource> {
	const model = await services.images();
	await model.loadSources();
	const source = (await sourceOf(services, given)) ?? (await choose(services, title));
	await model.setOpen(source.id);
	return source;
}

async function sourceOf(services: Services, given: unknown): Promise<ImageSource | undefined> {
	const model = await services.images();
	const byId = typeof given === 'string' ? model.source(given) : undefined;
	if (byId) {
		return byId;
	}
	const active = vscode.window.activeTextEditor?.document.uri;
	const file =
		given instanceof vscode.Uri
			? given
			: given === undefined && active?.scheme === 'file' && isDockerfile(active)
				? active
				: undefined;
	return file && (model.source(file.toString()) ?? (await model.add(file)));
}

async function choose(services: Services, title: string): Promise<ImageSource> {
	const { sources } = await services.images();
	const [first, ...others] = sources;
	if (!first) {
		throw new BoincError('input-missing', vscode.l10n.t('There is no Dockerfile or Containerfile in this workspace.'), {
			remedy: vscode.l10n.t('Open the folder with your Dockerfile.'),
		});
	}
	return others.length === 0
		? first
		: pickOne<ImageSource>(title, {
				placeholder: vscode.l10n.t('Which image?'),
				choices: sources.map((value) => ({ label: `$(file) ${value.name}`, description: value.place, value })),
			});
}

/** Builds run programs that the workspace brings. Throws `permission-denied` in Restricted Mode. */
export function requireTrust(): void {
	if (!vscode.workspace.isTrusted) {
		throw new BoincError(
			'permission-denied',
			vscode.l10n.t('Nothing is built in Restricted Mode: a Dockerfile can run any program.'),
			{ remedy: vscode.l10n.t('Trust this workspace first.') },
		);
	}
}

/** Does what the panel shows. What fails is shown there, and as a message only if nobody sees the panel. */
export async function shownInPanel(services: Services, work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (error) {
		if (isAbort(error) || !services.imagesView().isVisible) {
			throw error;
		}
		services.log.error(messageOf(error));
	}
}

/** The panel is shown for a command that did not come from it. */
export async function revealPanel(services: Services): Promise<void> {
	if (!services.imagesView().isVisible) {
		await services.imagesView().reveal();
	}
}
