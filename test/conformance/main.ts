// The conformance suite: every assumption about a BOINC project's tools, tables and protocols, and the whole scenario
// through our own code, against any project. See scripts/conformance.mjs.
import { parseArgs } from 'node:util';

import { messageOf } from '../../src/common/errors.js';
import { quietContext } from '../../src/common/ports.js';
import { openProject } from '../../src/project/openProject.js';
import { assumptions } from './assumptions/index.js';
import { type CheckResult, runChecks } from './checks.js';
import { Lab } from './lab.js';
import { openTarget } from './openTarget.js';
import { scenario } from './scenario/index.js';

const USAGE = `Usage: npm run conformance -- [options]

  --target URL         ssh://user@host:port/path/of/the/project, or local:/path. Default: a fresh sandbox
  --identity FILE      private key for the server
  --known-hosts FILE   its host key, as OpenSSH keeps it
  --wrapper FOLDER     docker_wrapper binaries for the scenario
  --busybox FILE       a static busybox for the scenario
  --only TEXT          only groups and checks whose title contains it; later ones may need earlier ones
  --json               one JSON object a check instead of lines
  --keep               leave the sandbox folder in place when something fails
`;

const { values: options } = parseArgs({
	options: {
		target: { type: 'string' },
		identity: { type: 'string' },
		'known-hosts': { type: 'string' },
		wrapper: { type: 'string' },
		busybox: { type: 'string' },
		only: { type: 'string' },
		json: { type: 'boolean' },
		keep: { type: 'boolean' },
		help: { type: 'boolean' },
	},
});

async function main(): Promise<number> {
	if (options.help) {
		process.stdout.write(USAGE);
		return 0;
	}
	const interrupt = new AbortController();
	process.on('SIGINT', () => interrupt.abort());
	process.on('SIGTERM', () => interrupt.abort());
	const target = await openTarget(options, interrupt.signal);
	try {
		const project = await openProject(target.connection, target.root, quietContext(interrupt.signal));
		const lab = new Lab(project, target);
		say(`${project.config.longName}, ${target.name}`);
		let results: readonly CheckResult[] = [];
		let left: string[] = [];
		try {
			results = await runChecks(chosen([...assumptions, ...scenario]), lab, report, interrupt.signal);
		} finally {
			left = await lab.cleanUp();
			project.dispose();
		}
		left.forEach((what) => say(`  left behind: ${what}`));
		const failed = results.filter((result) => !result.ok).length + left.length;
		const line = { passed: results.length - results.filter((result) => !result.ok).length, failed };
		if (options.json) {
			process.stdout.write(`${JSON.stringify(line)}\n`);
		} else {
			say(`\n${line.passed} passed, ${line.failed} failed`);
		}
		return failed > 0 || results.length === 0 || interrupt.signal.aborted ? 1 : 0;
	} finally {
		await target.close();
	}
}

/** The groups, or what `--only` leaves of them. */
function chosen(groups: typeof assumptions): typeof assumptions {
	const wanted = options.only?.toLowerCase();
	return wanted === undefined
		? groups
		: groups.map(({ title, checks }) => ({
				title,
				checks: title.toLowerCase().includes(wanted)
					? checks
					: checks.filter((check) => check.name.toLowerCase().includes(wanted)),
			}));
}

let group = '';
function report(result: CheckResult): void {
	if (options.json) {
		process.stdout.write(`${JSON.stringify(result)}\n`);
		return;
	}
	if (result.group !== group) {
		group = result.group;
		say(`\n${group}`);
	}
	const time = result.seconds >= 1 ? ` (${result.seconds.toFixed(1)} s)` : '';
	const remark = result.ok && result.text !== undefined ? `: ${result.text}` : '';
	say(`  ${result.ok ? '✓' : '✗'} ${result.name}${remark}${time}`);
	if (!result.ok) {
		say((result.text ?? '').replace(/^/gm, '      '));
	}
}

function say(text: string): void {
	(options.json ? process.stderr : process.stdout).write(`${text}\n`);
}

main().then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		process.stderr.write(`${messageOf(error)}\n${error instanceof Error && 'remedy' in error ? String(error.remedy) : ''}\n`);
		process.exitCode = 1;
	},
);
