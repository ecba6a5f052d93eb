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

/** The packaged extension in one version of VS Code, which is fetched first. */
const inEditor = (suffix, env, files, behind = []) => [
	{
		name: `vscode${suffix}`,
		real: true,
		fetches: true,
		env,
		after: ['packages'],
		run: [node, 'test/harness/lib/install-vscode.mjs'],
	},
	{ name: `suite${suffix}`, real: true, env, after: ['unit', `vscode${suffix}`], behind, run: [node, 'test/suite.mjs'] },
	{ name: `ui${suffix}`, real: true, env, after: [`suite${suffix}`], run: [node, '--test', '--test-concurrency=1', ...files] },
];
/** What the oldest version might lack shows in these; how trees and pages behave at scale is shown in the newest alone. */
const oldestUiTests = ['package', 'basics', 'journey'].map((name) => `test/ui/${name}.test.mjs`);
const [vscode, ...editor] = inEditor('', undefined, uiTests);
const [oldestVscode, ...oldestEditor] = inEditor('-oldest', OLDEST, oldestUiTests, ['ui']);

/**
 * The steps, those first that should begin first. A step begins when those of `after` have ended well, those of `behind`
 * have ended, and fewer than `AT_ONCE` run. What is soon known and soon wrong comes before what takes minutes; those wait
 * for daemons, engines, clients and pages half of the time, so three of them keep two processors busy.
 */
const AT_ONCE = 3;
const STEPS = [
	{ name: 'packages', fetches: true, run: [node, 'scripts/systemPackages.mjs', 'test'] },
	{ name: 'package', run: [node, 'scripts/package.mjs'] },
	vscode,
	{ name: 'unit', after: ['packages', 'package'], run: [bin('vitest'), 'run', '--project', 'unit'] },
	{ ...oldestVscode, after: ['vscode'] },
	{ name: 'integration', real: true, after: ['unit'], run: [bin('vitest'), 'run', '--project', 'integration'] },
	...editor,
	{ name: 'conformance', real: true, after: ['unit'], run: [node, 'scripts/conformance.mjs'] },
	...oldestEditor,
	// The rules and the types, of the pages too.
	{ name: 'lint', after: ['unit'], run: [bin('oxlint')] },
	{ name: 'format', after: ['unit'], run: [bin('prettier'), '--check', '.'] },
	{ name: 'exports', after: ['unit'], run: [bin('knip')] },
	// One computer inside another, which is slow enough without company.
	{ name: 'vm', real: true, after: ['unit'], run: [bin('vitest'), 'run', '--project', 'vm'] },
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

/** The test files that failed, as the runners name them; none when a runner did not say. */
function failedFiles(text) {
	// oxlint-disable-next-line no-control-regex
	const lines = text.replace(/\u001B\[[0-9;]*m/g, '').split('\n');
	const telling = lines.filter((line) => /^\s*(FAIL\b|location: )/.test(line));
	return [...new Set(telling.flatMap((line) => /\btest\/(?:integration|ui)\/[\w/]+\.test\.(?:ts|mjs)\b/.exec(line) ?? []))];
}

/** Runs a step. One with real daemons, engines or browsers that fails is to be run once more, when nothing else runs. */
async function runStep(step) {
	const first = await runOnce(step, 1);
	if (first.good || !step.real) {
		return settle(first, first.good ? 0 : Math.max(1, first.failed));
	}
	again.push({ step, first });
	return false;
}

/** Runs what failed of a step once more, and says so. */
async function runAgain({ step, first }) {
	const files = failedFiles(first.text);
	console.log(
		`${files.join(', ') || step.name} is run once more, by itself: it works with real programs, and the computer may have been busy.`,
	);
	const run = files.length === 0 ? step.run : [...step.run.filter((word) => !word.endsWith('.test.mjs')), ...files];
	const second = await runOnce({ ...step, run }, 2);
	if (files.length === 0) {
		return settle(second, second.good ? 0 : Math.max(1, second.failed));
	}
	// The others passed before; a test that passes now counts once.
	const failed = second.good ? 0 : Math.max(1, second.failed);
	return settle({ good: second.good, passed: first.passed + Math.max(0, first.failed - failed) }, failed);
}

function settle({ good, passed }, failed) {
	totals.passed += passed;
	totals.failed += failed;
	return good;
}

async function runOnce(step, attempt) {
	const start = Date.now();
	const { code, text } = await runOne(step, attempt);
	const { passed, failed } = count(text);
	const seconds = ((Date.now() - start) / 1000).toFixed(1).padStart(6);
	const tests = passed + failed > 0 ? `  ${passed} passed, ${failed} failed` : '';
	console.log(`${code === 0 ? '✓' : '✗'} ${step.name.padEnd(14)}${seconds} s${tests}${attempt > 1 ? '  (second try)' : ''}`);
	if (code !== 0) {
		console.log(essence(text));
		console.log(`✗ ${step.name} ended with code ${code}; its whole output is in ${path.relative(root, logOf(step, attempt))}`);
	}
	return { good: code === 0, text, passed, failed };
}

const wanted = process.argv.slice(2);
const known = STEPS.map(({ name }) => name);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
	console.error(`unknown step ${unknown.join(', ')}; there are: ${known.join(', ')}`);
	process.exit(2);
}
const start = Date.now();
const waiting = STEPS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
/** What has not ended well: a step that comes after one of these does not begin. */
const unfinished = new Set(waiting.map(({ name }) => name));
const running = new Map();
/** Steps that failed and get a second try. */
const again = [];
const isToCome = (name) => running.has(name) || waiting.some((step) => step.name === name);
const begin = (name, work) => {
	const ended = work.then((good) => {
		running.delete(name);
		if (good) {
			unfinished.delete(name);
		}
	});
	running.set(name, ended);
};
for (;;) {
	const next = waiting.findIndex(
		({ after = [], behind = [] }) => !after.some((name) => unfinished.has(name)) && !behind.some(isToCome),
	);
	if (next !== -1 && running.size < AT_ONCE) {
		const [step] = waiting.splice(next, 1);
		begin(step.name, runStep(step));
	} else if (running.size > 0) {
		await Promise.race(running.values());
	} else if (again.length > 0) {
		const failure = again.shift();
		begin(failure.step.name, runAgain(failure));
		await running.get(failure.step.name);
	} else {
		break;
	}
}
for (const { name } of waiting) {
	console.log(`✗ ${name.padEnd(14)} was not run, for what it needs failed`);
}
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
console.log(`\nboinc2docker ${version}: ${((Date.now() - start) / 60_000).toFixed(1)} minutes`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(unfinished.size === 0 ? 0 : 1);
