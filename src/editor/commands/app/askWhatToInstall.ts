import { stat } from 'node:fs/promises';

import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import { STORAGE_KEYS } from '../../../common/ids.js';
import type { InstallSpec } from '../../../project/install/spec.js';
import type { IsoSource } from '../../../project/isoSource.js';
import type { ProgramSources } from '../../../project/programsFor.js';
import { type Platform, type Runtime, RUNTIMES } from '../../../project/types.js';
import type { WrapperSource } from '../../../project/wrapperSource.js';
import { type Asker, runWizard } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';

export interface InstallWish {
	/** BOINC's short name. */
	readonly app: string;
	/** For volunteers. */
	readonly friendlyName: string;
	readonly sources: ProgramSources;
	/** What only a file says. */
	readonly more?: Pick<Partial<InstallSpec>, 'version' | 'resultsDir' | 'cpus' | 'gpu' | 'validator' | 'assimilator'>;
	readonly busybox?: readonly string[];
	readonly platforms?: readonly Platform[];
	/** Folder on this computer in which downloads are kept. */
	readonly keepIn?: string;
}

/** Asks for the names of the app, for the hosts that it is for, and where the programs come from. */
export async function askWhatToInstall(services: Services): Promise<InstallWish> {
	let app = 'boinc2docker';
	let friendlyName = vscode.l10n.t('Containers');
	let runtimes: readonly Runtime[] = ['docker'];
	let sources: ProgramSources | undefined;
	await runWizard(vscode.l10n.t('Install App'), [
		async (ask) => {
			app = await ask.text({
				prompt: vscode.l10n.t('Short name of the app on the project. An app of this name is completed, not replaced.'),
				value: app,
				validate: (text) =>
					/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/.test(text)
						? undefined
						: vscode.l10n.t('At most 64 letters, digits, dashes and underscores'),
			});
		},
		async (ask) => {
			friendlyName = await ask.text({
				prompt: vscode.l10n.t('Name of the app that volunteers read'),
				value: friendlyName,
				validate: (text) =>
					text.trim() !== '' && text.length < 255 && !/['"\\`\p{Cc}]/u.test(text)
						? undefined
						: vscode.l10n.t('At most 254 characters without quotes and backslashes'),
			});
		},
		async (ask) => {
			runtimes = await askRuntimes(ask, runtimes);
		},
		async (ask) => {
			const wrapper = await askSource(ask, services);
			const vm = runtimes.includes('vm') ? { wrapper, iso: await askIso(ask, services) } : undefined;
			sources = { ...(runtimes.includes('docker') && { docker: wrapper }), ...(vm && { vm }) };
		},
	]);
	if (!sources) {
		throw abortError();
	}
	return { app, friendlyName, sources };
}

async function askRuntimes(ask: Asker, chosen: readonly Runtime[]): Promise<readonly Runtime[]> {
	const key = await ask.pick<string>({
		placeholder: vscode.l10n.t('Which hosts are the jobs for?'),
		choices: [
			{ label: vscode.l10n.t('$(package) Docker or Podman'), value: 'docker' },
			{
				label: vscode.l10n.t('$(vm) Docker, Podman and VirtualBox'),
				detail: vscode.l10n.t('Hosts that have only VirtualBox run the container in a small virtual machine'),
				value: 'docker vm',
			},
			{ label: vscode.l10n.t('$(vm-outline) VirtualBox Only'), value: 'vm' },
		],
		selected: chosen.join(' '),
	});
	return RUNTIMES.filter((runtime) => key.split(' ').includes(runtime));
}

/** The ISO that was built beside this extension, or one that the person names. */
async function askIso(ask: Asker, services: Services): Promise<IsoSource> {
	const built = await stat(services.builtIso).then(
		() => true,
		() => false,
	);
	const kind = await ask.pick<'built' | 'file' | 'url'>({
		placeholder: vscode.l10n.t('Where is the ISO that virtual machines boot?'),
		choices: [
			...(built ? [{ label: vscode.l10n.t('$(verified) Built Here'), detail: services.builtIso, value: 'built' as const }] : []),
			{ label: vscode.l10n.t('$(file) File…'), detail: vscode.l10n.t('“npm run iso” builds it'), value: 'file' },
			{ label: vscode.l10n.t('$(link) Web Address…'), value: 'url' },
		],
	});
	if (kind === 'url') {
		return { url: await askAddress(ask, vscode.l10n.t('Address of the ISO'), 'https://example.org/boinc2docker.iso') };
	}
	return { file: kind === 'built' ? services.builtIso : await askIsoFile() };
}

async function askIsoFile(): Promise<string> {
	const [file] =
		(await vscode.window.showOpenDialog({
			title: vscode.l10n.t('ISO for Virtual Machines'),
			openLabel: vscode.l10n.t('Use This ISO'),
			filters: { [vscode.l10n.t('Images of CDs')]: ['iso'] },
		})) ?? [];
	if (!file) {
		throw abortError();
	}
	return file.fsPath;
}

async function askSource(ask: Asker, services: Services): Promise<WrapperSource> {
	const last = services.globalState.get(STORAGE_KEYS.lastWrappers);
	const kind = await ask.pick<'release' | 'folder' | 'url'>({
		placeholder: vscode.l10n.t('Where do the wrapper programs (docker_wrapper, vboxwrapper) for the hosts come from?'),
		choices: [
			{
				label: vscode.l10n.t('$(verified) Official Release'),
				detail: vscode.l10n.t("BOINC's own downloads; their SHA-256 is in the plan"),
				value: 'release',
			},
			{
				label: vscode.l10n.t('$(folder) Folder…'),
				detail: vscode.l10n.t('Programs that you have on this computer'),
				value: 'folder',
			},
			{
				label: vscode.l10n.t('$(link) Web Address…'),
				detail: vscode.l10n.t('A folder of programs on a web server'),
				value: 'url',
			},
		],
		...((last === 'release' || last === 'folder' || last === 'url') && { selected: last }),
	});
	const source = kind === 'release' ? { release: 'latest' } : kind === 'folder' ? await askFolder() : await askUrl(ask);
	await services.globalState.update(STORAGE_KEYS.lastWrappers, kind);
	return source;
}

async function askFolder(): Promise<WrapperSource> {
	const [folder] =
		(await vscode.window.showOpenDialog({
			title: vscode.l10n.t('Folder With Wrapper Programs'),
			openLabel: vscode.l10n.t('Use This Folder'),
			canSelectFolders: true,
			canSelectFiles: false,
		})) ?? [];
	if (!folder) {
		throw abortError();
	}
	return { folder: folder.fsPath };
}

async function askUrl(ask: Asker): Promise<WrapperSource> {
	return { url: await askAddress(ask, vscode.l10n.t('Address of the folder'), 'https://example.org/wrappers/') };
}

async function askAddress(ask: Asker, prompt: string, placeholder: string): Promise<string> {
	const url = await ask.text({
		prompt,
		placeholder,
		validate: (text) =>
			/^https?:\/\/\S+$/.test(text.trim()) ? undefined : vscode.l10n.t('An address that begins with https://'),
	});
	return url.trim();
}
