import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { BoincError, throwIfAborted } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { Engine, EngineAnswer } from '../../image/engine.js';
import { WORKDIR } from '../jobToml.js';
import { OUTPUT_NAME } from '../templates.js';
import { folderBytes } from './folderBytes.js';
import { liveRunner } from './liveRunner.js';
import type { LocalSlot } from './localSlot.js';

/** What a run on this computer took. */
export interface LocalRunReport {
	/** Of the job, as a volunteer's client would report it. */
	readonly exitCode: number;
	/** Of the program, as the runner measured them; the whole run's if it did not get so far. */
	readonly seconds: number;
	/** As the runner measured it; 0 if the program did not run. */
	readonly peakMemoryBytes: number;
	/** Most bytes in the slot folder: what BOINC compares with the disk limit. */
	readonly diskBytes: number;
	/** Bytes of the packed result; 0 if there is none. */
	readonly outputBytes: number;
	/** The packed result. */
	readonly resultFile: string | undefined;
	/** Plain sentences: what a volunteer's client would have done otherwise. */
	readonly notes: readonly string[];
}

/** Milliseconds between two looks at the folder's size. */
const LOOK_MS = 1000;
const STOP_MS = 15_000;
/** Looks after the end of the program until that is told. */
const LOOKS_ENDED = 3;

/**
 * Runs the job of a slot folder as docker_wrapper does: the same image, mount, limits of the engine, and runner, which itself
 * applies the job's limits and packs the result. `onOutput` gets the program's whole output at once; volunteers' hosts keep some of
 * it back. Cancelling ends the container. The container is removed in any case; the image stays for the next time.
 * Rejects with `engine-failed`, or as `Engine.build` does.
 */
export async function runSlot(
	slot: LocalSlot,
	engine: Engine,
	onOutput: (chunk: Uint8Array) => void,
	ctx: OperationContext,
): Promise<LocalRunReport> {
	await ensureImage(slot, engine, onOutput, ctx);
	await showEverything(path.join(slot.dir, 'runner'));
	const name = `boinc2docker_${slot.job}_${randomBytes(4).toString('hex')}`.toLowerCase();
	const { createArguments, imageName } = slot.plan;
	await must(
		engine,
		['create', '--name', name, '-v', `${slot.dir}:${WORKDIR}`, ...createArguments, imageName],
		'make the container',
		ctx,
	);
	let disk = await folderBytes(slot.dir);
	let looking = Promise.resolve();
	const look = (): void => {
		looking = looking.then(async () => {
			disk = Math.max(disk, await folderBytes(slot.dir));
		});
	};
	let ended = 0;
	const timer = setInterval(() => {
		look();
		// The result is the last that the runner makes. Podman may take many seconds from there.
		ended += existsSync(path.join(slot.dir, OUTPUT_NAME)) ? 1 : 0;
		if (ended === LOOKS_ENDED) {
			ctx.progress.report({ message: `Waiting for ${engine.command} to end the container` });
		}
	}, LOOK_MS);
	const started = ctx.clock.now();
	let terminal = '';
	try {
		ctx.progress.report({ message: 'Running the job' });
		const { code } = await engine.call(['start', '--attach', name], ctx, (chunk) => {
			terminal = (terminal + Buffer.from(chunk).toString('latin1')).slice(-4096);
			onOutput(chunk);
		});
		const { output } = await must(engine, ['inspect', '--format', '{{.State.ExitCode}}', name], 'look at the container', ctx);
		if (code !== 0 && Number(output) === 0 && !END.test(terminal)) {
			// Podman gives a container that never began the exit code 0.
			throw failed(engine, 'start the container', { code, output: terminal });
		}
		const wall = (ctx.clock.now() - started) / 1000;
		look();
		await looking;
		return await report(slot, Number(output.trim()), { wall, disk, terminal });
	} finally {
		clearInterval(timer);
		await looking;
		await remove(engine, name, ctx);
	}
}

/** Builds the image from the packs, unless the engine has it: its name tells its content. */
async function ensureImage(
	slot: LocalSlot,
	engine: Engine,
	onOutput: (chunk: Uint8Array) => void,
	ctx: OperationContext,
): Promise<void> {
	const { imageName } = slot.plan;
	if ((await engine.imageId(imageName, ctx)) !== undefined) {
		return;
	}
	await slot.fetchImage(ctx);
	ctx.progress.report({ message: 'Putting the image together' });
	await engine.build(
		{
			contextDir: slot.dir,
			dockerfile: 'Dockerfile',
			tag: imageName,
			onLog: (line) => onOutput(Buffer.from(`${line}\n`)),
		},
		ctx,
	);
	throwIfAborted(ctx.signal);
}

async function showEverything(runner: string): Promise<void> {
	const text = await readFile(runner, 'utf8');
	await rm(runner);
	await writeFile(runner, liveRunner(text), { mode: 0o755 });
}

async function must(engine: Engine, args: readonly string[], doing: string, ctx: OperationContext): Promise<{ output: string }> {
	const answer = await engine.call(args, ctx);
	if (answer.code !== 0) {
		throw failed(engine, doing, answer);
	}
	return answer;
}

function failed({ command }: Engine, doing: string, { code, output }: EngineAnswer): BoincError {
	const said = output.trim().split('\n').slice(-3).join('; ');
	return new BoincError('engine-failed', `${command} could not ${doing}: ${said === '' ? `it ended with ${code}` : said}`, {
		remedy: `Look whether “${command} ps” works in a terminal.`,
		detail: { code },
	});
}

/** Also after cancelling, so without the caller's signal. */
async function remove(engine: Engine, name: string, { log, progress, clock }: OperationContext): Promise<void> {
	const last: OperationContext = { log, progress, clock, signal: AbortSignal.timeout(STOP_MS) };
	try {
		const { code, output } = await engine.call(['rm', '--force', name], last);
		if (code !== 0) {
			log.warn(`The container ${name} could not be removed: ${output.trim()}`);
		}
	} catch {
		log.warn(`The container ${name} could not be removed within ${STOP_MS / 1000} s.`);
	}
}

interface Measured {
	/** Seconds. */
	readonly wall: number;
	readonly disk: number;
	/** The end of the output. */
	readonly terminal: string;
}

/** What the runner says at the end of the program; see `b2d_say_end` in `templates/runner.sh`. */
const END = /boinc2docker: The program ended with exit code \d+ after ([\d.]+) s\. It used up to (\d+) MB of memory\./;

async function report(slot: LocalSlot, exitCode: number, { wall, disk, terminal }: Measured): Promise<LocalRunReport> {
	const said = END.exec(terminal);
	const file = path.join(slot.dir, OUTPUT_NAME);
	const size = await stat(file).then(
		(found) => found.size,
		() => undefined,
	);
	const notes =
		disk > slot.diskBytes
			? [
					`The job used ${disk} bytes of disk, and may use ${slot.diskBytes}: a volunteer’s client would have ended it with code 196.`,
				]
			: [];
	return {
		exitCode,
		seconds: said ? Number(said[1]) : wall,
		peakMemoryBytes: said ? Number(said[2]) * 1_000_000 : 0,
		diskBytes: disk,
		outputBytes: size ?? 0,
		resultFile: size === undefined ? undefined : file,
		notes,
	};
}
