// Bundles the programs with esbuild. Heavy libraries get a bundle each, which is loaded on first use; the programs
// reach them by `await import('ssh2')` and the like, which this script rewrites to the bundle. The extension is three files:
// what activation needs (extension.js and shared.js), and what it loads on first use (onDemand.js and shared.js).
//
//   node scripts/build.mjs [--watch] [--development] [--metafile] [--outdir FOLDER] [--only NAME]...
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import * as esbuild from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values: args } = parseArgs({
	options: {
		watch: { type: 'boolean' },
		development: { type: 'boolean' },
		metafile: { type: 'boolean' },
		outdir: { type: 'string', default: path.join(root, 'dist') },
		// Only these programs, and the libraries.
		only: { type: 'string', multiple: true },
	},
});

const outdir = path.resolve(args.outdir);
const isWanted = (name) => args.only?.includes(name) ?? true;

/** Loaded on first use: a static import of one of them ends the build, but in programs that need them from the start. */
export const LAZY = ['ssh2', 'mysql2/promise', 'fzstd', 'xml2js', 'yaml', 'vscode-languageclient/node'];

/** `mysql2/promise` → `mysql2-promise.js` */
const bundleName = (name) => `${name.replace(/^@/, '').replaceAll('/', '-')}.js`;

const lazy = {
	name: 'lazy-libraries',
	setup(build) {
		const filter = new RegExp(`^(${LAZY.map((name) => name.replace(/[/.]/g, '\\$&')).join('|')})$`);
		build.onResolve({ filter }, ({ path: name, kind, importer }) => {
			if (kind === 'import-statement' && !/\/src\/(sandbox|language)\//.test(importer)) {
				return { errors: [{ text: `Load ${name} by await import() where it is used.` }] };
			}
			return kind === 'entry-point' ? undefined : { path: `./lib/${bundleName(name)}`, external: true };
		});
	},
};

/** The rooms below the editor are a program of their own, which the extension loads on first use. */
const lazyCore = {
	name: 'lazy-core',
	setup(build) {
		build.onResolve({ filter: /\/core\.js$/ }, ({ kind }) =>
			kind === 'dynamic-import' ? { path: './core.js', external: true } : undefined,
		);
	},
};

/** ssh2 works without its optional native helpers; `.node` files cannot travel in one package for all platforms. */
const noNative = {
	name: 'no-native-modules',
	setup(build) {
		build.onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path: name }) => ({ path: name, namespace: 'absent' }));
		build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'throw new Error("native module left out")' }));
	},
};

/**
 * esbuild splits only ES modules, and VS Code loads only CommonJS. So the parts of the extension are translated once more.
 *
 * esbuild asks for `vscode` in each of our modules, and copies its hundreds of names each time, which takes most of the time of
 * activation. We only read its properties, so the module itself will do, asked for once.
 */
const asCommonJs = {
	name: 'as-common-js',
	setup(build) {
		build.onEnd(async ({ outputFiles = [] }) => {
			mkdirSync(outdir, { recursive: true });
			for (const { path: file, text } of outputFiles) {
				const { format, platform, target, supported, minify, keepNames, sourcemap, legalComments } = common;
				const options = { format, platform, target, supported, minify, keepNames, sourcemap, legalComments };
				const { code } = await esbuild.transform(text, { ...options, sourcefile: path.basename(file) });
				const program = code.replace(/[\w$]+\(require\("vscode"\)(?:,\s*1)?\)/g, '__vscode');
				writeFileSync(file, `"use strict";const __vscode=require("vscode");${program}`);
			}
		});
	},
};

const common = {
	absWorkingDir: root,
	bundle: true,
	platform: 'node',
	target: 'node20',
	// As require(): import() of a CommonJS bundle sees only the names that Node.js can guess from its text.
	supported: { 'dynamic-import': false },
	format: 'cjs',
	outdir,
	sourcemap: args.development ? 'inline' : false,
	minify: !args.development,
	keepNames: true,
	metafile: true,
	logLevel: 'warning',
	legalComments: 'none',
	loader: { '.sh': 'text', '.py': 'text', '.sql': 'text' },
};

const programs = {
	core: 'src/editor/core.ts',
	cli: 'src/cli.ts',
	sandbox: 'src/sandbox/main.ts',
	standin: 'src/sandbox/standin/main.ts',
	language: 'src/language/main.ts',
	unpack: 'src/monitor/results/unpackThread.ts',
	context: 'src/image/build/contextThread.ts',
};
/** Browser code of the panels, each with its style sheet. */
const pages = { batch: 'src/webview/batch/main.ts', images: 'src/webview/images/main.ts' };
const configs = [
	{
		...common,
		// What both use becomes shared.js.
		entryPoints: isWanted('extension') ? { extension: 'src/extension.ts', onDemand: 'src/editor/onDemand.ts' } : {},
		chunkNames: 'shared',
		splitting: true,
		format: 'esm',
		supported: {},
		write: false,
		external: ['vscode'],
		plugins: [lazy, lazyCore, noNative, asCommonJs],
	},
	{
		...common,
		entryPoints: Object.fromEntries(
			Object.entries(programs).filter(([name, file]) => isWanted(name) && existsSync(path.join(root, file))),
		),
		external: ['vscode'],
		plugins: [lazy, lazyCore, noNative],
	},
	{
		...common,
		outdir: path.join(outdir, 'webview'),
		entryPoints: Object.fromEntries(Object.entries(pages).filter(([name]) => isWanted(name))),
		platform: 'browser',
		format: 'esm',
		target: 'es2022',
		supported: {},
	},
	{
		...common,
		outdir: path.join(outdir, 'lib'),
		entryPoints: Object.fromEntries(LAZY.map((name) => [bundleName(name).replace(/\.js$/, ''), name])),
		external: ['vscode'],
		plugins: [noNative],
	},
];

if (args.watch) {
	for (const config of configs) {
		await (await esbuild.context(config)).watch();
	}
} else {
	mkdirSync(outdir, { recursive: true });
	const results = await Promise.all(configs.map((config) => esbuild.build(config)));
	if (args.metafile) {
		writeFileSync(path.join(outdir, 'meta.json'), JSON.stringify(results.map((result) => result.metafile)));
	}
	if (isWanted('cli')) {
		const cli = path.join(outdir, 'cli.js');
		const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
		writeFileSync(cli, `#!/usr/bin/env node\n${readFileSync(cli, 'utf8').replaceAll('__VERSION__', version)}`, { mode: 0o755 });
	}
}
