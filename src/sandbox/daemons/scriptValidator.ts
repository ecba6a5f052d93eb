import { ToolExit } from '../toolProject.js';
import { type DaemonContext, daemonTool } from './daemon.js';
import { runScript, scriptOption } from './script.js';
import { type Candidate, type Judge, validatorKind, type Verdict } from './validation.js';

const TRANSIENT = 3;

/** `script_validator`: asks programs in `bin/`. */
export const scriptValidator = daemonTool(validatorKind({ init_script: 1, compare_script: 1 }, judgeOf));

function judgeOf(context: DaemonContext): Judge {
	const init = context.options.text('init_script');
	const compare = context.options.text('compare_script');
	if (init === undefined && compare === undefined) {
		context.log('critical', 'command line must specify init_script or compare_script');
		throw new ToolExit(1);
	}
	return {
		check: async (_, candidate) => (init === undefined ? 'good' : verdict(await run(context, init, [candidate]))),
		agree: async (_, first, second) => compare === undefined || (await run(context, compare, [first, second])) === 0,
	};
}

/** Resolves to the exit code. Tokens lose all arguments; the name alone gets the files. */
async function run(context: DaemonContext, option: string, candidates: readonly Candidate[]): Promise<number> {
	const { name, withTokens } = scriptOption(option);
	const words = withTokens ? [] : candidates.flatMap(({ files }) => files.map(({ path }) => path));
	const status = await runScript(context, `../bin/${name} ${words.join(' ')}`);
	return status > 255 ? status / 256 : status;
}

function verdict(code: number): Verdict {
	if (code === 0) {
		return 'good';
	}
	return code === TRANSIENT ? 'later' : 'bad';
}
