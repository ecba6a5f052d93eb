import { explainExitStatus } from '../exitStatus.js';
import { parseStderr } from '../instanceLog.js';
import type { FailureKind } from './explanation.js';

/** What the database says about an instance that did not succeed. */
export interface FailedInstance {
	readonly outcome: number;
	readonly clientState: number;
	readonly validateState: number;
	readonly exitStatus: number;
	/** `result.stderr_out`; empty when the host reported nothing. */
	readonly log: string;
}

/** Why it failed, what to do, and the line of its log that shows it. */
export interface Cause {
	readonly kind: FailureKind;
	/** A clause without subject and full stop: `used more memory than …`. */
	readonly what: string;
	readonly remedy: string | undefined;
	readonly numbers: Readonly<Record<string, number>>;
	readonly line: string;
}

interface Text {
	readonly message: string;
	/** Message, wrapper and container. */
	readonly all: string;
	/** The last line of the container that says something. */
	readonly last: string;
}

type Found = Omit<Cause, 'line'> & { readonly line?: string };

const MEMORY_REMEDY = 'Raise the memory of the job in its job file, or let the program use less.';
const TIME_REMEDY = 'Raise the time limit of the job in its job file, or cut the work into smaller jobs.';
const DISK_REMEDY = 'Raise the disk space of the job in its job file, or let the program write less.';
const OUTPUT_REMEDY = 'Raise the largest output of the job in its job file, or let the program return less.';

const found = (kind: FailureKind, what: string, remedy?: string, numbers: Cause['numbers'] = {}, line?: string): Found => ({
	kind,
	what,
	remedy,
	numbers,
	...(line !== undefined && { line }),
});

/** The cause of a bad end, from the codes of the database and what the host reported. Pure. */
export function failureCause(instance: FailedInstance): Cause {
	const text = textOf(instance.log);
	const cause = byOutcome(instance, text);
	return { ...cause, line: cause.line ?? (UNTOLD.has(cause.kind) ? '' : text.last) };
}

/** Ends that come from outside: what the log says last has nothing to do with them. */
const UNTOLD: ReadonlySet<FailureKind> = new Set(['cancelled', 'not-started', 'too-late', 'no-reply', 'not-sent', 'host-left']);

function textOf(log: string): Text {
	const { message, wrapper, container } = parseStderr(log);
	const lines = (container === '' ? wrapper : container)
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '' && !/^boinc2docker: The program ended with exit code \d+/.test(line));
	return {
		message,
		all: `${message}\n${wrapper}\n${container}\n${log}`,
		last: (lines.at(-1) ?? message.split('\n')[0] ?? '').slice(0, 300),
	};
}

function byOutcome(instance: FailedInstance, text: Text): Found {
	switch (instance.outcome) {
		case 1:
			return instance.validateState === 5
				? found('too-late', 'finished after the job had ended without them')
				: found(
						'invalid',
						'gave a result that the validator did not accept',
						'Compare the results: does the program give the same output each time?',
					);
		case 2:
			return found('not-sent', 'could not be sent to any host', 'Look at “Why is this not running?”.');
		case 4:
			return found(
				'no-reply',
				'did not come back before the deadline: the host is off, gone or too slow',
				'Set a later deadline, or allow more instances for each job.',
			);
		case 6:
			return found(
				'validator-refused',
				'finished, but the validator found an error in the result',
				'Look at the validator’s log and at the output.',
			);
		case 7:
			return found('host-left', 'were on a host that left the project', 'Nothing: BOINC sends the job to another host.');
		default:
			return byReason(instance, text);
	}
}

/** What our runner, the client or the engine said counts more than the number: programs use all numbers for anything. */
function byReason(instance: FailedInstance, text: Text): Found {
	const memory = /it used (\d+) MB of memory, and the job may use (\d+) MB/.exec(text.all);
	if (memory) {
		return found(
			'out-of-memory',
			`used ${memory[1] ?? ''} MB of memory and may use ${memory[2] ?? ''} MB`,
			MEMORY_REMEDY,
			{ usedMb: Number(memory[1]), limitMb: Number(memory[2]) },
			memory[0],
		);
	}
	const time = /it has run for (\d+) s, which is the limit of the job/.exec(text.all);
	if (time) {
		return found(
			'time-limit',
			`ran for ${time[1] ?? ''} s, which is the limit`,
			TIME_REMEDY,
			{ seconds: Number(time[1]) },
			time[0],
		);
	}
	const output = /The packed results are bigger than the (\d+) bytes/.exec(text.all);
	if (output || /file size too big/i.test(text.all) || hasCode(text.all, -131) || instance.exitStatus === -131) {
		return found(
			'output-too-big',
			`packed more results than ${output ? `the ${output[1] ?? ''} bytes` : 'the job'} may return`,
			OUTPUT_REMEDY,
			output ? { limitBytes: Number(output[1]) } : {},
			output?.[0],
		);
	}
	return transfer(instance, text) ?? byCode(instance, text);
}

/** `<error_code>-131 (…)</error_code>` of a `<file_xfer_error>`. */
const hasCode = (text: string, code: number): boolean => new RegExp(`<error_code>${code}\\b`).test(text);

const DOWNLOAD_CODES = [-114, -119, -120, -123, -186, -200, -224];
const UPLOAD_CODES = [-115, -127, -128, -187];

function transfer({ clientState, exitStatus }: FailedInstance, { all }: Text): Found | undefined {
	const code = Number(/<error_code>(-?\d+)/.exec(all)?.[1] ?? exitStatus);
	const file = /<file_name>([^<]{1,200})<\/file_name>/.exec(all)?.[1];
	const which = file === undefined ? '' : ` (${file})`;
	const reason = code === 0 ? '' : `, ${explainExitStatus(code)}`;
	if (clientState === 1 || DOWNLOAD_CODES.includes(exitStatus) || (DOWNLOAD_CODES.includes(code) && code !== 0)) {
		return found(
			'download-error',
			`could not download a file${which}${reason}`,
			'Check that the file is on the server and that its address works from outside; then submit the jobs again.',
			{ code },
			file,
		);
	}
	if (clientState === 4 || clientState === 7 || UPLOAD_CODES.includes(exitStatus) || UPLOAD_CODES.includes(code)) {
		return found(
			'upload-error',
			`could not upload a result${which}${reason}`,
			'Check the upload handler, its disk and the limits of the web server.',
			{ code },
			file,
		);
	}
	return undefined;
}

const GONE_WRONG: Readonly<Record<number, Found>> = {
	126: found(
		'command-not-executable',
		'could not execute their command, though it is in the image',
		'Check its mode and its first line (#!).',
	),
	127: found(
		'command-not-found',
		'could not find their command in the image',
		'Check ENTRYPOINT, CMD and the command of the job.',
	),
	193: found('killed-by-signal', 'were killed by a signal', 'Look at the log; try the job on this computer.'),
	194: found('aborted-by-client', 'were aborted by the client or the virtual machine failed', 'Look at the log of the wrapper.'),
	195: found('wrapper-failed', 'had a wrapper whose program failed', 'Look at the log of the wrapper.'),
	196: found('disk-limit', 'used more disk than the limit', DISK_REMEDY),
	197: found('time-limit', 'ran longer than the limit', TIME_REMEDY),
	198: found('out-of-memory', 'used more memory than the host allows', MEMORY_REMEDY),
	199: found('aborted-by-client', 'were ended with the client', 'Nothing: BOINC tries again.'),
	200: found('not-started', 'were not started before the deadline', 'Set a later deadline.'),
	201: found('start-failed', 'lacked a GPU', 'Look at the plan class.'),
	202: found('cancelled', 'were cancelled by the project'),
	203: found('aborted-by-volunteer', 'were aborted by volunteers', 'If many do so, ask why: are the jobs too long or too big?'),
	205: found('out-of-memory', 'ran out of memory', MEMORY_REMEDY),
	206: found('start-failed', 'could not be initialised on the host', 'Look at the log of the wrapper.'),
	207: found('wrapper-failed', 'had no task to run', 'Look at the log of the wrapper.'),
	208: found('wrapper-failed', 'had a task that failed', 'Look at the log of the wrapper.'),
	209: found('not-started', 'were overdue for too long', 'Set a later deadline.'),
	[-148]: found(
		'start-failed',
		'had a program that the client could not execute',
		'Look at the log: is the app version for this kind of host?',
	),
	[-182]: found('machine-failed', 'had a virtual machine that stopped answering', 'Look at the log of the wrapper.'),
	[-185]: found('start-failed', 'could not be started', 'Look at the log of the wrapper.'),
	[-197]: found(
		'aborted-by-volunteer',
		'were aborted by volunteers',
		'If many do so, ask why: are the jobs too long or too big?',
	),
	[-221]: found('cancelled', 'were cancelled by the project'),
	[-226]: found(
		'too-many-restarts',
		'ended a hundred times without finishing',
		'Write checkpoints, or find out why the program ends early.',
	),
	[-233]: found('not-started', 'were not started before the deadline', 'Set a later deadline.'),
};

const LAST_SIGNAL = 31;

/** What engines without support for GPUs say to `--gpus all`, and the runner to a container without one. */
const NO_GPU =
	/could not select device driver.*gpu|unknown flag: --gpus|unresolvable CDI devices|nvidia-container-cli: .*|The container has no GPU of NVIDIA/i;

function byCode({ exitStatus }: FailedInstance, { all, last }: Text): Found {
	const gpu = NO_GPU.exec(all);
	if (gpu) {
		return found(
			'engine-failed',
			'could not use the host’s GPU in a container',
			'The host’s engine is not set up for GPUs (NVIDIA Container Toolkit; Podman 5 or later). Allow more retries, so that other hosts try.',
			{ exitStatus },
			gpu[0],
		);
	}
	if (/no space left on device/i.test(all)) {
		return found('disk-limit', 'found the disk full', DISK_REMEDY, { exitStatus });
	}
	if (
		/cannot connect to the docker daemon|is the docker daemon running|cannot connect to podman|build failed|image build/i.test(
			all,
		)
	) {
		return found(
			'engine-failed',
			'could not use the container engine of the host',
			'Often one host’s own trouble; if there are many, look at the log of the wrapper.',
			{ exitStatus },
		);
	}
	const known = GONE_WRONG[exitStatus] ?? (exitStatus > 0 ? GONE_WRONG[exitStatus - 256] : undefined);
	if (known) {
		return { ...known, numbers: { exitStatus } };
	}
	const signal = exitStatus - 128;
	if (signal > 0 && signal <= LAST_SIGNAL) {
		const killed = signal === 9;
		return found(
			killed ? 'out-of-memory' : 'killed-by-signal',
			killed
				? 'were killed (signal 9), which engines do to programs that use too much memory'
				: `were killed by signal ${signal}`,
			killed ? MEMORY_REMEDY : 'Look at the log; try the job on this computer.',
			{ exitStatus, signal },
		);
	}
	if (exitStatus === 0) {
		return found('unknown-failure', 'were given up by the client without saying why', 'Look at the log of the instance.', {
			exitStatus,
		});
	}
	return exitStatus > 0 && exitStatus <= 255
		? found(
				'program-failed',
				`ended with exit code ${exitStatus}${/memoryerror|out of memory|cannot allocate memory/i.test(last) ? ', short of memory' : ''}`,
				'Look at the log; try the job on this computer.',
				{ exitStatus },
			)
		: found('unknown-failure', `ended with ${explainExitStatus(exitStatus)}`, 'Look at the log of the instance.', { exitStatus });
}

/** Lines that differ only in numbers, addresses, times and names of jobs are the same complaint. */
export function signatureOf(line: string): string {
	return line
		.replace(/b2d_\d+_\d+(_\d+)*/g, '#')
		.replace(/0x[0-9a-f]+/gi, '#')
		.replace(/\d+([.:,]\d+)*/g, '#')
		.slice(0, 120);
}
