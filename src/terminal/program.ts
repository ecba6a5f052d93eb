import { Command, CommanderError } from 'commander';

import { BoincError, type ErrorCode, isAbort, messageOf } from '../common/errors.js';
import { cancelCommand } from './commands/cancel.js';
import { doctorCommand } from './commands/doctor.js';
import { explainCommand } from './commands/explain.js';
import { installCommand } from './commands/install.js';
import { logCommand } from './commands/log.js';
import { packsCommand } from './commands/packs.js';
import { priorityCommand } from './commands/priority.js';
import { refillCommand } from './commands/refill.js';
import { reproduceCommand } from './commands/reproduce.js';
import { resultsCommand } from './commands/results.js';
import { retryCommand } from './commands/retry.js';
import { runCommand } from './commands/run.js';
import { statusCommand } from './commands/status.js';
import { submitCommand } from './commands/submit.js';
import { EXIT, exitCodeOf } from './exitCode.js';
import { printableLines } from './table.js';

const EPILOGUE = `
The server is --server or BOINC2DOCKER_SERVER: ssh://user@host:port/path/of/the/project, or local:/path/of/the/project.
BOINC2DOCKER_IDENTITY and BOINC2DOCKER_KNOWN_HOSTS stand for --identity and --known-hosts.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 something is missing on this computer; 4 the server cannot be reached;
5 jobs failed; 130 cancelled.`;

/** Options that may stand before and after the name of the command. */
function globalOptions(command: Command): Command {
	return command
		.option('-s, --server <address>', 'the project’s server')
		.option('-i, --identity <file>', 'private key to log in with')
		.option(
			'--known-hosts <file>',
			'file with keys of servers, instead of ~/.ssh/known_hosts; keys that you accept are kept in ~/.config/boinc2docker/known_hosts',
		)
		.option('--as <account>', 'account on the server that owns the project, through sudo')
		.option('--app <name>', 'the app that runs the containers (default: the only one; of several, boinc2docker)')
		.option('--json', 'print one JSON object instead of text')
		.option('-v, --verbose', 'say what is done')
		.option('-y, --yes', 'do not ask');
}

/** Runs the command line and resolves to its exit code; never rejects. */
export async function runProgram(argv: readonly string[], version: string): Promise<number> {
	let code: number = EXIT.ok;
	let options: ReportOptions = {};

	const program = globalOptions(new Command('boinc2docker'))
		.description('Runs containers on the computers of a BOINC project.')
		.version(version)
		.addHelpText('after', EPILOGUE)
		.enablePositionalOptions()
		.exitOverride()
		.hook('preAction', (_program, command) => {
			options = command.optsWithGlobals<ReportOptions>();
		})
		.showHelpAfterError('(add --help for the options)');
	for (const command of [
		installCommand,
		submitCommand,
		runCommand,
		statusCommand,
		resultsCommand,
		logCommand,
		explainCommand,
		reproduceCommand,
		cancelCommand,
		retryCommand,
		priorityCommand,
		packsCommand,
		doctorCommand,
		refillCommand,
	]) {
		command(program, (exitCode) => {
			code = exitCode;
		});
	}
	program.commands.forEach(globalOptions);
	try {
		await program.parseAsync([...argv], { from: 'user' });
	} catch (error) {
		if (error instanceof CommanderError) {
			if (error.exitCode === 0) {
				return EXIT.ok;
			}
			// The library has said it as text; the options were not read.
			if (argv.includes('--json')) {
				report(new BoincError('usage', error.message.replace(/^error: /, '')), { json: true });
			}
			return EXIT.usage;
		}
		report(error, options);
		return exitCodeOf(error);
	}
	return code;
}

/** Which option of the command line is the remedy. */
const HINTS: Partial<Readonly<Record<ErrorCode, string>>> = {
	'authentication-failed': 'On the command line: --identity FILE or BOINC2DOCKER_IDENTITY names a private key.',
	'host-key-unknown':
		'On the command line: --known-hosts FILE or BOINC2DOCKER_KNOWN_HOSTS names a file with the server’s key; without it, run the command in a terminal.',
	'download-failed':
		'Without access to the network: fetch the programs elsewhere with “boinc2docker install --download-only FOLDER”, then install with --wrappers FOLDER.',
};

interface ReportOptions {
	readonly json?: boolean;
	readonly verbose?: boolean;
}

function report(error: unknown, options: ReportOptions): void {
	const ours = BoincError.is(error) ? error : undefined;
	if (options.json === true) {
		const code = ours?.code ?? (isAbort(error) ? 'cancelled' : 'unexpected');
		console.log(JSON.stringify({ error: { code, message: messageOf(error), remedy: ours?.remedy, detail: ours?.detail } }));
		return;
	}
	console.error(printableLines(messageOf(error)));
	if (ours?.remedy !== undefined) {
		console.error(printableLines(ours.remedy));
	}
	const hint = ours && HINTS[ours.code];
	if (hint !== undefined) {
		console.error(hint);
	}
	if (!ours && !isAbort(error) && error instanceof Error && options.verbose === true) {
		console.error(error.stack);
	}
}
