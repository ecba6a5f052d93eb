import { type InputFile, TEMPLATE_NUMBERS, type TemplateNumber } from '../inputTemplate.js';
import { ToolExit } from '../toolProject.js';

/** Who a targeted job is for. Types: 1 host, 2 user, 3 team, 0 everybody. */
export interface JobTarget {
	readonly type: number;
	readonly id: number;
	/** On every host of the target. */
	readonly broadcast: boolean;
}

/** The options of one `create_work` call, or of one of its lines. */
export interface JobOptions {
	appName: string | undefined;
	jobName: string | undefined;
	inputTemplate: string | undefined;
	outputTemplate: string | undefined;
	commandLine: string;
	subAppName: string | undefined;
	keywords: string;
	credit: number;
	priority: number;
	hrClass: number;
	appVersionNum: number;
	numbers: Partial<Record<TemplateNumber, number>>;
	target: JobTarget | undefined;
	workunitId: number;
	files: InputFile[];
	configDir: string | undefined;
	stdin: boolean;
	continueOnError: boolean;
	verbose: boolean;
}

/** What `create_work` prints when it does not understand. */
export const USAGE = `usage: create_work [options] infile1 infile2 ...

Options:
   --appname name
   [ --app_version_num N ]
   [ --batch n ]
   [ --broadcast ]
   [ --broadcast_user ID ]
   [ --broadcast_team ID ]
   [ --command_line "X" ]
   [ --config_dir path ]
   [ --credit X ]
   [ -d n ]
   [ --delay_bound x ]
   [ --hr_class n ]
   [ --keywords 'n1 n2 ...' ]
   [ --max_error_results n ]
   [ --max_success_results n ]
   [ --max_total_results n ]
   [ --min_quorum n ]
   [ --priority n ]
   [ --result_template filename ]  default: appname_out
   [ --rsc_disk_bound x ]
   [ --rsc_fpops_est x ]
   [ --rsc_fpops_bound x ]
   [ --rsc_memory_bound x ]
   [ --size_class n ]
   [ --stdin ]
   [ --sub_appname 'foo bar' ]
   [ --target_host ID ]
   [ --target_nresults n ]
   [ --target_team ID ]
   [ --target_user ID ]
   [ --verbose ]
   [ --wu_id ID ]   ID of existing workunit record (used by boinc_submit)
   [ --wu_name name ]              default: generate a name based on app name
   [ --wu_template filename ]      default: appname_in

See https://github.com/BOINC/boinc/wiki/JobSubmission
`;

/** The number at the start of `text` as C's `atof` reads it: 0 when there is none. */
const toNumber = (text: string): number => Number.parseFloat(text) || 0;
const toInteger = (text: string): number => Number.parseInt(text, 10) || 0;

type Handler = (options: JobOptions, next: () => string) => void;

const target =
	(type: number, broadcast: boolean): Handler =>
	(options, next) => {
		options.target = { type, id: toInteger(next()), broadcast };
	};

/** Allowed in a line of standard input as well. */
const LINE_HANDLERS: Readonly<Record<string, Handler>> = {
	command_line: (options, next) => (options.commandLine = next()),
	wu_name: (options, next) => (options.jobName = next()),
	wu_template: (options, next) => (options.inputTemplate = next()),
	result_template: (options, next) => (options.outputTemplate = next()),
	priority: (options, next) => (options.priority = toInteger(next())),
	target_host: target(1, false),
	target_user: target(2, false),
	remote_file: (options, next) => {
		const url = next();
		const size = toNumber(next());
		options.files.push({ url, size, md5: next() });
	},
};

const HANDLERS: Readonly<Record<string, Handler>> = {
	...LINE_HANDLERS,
	...Object.fromEntries(
		// There is no option for the bandwidth.
		TEMPLATE_NUMBERS.filter((name) => name !== 'rsc_bandwidth_bound').map((name): [string, Handler] => [
			name,
			(options, next) => (options.numbers[name] = toNumber(next())),
		]),
	),
	appname: (options, next) => (options.appName = next()),
	sub_appname: (options, next) => (options.subAppName = next()),
	keywords: (options, next) => (options.keywords = next()),
	delay_bound: (options, next) => (options.numbers.delay_bound = toInteger(next())),
	credit: (options, next) => (options.credit = toNumber(next())),
	hr_class: (options, next) => (options.hrClass = toInteger(next())),
	app_version_num: (options, next) => (options.appVersionNum = toInteger(next())),
	target_team: target(3, false),
	broadcast: (options) => (options.target = { type: 0, id: 0, broadcast: true }),
	broadcast_user: target(2, true),
	broadcast_team: target(3, true),
	wu_id: (options, next) => (options.workunitId = toInteger(next())),
	config_dir: (options, next) => (options.configDir = next()),
	stdin: (options) => (options.stdin = true),
	continue_on_error: (options) => (options.continueOnError = true),
	verbose: (options) => (options.verbose = true),
	d: (_, next) => void next(),
};

/** Reads the arguments of the program. Throws `ToolExit` with the usage. */
export function programOptions(args: readonly string[]): JobOptions {
	const options: JobOptions = {
		appName: undefined,
		jobName: undefined,
		inputTemplate: undefined,
		outputTemplate: undefined,
		commandLine: '',
		subAppName: undefined,
		keywords: '',
		credit: 0,
		priority: 0,
		hrClass: 0,
		appVersionNum: 0,
		numbers: {},
		target: undefined,
		workunitId: 0,
		files: [],
		configDir: undefined,
		stdin: false,
		continueOnError: false,
		verbose: false,
	};
	read(options, args, HANDLERS, (word) =>
		word === '--help' || word === '-h' ? new ToolExit(1, USAGE) : new ToolExit(1, `create_work: bad argument '${word}'\n`),
	);
	if (options.appName === undefined) {
		throw new ToolExit(1, USAGE);
	}
	return options;
}

/** Reads the words of one line over the program's options; the command lines are joined. */
export function lineOptions(program: JobOptions, words: readonly string[], name: string): JobOptions {
	const options: JobOptions = { ...program, numbers: { ...program.numbers }, jobName: name, commandLine: '', files: [] };
	read(options, words, LINE_HANDLERS, (word) => new ToolExit(1, `create_work: bad stdin argument '${word}'\n`));
	options.commandLine = [program.commandLine, options.commandLine].filter((part) => part !== '').join(' ');
	return options;
}

function read(
	options: JobOptions,
	args: readonly string[],
	handlers: Readonly<Record<string, Handler>>,
	refuse: (word: string) => ToolExit,
): void {
	const rest = [...args];
	const next = (word: string): string => {
		const value = rest.shift();
		if (value === undefined) {
			throw refuse(word);
		}
		return value;
	};
	for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
		const current = word;
		if (!current.startsWith('-')) {
			options.files.push(current);
			continue;
		}
		const name = current.replace(/^--?/, '');
		const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
		if (!handler) {
			throw refuse(current);
		}
		handler(options, () => next(current));
	}
}
