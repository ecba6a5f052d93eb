import { ToolExit } from '../toolProject.js';
import { assimilatorKind } from './assimilation.js';
import { daemonTool } from './daemon.js';
import { runScript, scriptOption } from './script.js';

/** `script_assimilator`: hands each finished job to a program in `bin/`. */
export const scriptAssimilator = daemonTool(
	assimilatorKind({
		options: { script: 1 },
		unknown: 'ignore',
		prepare: (context) => {
			if (context.options.text('script') === undefined) {
				context.log('critical', 'script name missing from command line');
				throw new ToolExit(1);
			}
		},
		handle: async (context, job) => {
			const { name, withTokens } = scriptOption(context.options.text('script') ?? '');
			let words: readonly (string | number)[];
			if (!job.canonical) {
				words = ['--error', job.errorMask, job.name, job.id, job.batch];
			} else {
				words = withTokens ? [] : [job.id, ...job.canonical.files.map(({ path }) => path)];
			}
			const command = `../bin/${name} ${words.join(' ')}`;
			const status = await runScript(context, command);
			if (status !== 0) {
				context.log('normal', `error ${status} from script: ${command}`);
			}
			return status;
		},
	}),
);
