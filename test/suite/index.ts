// Entry point that VS Code calls in the extension host: the same file for the desktop and for the web workbench.
import 'source-map-support/register.js'; // VS Code replaces Node's own source map support

import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

interface Outcome {
	readonly title: string;
	readonly state: 'passed' | 'failed' | 'skipped';
	readonly ms: number;
	readonly error?: string;
}

/** Runs all suites beside this file. Rejects when a test failed or none ran. */
export async function run(): Promise<void> {
	const { default: Mocha } = await import('mocha');
	const mocha = new Mocha({
		ui: 'tdd',
		timeout: 120_000, // a busy computer needs it; of no importance while all goes well
		color: false,
		forbidOnly: true,
		...(process.env.MOCHA_GREP !== undefined && { grep: process.env.MOCHA_GREP }),
	});
	for (const file of readdirSync(__dirname).filter((name) => name.endsWith('.test.js'))) {
		mocha.addFile(path.join(__dirname, file));
	}
	const results: Outcome[] = [];
	const failures = await new Promise<number>((resolve) => {
		mocha
			.run(resolve)
			.on('pass', (test) => results.push({ title: test.fullTitle(), state: 'passed', ms: test.duration ?? 0 }))
			.on('pending', (test) => results.push({ title: test.fullTitle(), state: 'skipped', ms: 0 }))
			.on('fail', (test, error: unknown) =>
				results.push({
					title: test.fullTitle(),
					state: 'failed',
					ms: test.duration ?? 0,
					error: error instanceof Error ? (error.stack ?? error.message) : String(error),
				}),
			);
	});
	const report = process.env.VSCODE_HARNESS_REPORT;
	if (report !== undefined) {
		writeFileSync(report, JSON.stringify({ failures, results }, undefined, '\t'));
	}
	if (failures > 0 || results.length === 0) {
		throw new Error(`${failures} of ${results.length} tests failed`);
	}
}
