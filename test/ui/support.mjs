// Shared by the tests of the user interface.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The packaged extension: node scripts/package.mjs, or another file. */
export const VSIX = process.env.BOINC2DOCKER_VSIX ?? path.join(root, 'dist/boinc2docker.vsix');
export const WORKSPACE = path.join(root, 'test/fixtures/workspace');
export const SANDBOX = path.join(root, 'dist/sandbox.js');

const pictures = path.join(root, 'test/screenshots');

/** Keeps a picture of the window after a test, named after it. */
export async function keepPicture(workbench, { name }, suffix = '') {
	fs.mkdirSync(pictures, { recursive: true });
	const version = process.env.VSCODE_HARNESS_CODE_SERVER ? `-${process.env.VSCODE_HARNESS_CODE_SERVER}` : '';
	await workbench.screenshot(path.join(pictures, `${name.replace(/\W+/g, '-')}${suffix}${version}.png`));
}

/** A loopback BOINC project, with a client and an engine unless told otherwise, and the environment in which `podman` means its engine. */
export async function createSandbox(dir, { client = true, engine: hasEngine = client } = {}) {
	const node = (...args) => promisify(execFile)(process.execPath, [SANDBOX, ...args], { maxBuffer: 16 << 20 });
	const parts = [...(client ? ['--client'] : []), ...(hasEngine ? ['--engine', 'podman'] : [])];
	const { stdout } = await node('create', dir, ...parts, '--pace', '0.05', '--json');
	const engine = (name) => path.join(dir, 'engine', name);
	return {
		...JSON.parse(stdout),
		engineEnv: {
			CONTAINERS_STORAGE_CONF: engine('storage.conf'),
			CONTAINERS_CONF: engine('containers.conf'),
			CONTAINERS_REGISTRIES_CONF: engine('registries.conf'),
			REGISTRY_AUTH_FILE: engine('auth.json'),
		},
		stop: () => node('stop', dir),
	};
}

/** What the extension has logged in a window. */
export function extensionLog(workbench) {
	const logs = path.join(workbench.server.dataDir, 'data/logs');
	return fs
		.readdirSync(logs, { recursive: true })
		.filter((name) => name.endsWith('BOINC.log'))
		.map((name) => fs.readFileSync(path.join(logs, name), 'utf8'))
		.join('\n');
}

/** Chooses a colour theme by its name, as a person does: settings that are written to the file come too late. */
export async function chooseTheme(workbench, name) {
	await workbench.runCommand('Preferences: Color Theme');
	await workbench.type(name, { accept: false });
	await workbench.pick(name);
}

/** The process of this computer with these words on its command line. */
export function pidOf(words) {
	return fs
		.readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.find((pid) => {
			try {
				return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(words);
			} catch {
				return false; // ended meanwhile
			}
		});
}

/** Whether a program with these words on its command line runs on this computer. */
export const runs = (words) => pidOf(words) !== undefined;

export async function until(condition) {
	while (!condition()) {
		await sleep(100);
	}
}
