// Starts and stops VS Code's server on a free loopback port.
import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ensureVSCode } from './install-vscode.mjs';

// Quiet, deterministic and offline. A test adds to these with `settings`.
export const BASE_SETTINGS = {
	'security.workspace.trust.enabled': false,
	'workbench.startupEditor': 'none',
	'workbench.tips.enabled': false,
	'workbench.enableExperiments': false,
	'workbench.reduceMotion': 'on',
	'workbench.secondarySideBar.defaultVisibility': 'hidden',
	'workbench.editor.useModal': 'off',
	'explorer.compactFolders': false,
	'chat.disableAIFeatures': true,
	'chat.agentHost.enabled': false,
	'extensions.autoUpdate': false,
	'extensions.autoCheckUpdates': false,
	'extensions.ignoreRecommendations': true,
	'telemetry.telemetryLevel': 'off',
	'update.mode': 'none',
	'git.openRepositoryInParentFolders': 'never',
	'window.menuBarVisibility': 'compact',
};

/**
 * @param {object} [options]
 * @param {Record<string, unknown>} [options.settings] user settings on top of BASE_SETTINGS
 * @param {string[]} [options.vsix] packaged extensions to install first
 * @param {Record<string, string>} [options.env] environment of the server, and so of the extension host
 * @param {boolean} [options.driver] VS Code's smoke test driver. Needed for extensionDevelopmentPath and
 *   extensionTestsPath: the workbench ignores both without it. Leave it off to test what a user sees: with it no
 *   notification is shown as a toast.
 * @param {string} [options.dataDir] kept when given; otherwise a temporary folder that stop() removes
 */
export async function startServer({ settings = {}, vsix = [], env = {}, driver = true, dataDir, log = 'info' } = {}) {
	const vscode = ensureVSCode({ log: console.error });
	const data = dataDir ?? fs.mkdtempSync(path.join(os.tmpdir(), 'vscode-harness-'));
	const writeSettings = (scope, values) => {
		fs.mkdirSync(path.join(data, 'data', scope), { recursive: true });
		fs.writeFileSync(path.join(data, 'data', scope, 'settings.json'), JSON.stringify(values, undefined, '\t'));
	};
	writeSettings('User', { ...BASE_SETTINGS, ...settings });
	// In a remote window, as this is one, settings of scope “machine” count only when they are the machine's.
	writeSettings('Machine', settings);

	const temp = path.join(data, 't'); // VS Code leaves sockets and caches in its temporary folder
	fs.mkdirSync(temp, { recursive: true });
	const full = { ...process.env, EXTENSIONS_GALLERY: '{}', TMPDIR: temp, ...env };
	for (const name of Object.keys(full)) {
		// a test run started from a VS Code terminal must not inherit its variables
		if (/^(VSCODE_(?!HARNESS_|TEST_)|ELECTRON_|CODE_SERVER_)/.test(name)) {
			delete full[name];
		}
	}
	const removeData = () => {
		if (!dataDir) {
			fs.rmSync(data, { recursive: true, force: true, maxRetries: 5 });
		}
	};
	for (const file of vsix) {
		await promisify(execFile)(
			vscode.node,
			[vscode.server, '--server-data-dir', data, '--install-extension', path.resolve(file), '--force'],
			{ env: full },
		).catch((e) => {
			removeData();
			throw new Error(`${file} cannot be installed\n${e.stderr}`);
		});
	}

	const output = fs.createWriteStream(path.join(data, 'server.log'));
	const child = spawn(
		vscode.node,
		[
			vscode.server,
			'--host',
			'127.0.0.1',
			'--port',
			'0',
			'--without-connection-token',
			'--accept-server-license-terms',
			'--server-data-dir',
			data,
			'--disable-telemetry',
			'--disable-workspace-trust',
			'--log',
			log,
			...(driver ? ['--enable-smoke-test-driver'] : []),
		],
		{ env: full, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
	);

	// The whole group: extension hosts, watchers, terminals.
	const kill = (signal) => {
		try {
			process.kill(-child.pid, signal);
		} catch {
			// already gone
		}
	};
	const onExit = () => kill('SIGKILL'); // nothing stays behind when the test process ends early
	process.once('exit', onExit);
	const stop = async () => {
		if (child.exitCode === null && child.signalCode === null) {
			const gone = once(child, 'exit');
			kill('SIGTERM');
			const timer = setTimeout(() => kill('SIGKILL'), 3000);
			await gone;
			clearTimeout(timer);
		}
		kill('SIGKILL');
		process.off('exit', onExit);
		output.end();
		removeData();
	};
	let text = '';
	const port = await new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`VS Code's server said nothing for 120 s\n${text}`)), 120_000);
		const onData = (chunk) => {
			output.write(chunk);
			text = (text + chunk).slice(-20_000);
			const bound = /Server bound to \S+?:(\d+)/.exec(text);
			if (bound && /Extension host agent started/.test(text)) {
				clearTimeout(timer);
				resolve(Number(bound[1]));
			}
		};
		child.stdout.on('data', onData);
		child.stderr.on('data', onData);
		child.on('exit', (code) => {
			clearTimeout(timer);
			reject(new Error(`VS Code's server ended with ${code}\n${text}`));
		});
	}).catch(async (e) => {
		await stop();
		throw e;
	});

	return { authority: `127.0.0.1:${port}`, dataDir: data, stop };
}

/** The address that opens a folder or a .code-workspace file, with the extension under development if one is given. */
export function workbenchUrl(server, { folder, workspace, extensionDevelopmentPath = [], extensionTestsPath, openFile } = {}) {
	const remote = (file) => `vscode-remote://${server.authority}${encodeURI(path.resolve(file))}`;
	const payload = [
		['skipWelcome', 'true'],
		['skipReleaseNotes', 'true'],
	];
	for (const dir of [extensionDevelopmentPath].flat()) {
		payload.push(['extensionDevelopmentPath', remote(dir)]);
	}
	if (extensionTestsPath) {
		payload.push(['extensionTestsPath', remote(extensionTestsPath)]);
	}
	if (openFile) {
		payload.push(['openFile', remote(openFile)]);
	}
	const query = new URLSearchParams();
	if (workspace) {
		query.set('workspace', path.resolve(workspace));
	} else if (folder) {
		query.set('folder', path.resolve(folder));
	} else {
		query.set('ew', 'true');
	}
	query.set('payload', JSON.stringify(payload));
	return `http://${server.authority}/?${query}`;
}
