// Runs a TypeScript program of the checkout: bundles it with esbuild and loads the result.
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as esbuild from 'esbuild';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Bundles `entry`, a path from the root, hands its exports to `use`, and resolves to what that resolves to. */
export async function bundled(entry, use) {
	// Inside the checkout, so that libraries are found in node_modules.
	const outdir = path.join(root, 'dist', `bundled-${process.pid}`);
	mkdirSync(outdir, { recursive: true });
	try {
		await esbuild.build({
			absWorkingDir: root,
			entryPoints: [entry],
			outdir,
			bundle: true,
			platform: 'node',
			target: 'node20',
			format: 'cjs',
			packages: 'external',
			loader: { '.sh': 'text', '.py': 'text', '.sql': 'text' },
		});
		return await use(createRequire(import.meta.url)(path.join(outdir, `${path.basename(entry, '.ts')}.js`)));
	} finally {
		rmSync(outdir, { recursive: true, force: true });
	}
}
