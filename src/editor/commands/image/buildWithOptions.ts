import * as vscode from 'vscode';

import { joinCommandLine, splitCommandLine } from '../../../common/commandLine.js';
import { messageOf } from '../../../common/errors.js';
import { parseImageReference } from '../../../image/engine/imageReference.js';
import type { BuildOptions } from '../../../protocol/imagesPage.js';
import { runWizard } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { buildImage } from './build.js';
import { chooseSource, requireTrust } from './chooseSource.js';

/** Asks for stage, platform, name and build arguments, remembers them, and builds. */
export async function buildWithOptions(services: Services, given?: unknown): Promise<void> {
	requireTrust();
	const title = vscode.l10n.t('Build Image With Options');
	const model = await services.images();
	const source = await chooseSource(services, title, given);
	let options = model.memory.options(source);
	const set = (change: Partial<BuildOptions>): void => {
		options = { ...options, ...change };
	};
	await runWizard(title, [
		async (ask) => {
			const stages = source.outline.stages.map((value) => ({ label: value, value }));
			const choices = [{ label: vscode.l10n.t('The last stage'), value: '' }, ...stages];
			set({ target: await ask.pick({ placeholder: vscode.l10n.t('Which stage?'), choices, selected: options.target }) });
		},
		async (ask) => {
			const choices: { label: string; value: BuildOptions['platform'] }[] = [
				{ label: vscode.l10n.t('Of this computer'), value: 'own' },
				{ label: 'x86-64', value: 'linux/amd64' },
				{ label: 'ARM64', value: 'linux/arm64' },
				{ label: vscode.l10n.t('x86-64 and ARM64'), value: 'both' },
			];
			set({
				platform: await ask.pick({ placeholder: vscode.l10n.t('For which platform?'), choices, selected: options.platform }),
			});
		},
		async (ask) => {
			const tag = await ask.text({
				prompt: vscode.l10n.t('Name of the image'),
				value: options.tag,
				validate: (text) =>
					parseImageReference(text.trim()) ? undefined : vscode.l10n.t('Small letters, digits, dots and dashes: team/name:1.0'),
			});
			set({ tag: tag.trim() });
		},
		async (ask) => {
			const text = await ask.text({
				prompt: vscode.l10n.t('Build arguments as NAME=value, with spaces between them; may be empty'),
				value: joinCommandLine(Object.entries(options.args).map(([name, value]) => `${name}=${value}`)),
				validate: (typed) => problemOf(typed),
			});
			set({ args: argumentsOf(text) });
		},
	]);
	await model.setOptions(source, options);
	await buildImage(services, source.id);
}

function argumentsOf(text: string): Record<string, string> {
	return Object.fromEntries(
		splitCommandLine(text).map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
	);
}

function problemOf(text: string): string | undefined {
	try {
		const wrong = splitCommandLine(text).find((word) => !/^[A-Za-z_]\w*=/.test(word));
		return wrong === undefined ? undefined : vscode.l10n.t('“{0}” is not NAME=value', wrong);
	} catch (error) {
		return messageOf(error);
	}
}
