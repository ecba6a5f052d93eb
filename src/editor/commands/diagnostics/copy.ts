import { homedir, hostname, userInfo } from 'node:os';

import * as vscode from 'vscode';

import { messageOf } from '../../../common/errors.js';
import { parseTarget } from '../../../connection/target.js';
import { redact, type Secret } from '../../diagnostics/redact.js';
import type { Services } from '../../services.js';

/** Puts versions, states and the last lines of the log on the clipboard, without names of hosts, people and folders. */
export async function copyDiagnostics(services: Services): Promise<void> {
	const { models, log, version } = services;
	const lines = [
		`boinc2docker ${version}`,
		`${vscode.env.appName} ${vscode.version}, ${vscode.env.remoteName ?? 'desktop'}, ${process.platform} ${process.arch}, Node.js ${process.version}`,
		`workspace: ${vscode.workspace.isTrusted ? 'trusted' : 'restricted'}, ${vscode.workspace.workspaceFolders?.length ?? 0} folders`,
		'',
		...models
			.all()
			.map(
				({ server, status }) =>
					`${server.target}: ${status.kind}${status.kind === 'trouble' ? `: ${messageOf(status.error)}` : ''}`,
			),
		'',
		...log.tail(),
	];
	await vscode.env.clipboard.writeText(redact(lines.join('\n'), secretsOf(services)));
	void vscode.window.showInformationMessage(
		vscode.l10n.t('The diagnostics are on the clipboard. Names of hosts, people and folders are left out.'),
	);
}

function secretsOf({ models }: Services): Secret[] {
	const own: Secret[] = [
		{ text: homedir(), name: '<home>' },
		{ text: hostname(), name: '<this computer>' },
		{ text: userInfo().username, name: '<me>' },
		...(vscode.workspace.workspaceFolders ?? []).map(({ uri }, i) => ({ text: uri.fsPath, name: `<folder ${i + 1}>` })),
	];
	return own.concat(
		models.all().flatMap(({ server }, i) => {
			const target = parseTarget(server.target);
			const of = (what: string): string => `<${what} ${i + 1}>`;
			return [
				{ text: server.name, name: of('project') },
				{ text: target.path ?? '', name: of('path') },
				{ text: server.identityFile ?? '', name: of('key file') },
				...(target.kind === 'ssh'
					? [
							{ text: target.host, name: of('host') },
							{ text: target.user ?? '', name: of('user') },
						]
					: []),
			];
		}),
	);
}
