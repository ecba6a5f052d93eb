// Builds the image for VirtualBox; iso/main.ts has the options.
//
//   npm run iso -- [--mirror URL | --packages FOLDER] [--out FOLDER] [--update]
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// Inside the checkout, so that libraries are found in node_modules.
const outdir = path.join(root, 'dist', `iso-${process.pid}`);
mkdirSync(outdir, { recursive: true });
let code = 1;
try {
	await esbuild.build({
		absWorkingDir: root,
		entryPoints: ['iso/main.ts'],
		outdir,
		bundle: true,
		platform: 'node',
		target: 'node20',
		format: 'cjs',
		packages: 'external',
	});
	const { run } = createRequire(import.meta.url)(path.join(outdir, 'main.js'));
	code = await run(process.argv.slice(2), root);
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
} finally {
	rmSync(outdir, { recursive: true, force: true });
}
process.exit(code);
