// Runs the suites of test/suite/ in the extension host of a real VS Code, against the packaged extension, with
// Microsoft's own runner.
//
//   node test/suite.mjs [--oldest] [--executable /path/of/a/desktop/code]
//
// Without --executable, the web workbench of test/harness stands in for the desktop program. --oldest takes the oldest
// VS Code that the manifest admits. dist/boinc2docker.vsix must have been made: node scripts/package.mjs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { runTests } from '@vscode/test-electron';
import * as esbuild from 'esbuild';

import { OLDEST } from './harness/lib/install-vscode.mjs';

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const root = at('..');
const out = path.join(root, 'dist/test/suite');
const { values: args } = parseArgs({
	options: { oldest: { type: 'boolean' }, executable: { type: 'string' }, grep: { type: 'string' } },
});

async function build() {
	fs.rmSync(out, { recursive: true, force: true });
	const sources = fs.readdirSync(at('suite')).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
	await esbuild.build({
		entryPoints: sources.map((name) => path.join(at('suite'), name)),
		outdir: out,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		target: 'node20',
		sourcemap: 'linked',
		external: ['vscode', 'mocha'],
		loader: { '.sh': 'text', '.sql': 'text' },
		logLevel: 'warning',
	});
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'boinc2docker-suite-'));
let failed = true;
try {
	await build();
	const workspace = path.join(scratch, 'workspace'); // a copy, since tests write into it
	fs.cpSync(path.join(root, 'test/fixtures/workspace'), workspace, { recursive: true });
	const report = path.join(scratch, 'report.json');
	Object.assign(process.env, {
		VSCODE_HARNESS_REPORT: report,
		VSCODE_HARNESS_VSIX: path.join(root, 'dist/boinc2docker.vsix'),
		...(args.grep && { MOCHA_GREP: args.grep }),
		...(args.oldest && { VSCODE_HARNESS_CODE_SERVER: OLDEST.codeServer, VSCODE_HARNESS_NODE: OLDEST.node }),
	});
	const ended = await runTests({
		vscodeExecutablePath: args.executable ?? at('harness/bin/code-web.mjs'),
		extensionDevelopmentPath: root,
		extensionTestsPath: path.join(out, 'index.js'),
		launchArgs: [workspace],
	}).catch((error) => error);
	if (!fs.existsSync(report)) {
		throw ended;
	}
	const { results } = JSON.parse(fs.readFileSync(report, 'utf8'));
	const count = (state) => results.filter((result) => result.state === state).length;
	for (const { title, error } of results.filter(({ state }) => state === 'failed')) {
		console.error(`not ok 1 - ${title}\n${error}`);
	}
	console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
	failed = count('passed') === 0 || count('failed') > 0 || count('skipped') > 0;
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
} finally {
	fs.rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
