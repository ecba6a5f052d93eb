// For the benchmark: activates the extension as a person's first command does and writes down what VS Code measured.
import { writeFileSync } from 'node:fs';

import * as vscode from 'vscode';

const ID = 'boinc2docker.boinc2docker';

interface Marks {
	readonly MonacoPerformanceMarks?: { getMarks(): readonly { readonly name: string; readonly startTime: number }[] };
}

/** Entry point that VS Code calls in the extension host. */
export async function run(): Promise<void> {
	await vscode.commands.executeCommand('boinc2docker.view.refresh');
	const marks = (globalThis as Marks).MonacoPerformanceMarks?.getMarks() ?? [];
	const time = (what: string): number => {
		const mark = marks.find(({ name }) => name === `code/extHost/${what}/${ID}`);
		if (!mark) {
			throw new Error(`VS Code has no mark ${what}`);
		}
		return mark.startTime;
	};
	const loadMs = time('didLoadExtensionCode') - time('willLoadExtensionCode');
	const activateMs = time('didActivateExtension') - time('willActivateExtension');
	writeFileSync(process.env.VSCODE_HARNESS_REPORT ?? '', JSON.stringify({ loadMs, activateMs }));
}
