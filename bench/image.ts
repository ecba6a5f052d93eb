import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { engineRun } from '../test/support/images.js';
import { type Contender, CONTENDERS, type Cost, IMAGE, measured } from './image/contenders.js';
import { type Field, openField } from './image/field.js';
import { fill, touchAll } from './image/files.js';
import { hostOverhead } from './image/hostOverhead.js';

const runProgram = promisify(execFile);
const MB = 1_000_000;

const STEPS = ['firstSend', 'noop', 'oneLineEdit', 'addPackage', 'rebuiltBase'] as const;
type Step = (typeof STEPS)[number];
type Costs = Partial<Record<Contender, Cost>>;

/**
 * Sending an image of about 1 GB (`npm run bench -- image MEGABYTES` for another size) to a server on loopback: ours against
 * whole layers as the original sent them, `docker save | gzip | ssh cat`, and `docker push` to a registry; each for a first send,
 * an edited line, an added package, a base that was built again with the same content (all times are new), and when nothing
 * changed. Bytes are those of the connection in both directions. And what a second job of the image costs a host before it
 * runs, beyond a plain `run` of the same image, with the commands that docker_wrapper gives the engine.
 *
 *   --only STEP     after the first send, this step alone; may be repeated
 *   --against NAME  ours against layers, save or push alone; may be repeated
 *   --times N       each step but the first send so often, each time with another change; the costs are those of the median
 *
 * With `--only` or `--against` nothing is measured on hosts: `image 300 --only oneLineEdit --against push --times 5` takes a minute.
 */
export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: {
			only: { type: 'string', multiple: true },
			against: { type: 'string', multiple: true },
			times: { type: 'string', default: '1' },
		},
	});
	const steps = new Set<Step>(values.only?.map((word) => oneOf(STEPS, word)) ?? STEPS);
	const contenders = values.against ? ['ours' as const, ...values.against.map((word) => oneOf(CONTENDERS, word))] : CONTENDERS;
	const isWhole = values.only === undefined && values.against === undefined;
	const size = Number(positionals[0] ?? 1000) * MB;
	const dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-bench-image-'));
	const undo: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
	try {
		const context = await Context.make(path.join(dir, 'context'), size);
		const field = await openField(dir, undo);
		const figures: Partial<Record<Step, Costs>> = {};
		for (const step of STEPS.filter((each) => each === 'firstSend' || steps.has(each))) {
			const runs: Costs[] = [];
			for (let time = 0; time < (step === 'firstSend' ? 1 : Number(values.times)); time++) {
				await context.change(step, time, field);
				runs.push(await compare(field, step, contenders));
			}
			figures[step] = middle(runs, contenders);
		}
		return {
			imageBytes: size,
			...figures,
			...ratios(figures),
			...(isWhole && { hostSecondJobOverheadSeconds: await hostOverhead(field), million: await million() }),
		};
	} finally {
		for (const step of undo.toReversed()) {
			await step();
		}
	}
}

function oneOf<T extends string>(words: readonly T[], word: string): T {
	const found = words.find((each) => each === word);
	if (found === undefined) {
		throw new Error(`“${word}” is none of ${words.join(', ')}`);
	}
	return found;
}

/** The image's sources. */
class Context {
	readonly #lines = ['FROM scratch', 'COPY base /', 'COPY deps /deps', 'COPY app /app', 'CMD ["/app/busybox", "true"]'];

	private constructor(
		readonly dir: string,
		readonly size: number,
	) {}

	static async make(dir: string, size: number): Promise<Context> {
		await fill(path.join(dir, 'base'), ['/usr/lib', '/usr/share', '/usr/bin'], size * 0.7);
		await fill(
			path.join(dir, 'deps'),
			['/usr/include', '/usr/local', '/var/lib', '/opt', path.resolve('node_modules')],
			size * 0.3,
		);
		await mkdir(path.join(dir, 'app'), { recursive: true });
		await cp('/bin/busybox', path.join(dir, 'app/busybox'));
		await writeFile(path.join(dir, 'app/main.py'), 'print("one")\n'.repeat(100));
		return new Context(dir, size);
	}

	/** Changes them as a step says, and builds the image. */
	async change(step: Step, time: number, field: Field): Promise<void> {
		switch (step) {
			case 'noop':
				return;
			case 'oneLineEdit':
				await writeFile(path.join(this.dir, 'app/main.py'), `print("two ${time}")\n${'print("one")\n'.repeat(99)}`);
				break;
			case 'addPackage':
				await fill(
					path.join(this.dir, `package${time}`),
					['/usr/lib/gcc', '/usr/lib/python3', '/usr/libexec'],
					this.size * 0.005 * (1 + time / 100),
				);
				this.#lines.push(`COPY package${time} /added${time}`);
				break;
			case 'rebuiltBase':
				await touchAll(path.join(this.dir, 'base'));
				break;
			case 'firstSend':
				break;
		}
		await writeFile(path.join(this.dir, 'Dockerfile'), `${this.#lines.join('\n')}\n`);
		// The builder's cache does not look at times.
		const options = step === 'rebuiltBase' ? ['--no-cache'] : [];
		await engineRun(field.docker, ['build', ...options, '--tag', IMAGE, this.dir]);
	}
}

async function compare(field: Field, step: Step, contenders: readonly Contender[]): Promise<Costs> {
	const costs: Costs = {};
	for (const name of contenders) {
		costs[name] = await measured(name, field);
	}
	// A run takes a quarter of an hour.
	console.error(`${step} ${JSON.stringify(costs)}`);
	return costs;
}

/** Of each contender the costs of the run with the median of its times. */
function middle(runs: readonly Costs[], contenders: readonly Contender[]): Costs {
	return Object.fromEntries(
		contenders.map((name) => {
			const costs = runs.flatMap((run) => run[name] ?? []).toSorted((a, b) => a.seconds - b.seconds);
			return [name, costs[costs.length >> 1]];
		}),
	);
}

/** Ours against the others, as the targets are worded. */
function ratios(steps: Partial<Record<Step, Costs>>): Record<string, number> {
	const cost = (step: Step, who: Contender): Cost => steps[step]?.[who] ?? { bytes: NaN, seconds: NaN, peakMemoryMb: NaN };
	const compressed = cost('firstSend', 'save').bytes;
	const all = {
		firstSendSecondsToSave: cost('firstSend', 'ours').seconds / cost('firstSend', 'save').seconds,
		firstSendBytesToSave: cost('firstSend', 'ours').bytes / compressed,
		oneLineEditBytesShare: cost('oneLineEdit', 'ours').bytes / compressed,
		oneLineEditSecondsToSave: cost('oneLineEdit', 'ours').seconds / cost('oneLineEdit', 'save').seconds,
		oneLineEditSecondsToPush: cost('oneLineEdit', 'ours').seconds / cost('oneLineEdit', 'push').seconds,
		addPackageBytesShare: cost('addPackage', 'ours').bytes / compressed,
		addPackageSecondsToPush: cost('addPackage', 'ours').seconds / cost('addPackage', 'push').seconds,
		rebuiltBaseBytesShare: cost('rebuiltBase', 'ours').bytes / compressed,
	};
	return Object.fromEntries(Object.entries(all).filter(([, value]) => !Number.isNaN(value)));
}

/** Memory for an image of a million files, in a process of its own. */
async function million(): Promise<unknown> {
	const { stdout } = await runProgram(process.execPath, ['scripts/bench.mjs', 'manyFiles', '--json'], { maxBuffer: 16 * MB });
	return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
