// Builds the programs and packs the extension: dist/boinc2docker.vsix.
//
//   node scripts/package.mjs [--no-build]
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Most bytes of the package and of the files that are loaded at activation. */
export const BUDGET = { vsix: 2_000_000, extension: 100_000 };
/** Files that VS Code loads at activation. */
export const AT_ACTIVATION = ['dist/extension.js', 'dist/shared.js'];
export const VSIX = path.join(root, 'dist', 'boinc2docker.vsix');

/** What runs, and nothing else; paths in the package. The CHANGELOG and the LICENSE are renamed by vsce. */
export const CONTENTS = [
	'LICENSE.txt',
	'changelog.md',
	'dist/context.js',
	'dist/core.js',
	'dist/extension.js',
	'dist/language.js',
	'dist/lib/fzstd.js',
	'dist/lib/mysql2-promise.js',
	'dist/lib/ssh2.js',
	'dist/lib/vscode-languageclient-node.js',
	'dist/lib/xml2js.js',
	'dist/lib/yaml.js',
	'dist/onDemand.js',
	'dist/shared.js',
	'dist/webview/batch.css',
	'dist/webview/batch.js',
	'dist/webview/images.css',
	'dist/webview/images.js',
	'dist/unpack.js',
	'media/boinc.svg',
	'media/icon.png',
	'package.json',
	'package.nls.json',
	'readme.md',
	'syntaxes/boinc-macros.tmLanguage.json',
	'syntaxes/boinc-template.language.json',
	'syntaxes/boinc-template.tmLanguage.json',
	'syntaxes/boinc2docker.md',
	'syntaxes/boinc2docker.schema.json',
];

export function packageExtension({ build = true } = {}) {
	const run = (file, ...args) =>
		execFileSync(process.execPath, [path.join(root, file), ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
	if (build) {
		run('scripts/build.mjs');
	}
	const unfinished = `${VSIX}.${process.pid}.vsix`;
	run(
		'node_modules/@vscode/vsce/vsce',
		'package',
		'--no-dependencies',
		'--allow-missing-repository',
		'--no-rewrite-relative-links',
		'--out',
		unfinished,
	);
	renameSync(unfinished, VSIX); // whoever installs it meanwhile gets a whole one
	const bytes = AT_ACTIVATION.map((file) => statSync(path.join(root, file)).size);
	const sizes = { vsix: statSync(VSIX).size, extension: bytes.reduce((sum, size) => sum + size, 0) };
	for (const [what, limit] of Object.entries(BUDGET)) {
		if (sizes[what] > limit) {
			throw new Error(`${what}: ${sizes[what]} bytes are more than the budget of ${limit}`);
		}
	}
	return sizes;
}

if (process.argv[1] && existsSync(process.argv[1]) && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
	const { vsix, extension } = packageExtension({ build: !process.argv.includes('--no-build') });
	const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
	console.log(
		`dist/boinc2docker.vsix ${version}: ${(vsix / 1000).toFixed(0)} kB, of which loaded at activation ${(extension / 1000).toFixed(0)} kB before compression`,
	);
}
