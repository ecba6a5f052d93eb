import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

import { contentOfFile } from '../../common/content.js';
import { BoincError, messageOf } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { makeDirectory, readFile } from '../../connection/files.js';
import { run } from '../../connection/run.js';
import { handedOver } from '../../job/handOver.js';
import { shortHash } from '../../job/names.js';
import type { SubmitSteps } from '../../job/submit.js';
import type { StepOptions } from '../../monitor/submitSteps.js';
import { batchState, claimantIdle, releaseBatch } from '../../project/batches.js';
import type { Project } from '../../project/project.js';
import { programFolder, refillFiles, removeLeftRefills } from '../../project/refills.js';

/** Oldest Node.js that runs this program. */
const NODE_LEAST = 20;
const START_MS = 60_000;
const POLL_MS = 200;

/** Starts a program that outlives the connection. Says its process number. */
const START = 'log=$1; shift; nohup "$@" >>"$log" 2>&1 </dev/null & echo $!';

/**
 * Refuses at once what would fail after everything was sent: a server without Node.js. Rejects with `tool-missing`.
 */
export async function requireNode(project: Project, signal?: AbortSignal): Promise<void> {
	const { stdout, code } = await project.connection.exec(['node', '--version'], signal ? { signal } : {});
	const found = stdout.toString('utf8').trim();
	const major = Number(/^v(\d+)\./.exec(found)?.[1] ?? 0);
	if (code !== 0 || major < NODE_LEAST) {
		const what = code === 0 && major > 0 ? `has Node.js ${found.slice(1)}` : 'has no program node';
		throw new BoincError(
			'tool-missing',
			`${project.connection.name} ${what}, and this program needs Node.js ${NODE_LEAST} there.`,
			{
				remedy: `Install Node.js ${NODE_LEAST} or later on the server, or leave --on-server out: this computer then fills the batch up.`,
			},
		);
	}
}

/** Hands the making of jobs over to this program on the server; resolves when it has begun there. */
export function stepsOnServer({ canary = false, unsent }: StepOptions): SubmitSteps {
	return async ({ project, id, spec }, _make, ctx) => {
		const limits = ctx.signal ? { signal: ctx.signal } : {};
		const files = refillFiles(project, id);
		ctx.progress.report({ message: 'Putting this program on the server' });
		const program = await placeProgram(project, ctx.signal);
		const dir = await mkdtemp(path.join(tmpdir(), 'b2d-hand-over-'));
		try {
			const file = path.join(dir, 'spec');
			await pipeline(handedOver(spec), createWriteStream(file), limits);
			await makeDirectory(project.connection, path.posix.dirname(files.spec), limits);
			await project.connection.upload(await contentOfFile(file), files.spec, { mode: 0o600, progress: ctx.progress, ...limits });
		} finally {
			await rm(dir, { recursive: true, force: true });
		}
		// The program there claims it.
		await releaseBatch(project, id);
		const argv = [
			...['node', program.main, '--server', `local:${project.root}`, 'refill', String(id)],
			...(unsent === undefined ? [] : ['--unsent', String(unsent)]),
			...(canary ? ['--canary'] : []),
		];
		const { stdout } = await run(project.connection, ['sh', '-c', START, 'sh', files.log, ...argv], {
			cwd: project.root,
			doing: 'start this program on the server',
			...limits,
		});
		const processId = stdout.toString('utf8').trim();
		await hasBegun(project, id, processId, ctx.clock, ctx.signal);
		await tidy(project, program.version, ctx);
		ctx.log.info(`process ${processId} on ${project.connection.name} goes on with batch ${id}`);
		return 'handed over';
	};
}

/** Best effort: the batch is in good hands. */
async function tidy(project: Project, version: string, { log, signal }: OperationContext): Promise<void> {
	try {
		for (const path of await removeLeftRefills(project, version, signal)) {
			log.info(`removed ${path}: an earlier submission had left it`);
		}
	} catch (error) {
		log.warn(`What earlier submissions have left on ${project.connection.name} is not removed: ${messageOf(error)}`);
	}
}

/** The program as a whole, in a folder named by its content, the version. */
async function placeProgram(
	project: Project,
	signal: AbortSignal | undefined,
): Promise<{ readonly version: string; readonly main: string }> {
	const limits = signal ? { signal } : {};
	const here = path.dirname(await realpath(process.argv[1] ?? ''));
	const names = [
		'cli.js',
		...(await readdir(path.join(here, 'lib'))).filter((name) => name.endsWith('.js')).map((name) => `lib/${name}`),
	];
	const contents = await Promise.all(names.map(async (name) => [name, await contentOfFile(path.join(here, name))] as const));
	const version = shortHash(contents.map(([name, { sha256 }]) => `${name} ${sha256}`).join('\n'));
	const folder = programFolder(project, version);
	const { connection } = project;
	await makeDirectory(connection, `${folder}/lib`, limits);
	// The main file comes last: where it is, all is there. The time keeps others from removing it before it runs.
	await connection.exec(['touch', folder], limits);
	const present = await connection.exec(['test', '-f', `${folder}/cli.js`], limits);
	for (const [name, content] of present.code === 0 ? [] : contents.toReversed()) {
		await connection.upload(content, `${folder}/${name}`, limits);
	}
	return { version, main: `${folder}/cli.js` };
}

/** Resolves when the program on the server works on the batch, or has completed it. Rejects with what it said when it has ended. */
async function hasBegun(
	project: Project,
	id: number,
	processId: string,
	clock: { sleep(ms: number, signal?: AbortSignal): Promise<void> },
	signal: AbortSignal | undefined,
): Promise<void> {
	for (let waited = 0; waited < START_MS; waited += POLL_MS) {
		const isAlive = (await project.connection.exec(['kill', '-0', processId])).code === 0;
		if ((await batchState(project, id)) === 'in-progress' || (await claimantIdle(project, id)) !== undefined) {
			return;
		}
		if (!isAlive) {
			break;
		}
		await clock.sleep(POLL_MS, signal);
	}
	const { log } = refillFiles(project, id);
	const said = (await readFile(project.connection, log)).toString('utf8').trim().split('\n').slice(-3).join('; ');
	throw new BoincError('submit-failed', `The program on ${project.connection.name} did not go on with batch ${id}: ${said}`, {
		remedy: `Look at ${log} on the server, or leave --on-server out.`,
		detail: { batch: id },
	});
}
