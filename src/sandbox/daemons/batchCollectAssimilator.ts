import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../../common/errors.js';
import { pauseMs } from '../pace.js';
import { assimilatorKind } from './assimilation.js';
import { type DaemonContext, daemonTool } from './daemon.js';

const TRIES = 5;

/** `batch_collect_assimilator`: moves outputs to `results/BATCH/JOB__file_OPENNAME`. */
export const batchCollectAssimilator = daemonTool(
	assimilatorKind({
		options: { outdir: 1 },
		unknown: 'complain',
		handle: async (context, job) => {
			const folder = path.resolve(context.io.cwd, context.options.text('outdir') ?? '../results', String(job.batch));
			await mkdir(folder, { recursive: true });
			if (!job.canonical) {
				await appendFile(path.join(folder, `${job.name}_error`), `0x${job.errorMask.toString(16)}\n`);
				return 0;
			}
			let moved = 0;
			for (const file of job.canonical.files) {
				// An open name with a slash names a folder that does not exist: the output stays and is deleted later.
				moved += (await moveFile(context, file.path, path.join(folder, `${job.name}__file_${file.openName}`))) ? 1 : 0;
			}
			if (moved === 0) {
				await writeFile(path.join(folder, `${job.name}_no_output_files`), '');
			}
			return 0;
		},
	}),
);

async function moveFile(context: DaemonContext, from: string, to: string): Promise<boolean> {
	for (let attempt = 1; ; attempt++) {
		try {
			await rename(from, to);
			return true;
		} catch (error) {
			context.io.err(`mv: cannot move '${from}' to '${to}': ${messageOf(error)}\n`);
			if (attempt === TRIES) {
				return false;
			}
			await sleep(pauseMs(1, context.io.env));
		}
	}
}
