#!/usr/bin/env node
// Runs a mocha suite inside the extension host of a real VS Code and exits with its result.
//
//   node lib/run-suite.mjs --extension DIR --tests dist-test/index.js [--workspace DIR] [--report FILE.json] [--timeout S] [--verbose]
//   node lib/run-suite.mjs --vsix FILE.vsix --tests …      the packaged extension instead of its source folder
//
// Exit code: 0 all passed, 1 a test failed, 2 the suite did not run to its end.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runSuite } from './suite.mjs';

const { values: args } = parseArgs({
	options: {
		extension: { type: 'string', multiple: true, default: [] },
		vsix: { type: 'string', multiple: true, default: [] },
		tests: { type: 'string' },
		workspace: { type: 'string' },
		report: { type: 'string' },
		timeout: { type: 'string', default: '900' },
		verbose: { type: 'boolean', default: false },
	},
});
for (const file of [args.tests, ...args.extension, ...args.vsix]) {
	if (!file || !fs.existsSync(file)) {
		console.error(`no ${file ?? '--tests FILE'}: build first`);
		process.exit(2);
	}
}
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'vscode-run-'));
const folder = path.join(scratch, 'workspace'); // a copy, since tests write into it
fs.mkdirSync(folder);
if (args.workspace) {
	fs.cpSync(args.workspace, folder, { recursive: true });
}
const report = args.report ? path.resolve(args.report) : path.join(scratch, 'report.json');
fs.rmSync(report, { force: true });
const started = Date.now();
let exitCode = 2;
try {
	const code = await runSuite({
		extensionTestsPath: args.tests,
		extensionDevelopmentPath: args.extension,
		vsix: args.vsix,
		folder,
		env: { VSCODE_HARNESS_REPORT: report },
		timeout: Number(args.timeout) * 1000,
		verbose: args.verbose,
	});
	if (!fs.existsSync(report)) {
		console.error('the suite wrote no report');
	} else {
		const { results } = JSON.parse(fs.readFileSync(report, 'utf8'));
		const count = (state) => results.filter((r) => r.state === state).length;
		console.log(`${((Date.now() - started) / 1000).toFixed(1)} s in all`);
		console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
		exitCode = code === 0 && count('failed') === 0 && count('passed') > 0 ? 0 : 1;
	}
} catch (e) {
	console.error(e);
} finally {
	fs.rmSync(scratch, { recursive: true, force: true });
}
process.exit(exitCode);
