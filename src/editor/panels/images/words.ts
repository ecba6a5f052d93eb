import * as vscode from 'vscode';

import type { ImagesWords } from '../../../protocol/imagesWords.js';

const { t } = vscode.l10n;

/** The page's words in the user's language. */
export const imagesWords = (): ImagesWords => ({
	loading: t('Looking for Dockerfiles…'),
	empty: t('No Dockerfile here'),
	emptyHint: t('Open a folder with a Dockerfile, a Containerfile or a compose file, or drop one here.'),
	add: t('Add Dockerfile…'),
	options: t('Options'),
	target: t('Stage'),
	platform: t('Platform'),
	tag: t('Name'),
	args: t('Build arguments'),
	context: t('Build context'),
	steps: t('Steps of the build'),
	images: t('Local images'),
	noImages: t('None yet: build it.'),
	cost: t('What it costs'),
	server: t('Server'),
	push: t('Push'),
	next: t('Then'),
	layer: t('Layer'),
	drop: t('Drop to add'),
	refresh: t('Refresh'),
	openFile: t('Open the file'),
});
