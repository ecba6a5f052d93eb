// Everything: system packages, static checks, build, unit and integration tests, and the packaged extension in the
// newest and the oldest supported VS Code. Closes with one line of totals.
//
//   node scripts/test.mjs [STEP…]      only these steps
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { OLDEST as oldest } from '../test/harness/lib/install-vscode.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const logs = path.join(root, 'dist', 'test-logs');
mkdirSync(logs, { recursive: true });

const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const node = process.execPath;
const OLDEST = { VSCODE_HARNESS_CODE_SERVER: oldest.codeServer, VSCODE_HARNESS_NODE: oldest.node };

const uiTests = readdirSync(path.join(root, 'test/ui'))
	.filter((name) => name.endsWith('.test.mjs'))
	.map((name) => `test/ui/${name}`);

/** What everything else needs, and what is soon known; a failure here ends the run. */
const FIRST = [
	{ name: 'packages', fetches: true, run: [node, 'scripts/systemPackages.mjs', 'test'] },
	{ name: 'package', run: [node, 'scripts/package.mjs'] },
	{ name: 'unit', run: [bin('vitest'), 'run', '--project', 'unit'] },
];

const INTEGRATION = { name: 'integration', real: true, run: [bin('vitest'), 'run', '--project', 'integration'] };
const CONFORMANCE = { name: 'conformance', real: true, run: [node, 'scripts/conformance.mjs'] };
const VM = { name: 'vm', real: true, run: [bin('vitest'), 'run', '--project', 'vm'] };
const CHECKS = [
	{ name: 'format', run: [bin('prettier'), '--check', '.'] },
	// The rules and the types, of the pages too.
	{ name: 'lint', run: [bin('oxlint')] },
	{ name: 'exports', run: [bin('knip')] },
];
/** What the oldest version might lack shows in these; how trees and pages behave at scale is shown in the newest alone. */
const oldestUiTests = ['package', 'basics', 'journey'].map((name) => `test/ui/${name}.test.mjs`);
/** The packaged extension in one version of VS Code, which is fetched first. */
const inEditor = (suffix, env, files) => [
	{ name: `vscode${suffix}`, real: true, fetches: true, env, run: [node, 'test/harness/lib/install-vscode.mjs'] },
	{ name: `suite${suffix}`, real: true, env, run: [node, 'test/suite.mjs'] },
	{ name: `ui${suffix}`, real: true, env, run: [node, '--test', '--test-concurrency=1', ...files] },
];

/**
 * Two lanes side by side, which keep two processors busy; with three, tests waited for a processor longer than for what they
 * test. Each is a list of groups, whose steps follow one another; a lane that has nothing left takes the last group of
 * another.
 */
const LANES = [
	[[INTEGRATION], [VM]],
	[CHECKS, [CONFORMANCE], inEditor('', undefined, uiTests), inEditor('-oldest', OLDEST, oldestUiTests)],
];

const totals = { passed: 0, failed: 0 };

/** What each kind of runner says at its end: vitest, node's runner, ours. */
function count(text) {
	// oxlint-disable-next-line no-control-regex
	const plain = text.replace(/\u001B\[[0-9;]*m/g, '');
	const vitest = /^\s*Tests\s+(?:(\d+) failed \| )?(?:(\d+) passed)?/m.exec(plain);
	if (vitest) {
		return { failed: Number(vitest[1] ?? 0), passed: Number(vitest[2] ?? 0) };
	}
	const tests = /^\s*(?:# |ℹ )pass (\d+)[\s\S]*?^\s*(?:# |ℹ )fail (\d+)/m.exec(plain);
	if (tests) {
		return { passed: Number(tests[1]), failed: Number(tests[2]) };
	}
	const own = /^(\d+) passed, (\d+) failed/m.exec(plain);
	return own ? { passed: Number(own[1]), failed: Number(own[2]) } : { passed: 0, failed: 0 };
}

/** The log of one try, so that the second does not cover up the first. */
const logOf = (step, attempt) => path.join(logs, `${step.name}${attempt > 1 ? '-second' : ''}.log`);

function runOne(step, attempt) {
	return new Promise((resolve) => {
		const log = createWriteStream(logOf(step, attempt));
		const [program, ...argv] = step.run;
		const child = spawn(program, argv, {
			cwd: root,
			env: environmentOf(step),
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		let text = '';
		for (const stream of [child.stdout, child.stderr]) {
			stream.on('data', (chunk) => {
				log.write(chunk);
				text += chunk;
			});
		}
		child.on('error', (error) => resolve({ code: 1, text: String(error) }));
		child.on('close', (code) => {
			log.end();
			resolve({ code: code ?? 1, text });
		});
	});
}

/**
 * The environment of the steps. Each start of Node.js reads this file of certificates, a tenth of a second for a usual one,
 * and the tests start thousands that trust nobody outside this computer. What fetches packages keeps it.
 */
const { NODE_EXTRA_CA_CERTS: certificates, ...environment } = process.env;
const environmentOf = ({ env, fetches }) => ({
	...environment,
	...(fetches && certificates !== undefined && { NODE_EXTRA_CA_CERTS: certificates }),
	FORCE_COLOR: '0',
	...env,
});

/** What a person looks for first in a long output: the first failures, with what stands around them, and the end. */
function essence(text) {
	const lines = text.trimEnd().split('\n');
	const first = lines.findIndex((line) => /^\s*(not ok \d|✗ |.*\bFAIL\b)/.test(line));
	const end = Math.max(0, lines.length - 80);
	return first === -1 || first >= end
		? lines.slice(Math.max(0, end - 70)).join('\n')
		: [...lines.slice(Math.max(0, first - 20), Math.min(first + 50, end)), '[…]', ...lines.slice(end)].join('\n');
}

/** Runs a step; one with real daemons, engines or browsers once more if it fails, and says so. */
async function runStep(step) {
	for (let attempt = 1; ; attempt++) {
		const start = Date.now();
		const { code, text } = await runOne(step, attempt);
		const { passed, failed } = count(text);
		const seconds = ((Date.now() - start) / 1000).toFixed(1).padStart(6);
		const tests = passed + failed > 0 ? `  ${passed} passed, ${failed} failed` : '';
		console.log(`${code === 0 ? '✓' : '✗'} ${step.name.padEnd(14)}${seconds} s${tests}${attempt > 1 ? '  (second try)' : ''}`);
		if (code === 0) {
			totals.passed += passed;
			return true;
		}
		console.log(essence(text));
		console.log(`✗ ${step.name} ended with code ${code}; its whole output is in ${path.relative(root, logOf(step, attempt))}`);
		if (!step.real || attempt > 1) {
			totals.passed += passed;
			totals.failed += Math.max(1, failed);
			return false;
		}
		console.log(`${step.name} is run once more: it works with real programs, and the computer may have been busy.`);
	}
}

const wanted = process.argv.slice(2);
const known = [FIRST, LANES].flat(3).map(({ name }) => name);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
	console.error(`unknown step ${unknown.join(', ')}; there are: ${known.join(', ')}`);
	process.exit(2);
}
const isWanted = ({ name }) => wanted.length === 0 || wanted.includes(name);
const start = Date.now();
let good = true;
for (const step of FIRST.filter(isWanted)) {
	good = good && (await runStep(step));
}
if (good) {
	const lanes = LANES.map(async (lane) => {
		for (let group; (group = lane.shift() ?? LANES.find(({ length }) => length > 0)?.pop());) {
			for (const step of group.filter(isWanted)) {
				good = (await runStep(step)) && good;
			}
		}
	});
	await Promise.all(lanes);
}
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
console.log(`\nboinc2docker ${version}: ${((Date.now() - start) / 60_000).toFixed(1)} minutes`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(good ? 0 : 1);
