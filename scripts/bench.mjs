// Runs a benchmark of bench/ and prints its figures; with --json the last line is one JSON object.
//
//   npm run bench -- NAME [--json] [-- ARGUMENTS]
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import * as esbuild from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
const names = readdirSync(path.join(root, 'bench'))
	.filter((file) => file.endsWith('.ts'))
	.map((file) => file.slice(0, -3));
const [name, ...rest] = positionals;
if (!names.includes(name)) {
	console.error(`usage: npm run bench -- ${names.join('|')} [--json]`);
	process.exit(2);
}
execFileSync(process.execPath, [path.join(root, 'scripts/systemPackages.mjs'), 'bench'], { stdio: 'inherit' });
execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });

// Inside the checkout, so that libraries are found in node_modules.
const outdir = path.join(root, 'dist', `bench-${process.pid}`);
mkdirSync(outdir, { recursive: true });
let code = 0;
try {
	await esbuild.build({
		absWorkingDir: root,
		entryPoints: [`bench/${name}.ts`],
		outdir,
		bundle: true,
		platform: 'node',
		target: 'node20',
		format: 'cjs',
		packages: 'external',
		loader: { '.sh': 'text', '.sql': 'text' },
	});
	const { run } = createRequire(import.meta.url)(path.join(outdir, `${name}.js`));
	const figures = await run(rest);
	if (values.json) {
		console.log(JSON.stringify(figures));
	} else {
		for (const [key, value] of Object.entries(figures)) {
			console.log(`${key.padEnd(24)} ${typeof value === 'number' ? Number(value.toPrecision(4)) : JSON.stringify(value)}`);
		}
	}
} catch (error) {
	console.error(error);
	code = 1;
} finally {
	rmSync(outdir, { recursive: true, force: true });
}
process.exit(code);
