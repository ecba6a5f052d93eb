// Installs a real VS Code (the server and web workbench that the npm package code-server ships) and the Node.js
// it needs into a cache folder outside the repository. Only the npm registry is used. Running it again is a no-op.
//
//   node lib/install-vscode.mjs        installs, prints the folder
//   import { ensureVSCode } from …     the same from a script
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// VS Code 1.139.1, and the Node.js it is built for ("engines" of code-server names the major version).
// To test with an older VS Code as well, set both: 4.117.0 with Node.js 22.23.3 is VS Code 1.117. OLDEST is VS Code 1.100.
export const OLDEST = { codeServer: '4.100.3', node: '20.20.2' };
export const CODE_SERVER = process.env.VSCODE_HARNESS_CODE_SERVER ?? '4.139.1';
export const NODE = process.env.VSCODE_HARNESS_NODE ?? '24.21.0';
const NODE_GYP = '^12.0.0';
const RECIPE = 1; // raise it when the steps below change

// What only AI features, Windows or remote tunnels need: large, or with native code to build.
const DROP = [
	'@devcontainers/cli',
	'@github/copilot-sdk',
	'@microsoft/mxc-sdk',
	'@vscode/copilot-api',
	'@vscode/sandbox-runtime',
	'@vscode/sqlite3',
	'@vscode/windows-process-tree',
	'@vscode/windows-registry',
	'kerberos',
	'ssh2',
];
const DROP_EXTENSIONS = ['copilot', 'mermaid-markdown-features', 'microsoft-authentication'];

export function cacheRoot() {
	return (
		process.env.VSCODE_HARNESS_CACHE ??
		path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'vscode-harness')
	);
}

function layout(dir) {
	const vscode = path.join(dir, 'node_modules', 'code-server', 'lib', 'vscode');
	const nodeHome = path.join(dir, 'node_modules', `node-${process.platform}-${process.arch}`);
	return { dir, vscode, nodeHome, node: path.join(nodeHome, 'bin', 'node'), server: path.join(vscode, 'out', 'server-main.js') };
}

export function ensureVSCode({ log = () => {} } = {}) {
	const dir = path.join(cacheRoot(), `code-server-${CODE_SERVER}-node-${NODE}-r${RECIPE}`);
	if (fs.existsSync(path.join(dir, '.complete'))) {
		return layout(dir);
	}

	// Built beside the final place and renamed at the end: an interrupted or a second, simultaneous run does no harm.
	fs.mkdirSync(cacheRoot(), { recursive: true });
	const temp = fs.mkdtempSync(`${dir}.tmp-`);
	try {
		build(temp, log);
		fs.writeFileSync(path.join(temp, '.complete'), new Date().toISOString());
		fs.renameSync(temp, dir);
	} catch (e) {
		fs.rmSync(temp, { recursive: true, force: true });
		if (!fs.existsSync(path.join(dir, '.complete'))) {
			throw e;
		} // else another run was first
	}
	return layout(dir);
}

function build(temp, log) {
	const at = layout(temp);
	const env = { ...process.env };
	const run = (cwd, file, ...args) => {
		const start = Date.now();
		try {
			execFileSync(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', maxBuffer: 64 << 20 });
		} catch (e) {
			throw new Error(`${file} ${args.join(' ')} failed in ${cwd}\n${e.stdout ?? ''}${e.stderr ?? e}`, { cause: e });
		}
		log(
			`${((Date.now() - start) / 1000).toFixed(1).padStart(5)} s  ${path.basename(cwd)}: ${path.basename(file)} ${args.map((a) => path.basename(a)).join(' ')}`,
		);
	};
	const npmInstall = (cwd) =>
		run(cwd, 'npm', 'install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');

	fs.writeFileSync(
		path.join(temp, 'package.json'),
		JSON.stringify({
			private: true,
			dependencies: { 'code-server': CODE_SERVER, [path.basename(at.nodeHome)]: NODE, 'node-gyp': NODE_GYP },
		}),
	);
	npmInstall(temp);
	env.PATH = `${path.dirname(at.node)}${path.delimiter}${env.PATH}`; // from here on with that Node.js

	const manifest = path.join(at.vscode, 'package.json');
	const pkg = JSON.parse(fs.readFileSync(manifest, 'utf8'));
	for (const name of DROP) {
		delete pkg.dependencies[name];
	}
	fs.writeFileSync(manifest, JSON.stringify(pkg, undefined, 2));
	npmInstall(at.vscode);
	npmInstall(path.join(at.vscode, 'extensions')); // TypeScript, for the built-in language features
	for (const name of DROP_EXTENSIONS) {
		fs.rmSync(path.join(at.vscode, 'extensions', name), { recursive: true, force: true });
	}

	const modules = path.join(at.vscode, 'node_modules');
	const has = (...parts) => fs.existsSync(path.join(modules, ...parts));
	const platform = `${process.platform}-${process.arch}`;
	if (has('@vscode', 'ripgrep-universal', 'bin')) {
		// binaries for all platforms: keep ours
		for (const name of fs.readdirSync(path.join(modules, '@vscode', 'ripgrep-universal', 'bin'))) {
			if (name !== platform) {
				fs.rmSync(path.join(modules, '@vscode', 'ripgrep-universal', 'bin', name), { recursive: true });
			}
		}
	} else if (has('@vscode', 'ripgrep')) {
		// older versions download its binary: take the one of the system
		const rg = process.env.PATH.split(path.delimiter)
			.map((dir) => path.join(dir, 'rg'))
			.find((file) => fs.existsSync(file));
		if (rg) {
			fs.mkdirSync(path.join(modules, '@vscode', 'ripgrep', 'bin'), { recursive: true });
			fs.symlinkSync(rg, path.join(modules, '@vscode', 'ripgrep', 'bin', 'rg'));
		} else {
			log('findFiles and search will not work: install ripgrep');
		}
	}
	fs.symlinkSync('node_modules', path.join(at.vscode, 'node_modules.asar')); // where older workbenches look

	// Modules without a prebuilt binary for this platform (in 1.139 the first two).
	for (const [name, loss] of [
		['@vscode/spdlog', 'VS Code will write no log files'],
		['@vscode/native-watchdog', 'VS Code will log an error at start'],
		['native-watchdog', 'VS Code will log an error at start'],
		['node-pty', 'terminals will not work'],
		['@parcel/watcher', 'file watchers will not work'],
	]) {
		if (!has(name, 'binding.gyp') || has(name, 'prebuilds', platform) || has(`${name}-${platform}-glibc`)) {
			continue;
		}
		try {
			// Nobody waits for what these do, but everybody for the compiler.
			env.CXXFLAGS = '-O0 -g0';
			run(
				path.join(modules, name),
				at.node,
				path.join(temp, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'),
				'rebuild',
				`--nodedir=${at.nodeHome}`,
			);
		} catch (e) {
			log(`${loss}: building ${name} failed (it needs python3, make and g++)\n${e.message.slice(-1500)}`);
		}
	}
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
	const start = Date.now();
	const { dir, node, vscode } = ensureVSCode({ log: console.error });
	const product = JSON.parse(fs.readFileSync(path.join(vscode, 'package.json'), 'utf8'));
	console.error(
		`VS Code ${product.version}, Node.js ${execFileSync(node, ['-v'], { encoding: 'utf8' }).trim()}, ready after ${((Date.now() - start) / 1000).toFixed(1)} s`,
	);
	console.log(dir);
}
