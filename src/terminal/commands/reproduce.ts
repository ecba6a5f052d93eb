import path from 'node:path';

import { given } from '../../common/given.js';
import { findEngine } from '../../image/engine.js';
import { makeCapsule } from '../../job/localRun/capsule.js';
import { reproduce } from '../../job/localRun/reproduce.js';
import type { LocalRunReport } from '../../job/localRun/runSlot.js';
import { unpackResult } from '../../monitor/results/unpackResult.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, type Session, withProject } from '../session.js';
import { printable } from '../table.js';
import { describeRun, requireFree } from './runLocal.js';

interface ReproduceOptions extends GlobalOptions {
	readonly output?: string;
	readonly slot?: string;
	readonly engine?: string;
	/** False with `--no-run`. */
	readonly run?: boolean;
}

async function runHere({ project, terminal, ctx }: Session, job: string, options: ReproduceOptions): Promise<number> {
	const folder = path.resolve(options.output ?? `reproduced-${job}`);
	for (const wanted of [folder, ...(options.slot === undefined ? [] : [path.resolve(options.slot)])]) {
		await requireFree(wanted);
	}
	const engine = await findEngine(ctx, given({ command: options.engine }));
	const onOutput = (chunk: Uint8Array): void => {
		terminal.clear();
		(options.json === true ? process.stderr : process.stdout).write(chunk);
	};
	const request = { job, onOutput, ...given({ dir: options.slot === undefined ? undefined : path.resolve(options.slot) }) };
	const take = async (report: LocalRunReport): Promise<{ report: LocalRunReport; refused: string[] }> => {
		const { resultFile: file, outputBytes: size } = report;
		const limits = ctx.signal ? { signal: ctx.signal } : {};
		return { report, refused: file === undefined ? [] : await unpackResult({ file, size }, folder, limits) };
	};
	const { report, refused } = await reproduce(project, engine, request, take, ctx);
	terminal.clear();
	const { resultFile, ...figures } = report;
	if (options.json === true) {
		printJson({ job, ...figures, folder: resultFile === undefined ? undefined : folder, refused });
	} else {
		console.log(describeRun(report));
		console.log(resultFile === undefined ? 'It left no result.' : `What it left is in ${folder}`);
		refused.forEach((entry) => console.log(printable(`Not unpacked: ${entry}`)));
	}
	return report.exitCode === 0 ? EXIT.ok : EXIT.jobsFailed;
}

/** The capsule alone. */
async function keepHere({ project, terminal, ctx }: Session, job: string, options: ReproduceOptions): Promise<number> {
	const folder = path.resolve(options.output ?? `capsule-${job}`);
	await makeCapsule(project, job, folder, ctx);
	terminal.clear();
	if (options.json === true) {
		printJson({ job, folder });
	} else {
		console.log(`All that ${job} needs is in ${folder}; run.sh there runs it.`);
	}
	return EXIT.ok;
}

export const reproduceCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('reproduce')
		.description('run a job on this computer as a volunteer’s computer does: same image, inputs, arguments, limits')
		.argument('<job>', 'name of the job')
		.option('-o, --output <folder>', 'new folder for what the job leaves (default: reproduced-JOB)')
		.option('--slot <folder>', 'new folder for the files of the job, which then stay: recipe, parameters, inputs')
		.option('--no-run', 'only put the files of the job, its image, and a script that runs it into the folder of --output')
		.option('--engine <command>', 'docker or podman (default: the one that answers)')
		.action(async (job: string, _own: unknown, command: { optsWithGlobals(): ReproduceOptions }) => {
			const options = command.optsWithGlobals();
			const work = options.run === false ? keepHere : runHere;
			setExitCode(await withProject(options, (session) => work(session, job, options)));
		});
};
