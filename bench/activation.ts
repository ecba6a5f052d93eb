import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import * as esbuild from 'esbuild';

/** Windows that are opened; the median counts. */
const RUNS = 5;

interface Harness {
	runSuite(options: {
		readonly extensionTestsPath: string;
		readonly vsix: readonly string[];
		readonly env: Readonly<Record<string, string>>;
	}): Promise<number | undefined>;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Loads the packaged extension into a real VS Code: milliseconds for its code and its `activate`, and sizes in kB. */
export async function run(): Promise<Record<string, number>> {
	const root = process.cwd();
	const kb = (file: string): number => statSync(path.join(root, file)).size / 1000;
	const vsix = path.join(root, 'dist/boinc2docker.vsix');
	execFileSync(process.execPath, [path.join(root, 'scripts/package.mjs'), '--no-build'], { stdio: 'inherit' });
	const scratch = mkdtempSync(path.join(os.tmpdir(), 'boinc2docker-bench-'));
	try {
		const probe = path.join(scratch, 'probe.js');
		await esbuild.build({
			entryPoints: [path.join(root, 'test/suite/activationProbe.ts')],
			outfile: probe,
			bundle: true,
			platform: 'node',
			format: 'cjs',
			external: ['vscode'],
		});
		const harness = (await import(pathToFileURL(path.join(root, 'test/harness/lib/suite.mjs')).href)) as Harness;
		const times: number[] = [];
		const loads: number[] = [];
		for (let i = 0; i < RUNS; i++) {
			const report = path.join(scratch, `${i}.json`);
			const code = await harness.runSuite({ extensionTestsPath: probe, vsix: [vsix], env: { VSCODE_HARNESS_REPORT: report } });
			if (code !== 0) {
				throw new Error(`the window ended with ${code ?? 'nothing'}`);
			}
			const { loadMs, activateMs } = JSON.parse(readFileSync(report, 'utf8')) as { loadMs: number; activateMs: number };
			loads.push(loadMs);
			times.push(loadMs + activateMs);
		}
		return {
			activateMs: median(times),
			loadMs: median(loads),
			mainBundleKb: kb('dist/extension.js') + kb('dist/shared.js'),
			vsixKb: kb('dist/boinc2docker.vsix'),
		};
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}
