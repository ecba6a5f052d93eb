// Checks a BOINC project against everything our code relies on: `npm run conformance -- --help`.
// Bundles test/conformance/main.ts and runs it; the default target is a fresh sandbox.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// Below node_modules, so that the bundle finds the libraries that are left out of it.
const cache = path.join(root, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(path.join(cache, 'conformance-'));
try {
	const outfile = path.join(folder, 'main.mjs');
	await esbuild.build({
		absWorkingDir: root,
		entryPoints: ['test/conformance/main.ts'],
		outfile,
		bundle: true,
		platform: 'node',
		target: 'node20',
		format: 'esm',
		packages: 'external',
		sourcemap: 'inline',
		logLevel: 'warning',
		loader: { '.sh': 'text', '.py': 'text', '.sql': 'text' },
	});
	const child = spawn(process.execPath, ['--enable-source-maps', outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
	// An interrupt reaches the child as well; it cleans up and ends, and so do we.
	for (const signal of ['SIGINT', 'SIGTERM']) {
		process.on(signal, () => child.kill(signal));
	}
	process.exitCode = await new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code) => resolve(code ?? 1));
	});
} finally {
	rmSync(folder, { recursive: true, force: true });
}
