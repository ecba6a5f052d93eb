#!/usr/bin/env node
// Stands in for the desktop `code` executable where a test runner starts it: pass this file as vscodeExecutablePath to
// @vscode/test-electron or as useInstallation.fromPath to @vscode/test-cli. Understands the arguments those two give.
// VSCODE_HARNESS_VSIX=FILE.vsix installs that package and tests it in place of the folder under development.
import path from 'node:path';
import { runSuite } from '../lib/suite.mjs';

const options = { extensionDevelopmentPath: [], verbose: Boolean(process.env.VSCODE_HARNESS_VERBOSE) };
const valued = new Set(['--user-data-dir', '--extensions-dir', '--profile', '--logsPath', '--log']);
for (let i = 2; i < process.argv.length; i++) {
	const [name, value] = process.argv[i].split(/=(.*)/s);
	const file = () => path.resolve((value ?? process.argv[++i]).replace(/^file:\/\//, ''));
	if (name === '--extensionDevelopmentPath') {
		options.extensionDevelopmentPath.push(file());
	} else if (name === '--extensionTestsPath') {
		options.extensionTestsPath = file();
	} else if (name === '--folder-uri' || name === '--file-uri') {
		options.folder = decodeURIComponent(file());
	} else if (valued.has(name)) {
		if (value === undefined) {
			i++;
		}
	} else if (!name.startsWith('-')) {
		options.folder = path.resolve(name);
	}
}
if (!options.extensionTestsPath) {
	console.error('only test runs: --extensionTestsPath is missing');
	process.exit(2);
}
if (process.env.VSCODE_HARNESS_VSIX) {
	options.vsix = [path.resolve(process.env.VSCODE_HARNESS_VSIX)];
	options.extensionDevelopmentPath = [];
}
process.exit((await runSuite(options)) ?? 1);
