import type { Diagnostic } from 'vscode-languageserver/node';

import { BoincError } from '../common/errors.js';
import { parseAppFile } from '../project/appFile.js';

/** LSP's `DiagnosticSeverity.Error`. */
const ERROR = 1;

/** Names of the files that we read. */
export function isAppFile(uri: string): boolean {
	return /\/boinc2docker\.ya?ml$/.test(uri);
}

/** What is wrong with a `boinc2docker.yml`, at its line: at most one finding, for reading stops at the first. */
export async function diagnose(text: string): Promise<Diagnostic[]> {
	try {
		await parseAppFile(text);
		return [];
	} catch (error) {
		if (!BoincError.is(error, 'config-invalid')) {
			throw error;
		}
		const line = Math.max(0, Number(error.detail.line ?? 1) - 1);
		const content = text.split(/\r?\n/)[line] ?? '';
		return [
			{
				range: {
					start: { line, character: content.length - content.trimStart().length },
					end: { line, character: content.trimEnd().length },
				},
				severity: ERROR,
				source: 'boinc2docker',
				code: error.code,
				message: error.message.replace(/^.*?, line \d+: /, ''),
			},
		];
	}
}
