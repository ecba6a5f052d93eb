// The whole of it in one run on this computer: a BOINC project on loopback with a volunteer, the app installed, a sample
// Dockerfile built and submitted, and real results back. Every step shows the command that a person would type.
//
//   npm run demo [-- --keep] [-- --jobs N]      --keep leaves the project running, to try the editor on it
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({ options: { keep: { type: 'boolean' }, jobs: { type: 'string', default: '4' } } });

const bold = (text) => (process.stdout.isTTY ? `\u001B[1m${text}\u001B[0m` : text);
const dim = (text) => (process.stdout.isTTY ? `\u001B[2m${text}\u001B[0m` : text);
const started = Date.now();
const step = (title) => console.log(`\n${bold(title)} ${dim(`(${((Date.now() - started) / 1000).toFixed(0)} s)`)}`);

class StepFailed extends Error {}

/** Runs one of our programs with its output on the terminal; with `capture`, returns standard output. */
function run(script, args, { env = {}, capture = false, show = true } = {}) {
	if (show) {
		console.log(
			dim(`$ ${[...(script === 'cli.js' ? ['boinc2docker'] : ['node', `dist/${script}`]), ...args].map(shown).join(' ')}`),
		);
	}
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [path.join(root, 'dist', script), ...args], {
			env: { ...process.env, ...env },
			stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
		});
		let text = '';
		child.stdout?.on('data', (chunk) => {
			text += chunk;
		});
		child.on('error', reject);
		child.on('close', (code) =>
			code === 0 ? resolve(text) : reject(new StepFailed(`${script} ${args[0]} ended with code ${code}`)),
		);
	});
}

const shown = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

const folder = mkdtempSync(path.join(tmpdir(), 'boinc2docker-demo-'));
const sandbox = path.join(folder, 'project');
let running = false;
let ending;

/** Stops everything and removes the folder; once, however the demo ends. */
function end() {
	ending ??= (async () => {
		if (running) {
			step('Stopping the project');
			await run('sandbox.js', ['stop', sandbox], { show: false }).catch((error) => console.error(error.message));
		}
		rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
	})();
	return ending;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
	process.on(signal, () => void end().then(() => process.exit(130)));
}

let code = 0;
try {
	step('Looking for the system programs');
	execFileSync(process.execPath, [path.join(root, 'scripts/systemPackages.mjs'), 'demo'], { stdio: 'inherit' });
	step('Building');
	execFileSync(process.execPath, [path.join(root, 'scripts/build.mjs')], { stdio: 'inherit' });

	step('A BOINC project on this computer, with one volunteer');
	running = true;
	const facts = JSON.parse(await run('sandbox.js', ['create', sandbox, '--client', '--json'], { capture: true }));
	console.log(`${facts.masterUrl}\n${facts.target}`);
	const env = {
		...facts.engineEnv,
		BOINC2DOCKER_SERVER: facts.target,
		XDG_CONFIG_HOME: path.join(folder, 'config'),
	};
	const login = ['--identity', facts.identityFile, '--known-hosts', facts.knownHostsFile];
	const cli = (args, more) => run('cli.js', [...args, ...login], { env, ...more });

	step('Installing the app that runs containers');
	console.log(
		'(BOINC’s docker_wrapper comes from its releases; here a script of ours stands in for it, so that nothing is downloaded.)',
	);
	await cli(['install', '--wrappers', facts.wrapperFolder, '--busybox', facts.busyboxFile, '--yes']);

	step('A sample: π by throwing points');
	const sample = path.join(folder, 'pi');
	mkdirSync(sample);
	cpSync(path.join(root, 'templates/sample'), sample, { recursive: true });
	copyFileSync(facts.busyboxFile, path.join(sample, 'busybox'));
	console.log(readFileSync(path.join(sample, 'Dockerfile'), 'utf8').trim());

	step('Submitting it, waiting, fetching the results');
	const results = path.join(folder, 'results');
	await cli(['submit', sample, '--count', options.jobs, '--engine', facts.engine, '--fetch', results]);
	step('What the volunteer’s computer sent back');
	await cli(['status', '1']);
	const files = readdirSync(results, { recursive: true })
		.filter((file) => path.basename(file) === 'pi.txt')
		.sort();
	const estimates = files.map((file) => Number(readFileSync(path.join(results, file), 'utf8')));
	for (const [i, file] of files.entries()) {
		console.log(`${file}: ${estimates[i]}`);
	}
	const mean = estimates.reduce((sum, x) => sum + x, 0) / estimates.length;
	console.log(`mean of ${estimates.length}: ${mean.toFixed(6)}`);
	if (estimates.length !== Number(options.jobs) || !(Math.abs(mean - Math.PI) < 0.05)) {
		throw new StepFailed(`expected ${options.jobs} estimates of π`);
	}

	if (options.keep) {
		console.log(
			`\nThe project goes on running. Try it in the editor: add the server\n  ${facts.target}\nwith the key\n  ${facts.identityFile}`,
		);
		const variables = Object.entries({
			BOINC2DOCKER_SERVER: facts.target,
			BOINC2DOCKER_IDENTITY: facts.identityFile,
			BOINC2DOCKER_KNOWN_HOSTS: facts.knownHostsFile,
			...facts.engineEnv,
		});
		console.log(
			`Or in a terminal:\n  export ${variables.map(([name, value]) => `${name}=${shown(value)}`).join(' ')}\n  alias boinc2docker='node ${path.join(root, 'dist/cli.js')}'\n  boinc2docker status`,
		);
		console.log(
			'(CONTAINERS_… and REGISTRY_… point Podman in that terminal to the demo’s own empty store. To build there from the editor, start it with them too.)',
		);
		console.log(`(To install again: boinc2docker install --wrappers ${facts.wrapperFolder} --busybox ${facts.busyboxFile})`);
		console.log(
			`End it with:\n  node ${shown(path.join(root, 'dist/sandbox.js'))} stop ${shown(sandbox)} && rm -r ${shown(folder)}`,
		);
	}
	console.log(`\n${bold('Done')} in ${((Date.now() - started) / 1000).toFixed(0)} s.`);
} catch (error) {
	console.error(`\nThe demo did not get to its end: ${error instanceof StepFailed ? error.message : (error.stack ?? error)}`);
	code = error.status ?? 1;
}
if (!(options.keep && code === 0)) {
	await end();
}
process.exit(code);
