import * as vscode from 'vscode';

import { BoincError } from '../../../common/errors.js';
import { pickOne } from '../../quickInput/wizard.js';

const NAME = /(^|\/)(Dockerfile|Containerfile)(\.[^/]+)?$|\.(Dockerfile|Containerfile)$/i;
export const DOCKERFILE_GLOB =
	'**/{[dD]ockerfile,[cC]ontainerfile,[dD]ockerfile.*,[cC]ontainerfile.*,*.[dD]ockerfile,*.[cC]ontainerfile}';
const MOST = 200;

/** Whether a file is a Dockerfile or Containerfile by its name. */
export const isDockerfile = ({ path }: vscode.Uri): boolean => NAME.test(path);

/** Whether a file is a `boinc2docker.yml`. */
export function isJobFile({ path }: vscode.Uri): boolean {
	return /\/boinc2docker\.ya?ml$/.test(path);
}

/** The file that the Explorer or an editor passed; else the active editor's; else the person chooses one of the workspace. */
export async function chooseDockerfile(given: unknown): Promise<vscode.Uri> {
	if (given instanceof vscode.Uri) {
		return given;
	}
	if (typeof given === 'string') {
		return vscode.Uri.parse(given, true); // from above a file, through the language server
	}
	const active = vscode.window.activeTextEditor?.document.uri;
	if (active?.scheme === 'file' && (isDockerfile(active) || isJobFile(active))) {
		return active;
	}
	const found = await vscode.workspace.findFiles(DOCKERFILE_GLOB, '**/node_modules/**', MOST);
	const [first, ...others] = found.sort((a, b) => a.path.localeCompare(b.path));
	if (!first) {
		throw new BoincError('input-missing', vscode.l10n.t('There is no Dockerfile or Containerfile in this workspace.'), {
			remedy: vscode.l10n.t('Open the folder with your Dockerfile.'),
		});
	}
	return others.length === 0
		? first
		: pickOne<vscode.Uri>(vscode.l10n.t('Submit as BOINC Job'), {
				placeholder: vscode.l10n.t('Which Dockerfile?'),
				choices: found.map((value) => ({ label: `$(file) ${vscode.workspace.asRelativePath(value)}`, value })),
			});
}
