import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import { quietContext } from '../src/common/ports.js';
import type { Connection } from '../src/connection/connection.js';
import { type Engine, findEngine } from '../src/image/engine.js';
import { flattenImage, imageKey } from '../src/image/flattenImage.js';
import { LayerCache } from '../src/image/layerCache.js';
import { dockerfileFor, imageName } from '../src/image/recipe.js';
import { jobToml } from '../src/job/jobToml.js';
import { ManifestCache } from '../src/job/manifestCache.js';
import { shipImage, type Shipment } from '../src/job/shipImage.js';
import { Project } from '../src/project/project.js';
import { type Sshd, startSshd } from '../src/sandbox/sshd.js';
import startScript from '../templates/host/start.sh';
import { startTestEngine, type TestEngine } from '../test/support/engines.js';
import { engineRun } from '../test/support/images.js';
import { connectLoopback } from '../test/support/loopback.js';
import { withPeakMemory } from '../test/support/peakMemory.js';
import { startRegistry } from '../test/support/registry.mjs';

const runProgram = promisify(execFile);
const MB = 1_000_000;

/** Passes connections on and counts the bytes of both directions; in a thread, so that it slows nobody's loop. */
const COUNTER = `
const { workerData, parentPort } = require('node:worker_threads');
const net = require('node:net');
let bytes = 0;
net.createServer({ noDelay: true }, (near) => {
	const far = net.connect({ port: workerData.port, host: '127.0.0.1', noDelay: true });
	for (const [from, to] of [[near, far], [far, near]]) {
		from.on('data', (data) => { bytes += data.length; if (!to.write(data)) { from.pause(); to.once('drain', () => from.resume()); } });
		from.on('close', () => to.destroy());
		from.on('error', () => {});
	}
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
parentPort.on('message', () => parentPort.postMessage(bytes));
`;

class Counter {
	private constructor(
		readonly worker: Worker,
		readonly port: number,
	) {}

	static async before(port: number): Promise<Counter> {
		const worker = new Worker(COUNTER, { eval: true, workerData: { port } });
		const [own] = (await once(worker, 'message')) as [number];
		return new Counter(worker, own);
	}

	async bytes(): Promise<number> {
		const answer = once(this.worker, 'message');
		this.worker.postMessage('bytes');
		return ((await answer) as [number])[0];
	}
}

interface Cost {
	readonly bytes: number;
	readonly seconds: number;
	/** Of the programs on this side, without daemons. */
	readonly peakMemoryMb: number;
}

async function costOf(
	counter: Counter,
	work: () => Promise<unknown>,
	who: Parameters<typeof withPeakMemory>[0] = 'programs',
): Promise<Cost> {
	const before = await counter.bytes();
	const start = performance.now();
	const { peak } = await withPeakMemory(who, work);
	const seconds = (performance.now() - start) / 1000;
	return { bytes: (await counter.bytes()) - before, seconds, peakMemoryMb: Math.round(peak / MB) };
}

/** Copies files of this machine, which compress like those of images do, until there are so many bytes. */
async function fill(target: string, sources: readonly string[], bytes: number): Promise<void> {
	let left = bytes;
	const copy = async (source: string, to: string): Promise<void> => {
		for (const entry of (await readdir(source, { withFileTypes: true }).catch(() => [])).toSorted((a, b) =>
			a.name < b.name ? -1 : 1,
		)) {
			const from = path.join(source, entry.name);
			if (left <= 0) {
				return;
			}
			if (entry.isDirectory()) {
				await copy(from, path.join(to, entry.name));
			} else if (entry.isFile()) {
				const { size } = await stat(from);
				if (size <= left) {
					await mkdir(to, { recursive: true });
					await cp(from, path.join(to, entry.name), { preserveTimestamps: true });
					left -= size;
				}
			}
		}
	};
	for (const source of sources) {
		await copy(source, path.join(target, source));
	}
}

/** Gives every file and folder the present time, as a build from nothing does. */
async function touchAll(folder: string): Promise<void> {
	const now = new Date();
	for (const entry of await readdir(folder, { withFileTypes: true })) {
		const full = path.join(folder, entry.name);
		if (entry.isDirectory()) {
			await touchAll(full);
		}
		await utimes(full, now, now);
	}
}

/** Everything that the opponents use. */
interface Field {
	readonly dir: string;
	readonly docker: TestEngine;
	readonly engine: Engine;
	readonly project: Project;
	readonly sshd: Sshd;
	readonly ssh: Counter;
	readonly registry: Counter;
	readonly sshOptions: readonly string[];
	/** Layers that the original's server has. */
	readonly sentLayers: Set<string>;
	shipment: Shipment | undefined;
}

const IMAGE = 'b2d-bench';

async function shell(field: Field, script: string, ...args: string[]): Promise<void> {
	const child = spawn('bash', ['-c', `set -euo pipefail\n${script}`, 'bash', ...args], {
		env: { ...process.env, ...field.docker.env },
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	const [code] = (await once(child, 'close')) as [number];
	if (code !== 0) {
		throw new Error(`${script} ended with ${code}`);
	}
}

const sshWords = ({ sshOptions, sshd, ssh }: Field): string[] => [
	'ssh',
	...sshOptions,
	'-l',
	sshd.user,
	'-p',
	String(ssh.port),
	'127.0.0.1',
];

const contenders: Readonly<Record<string, (field: Field) => Promise<Cost>>> = {
	ours: (field) => {
		const ctx = quietContext();
		return costOf(
			field.ssh,
			async () => {
				const described = await field.engine.describe(IMAGE, ctx);
				const archive = { save: () => field.engine.save(IMAGE, ctx), stored: () => field.engine.stored(IMAGE, ctx) };
				field.shipment = await shipImage(
					field.project,
					{
						key: described && imageKey(described.config, described.diffIds),
						open: () =>
							flattenImage(archive, ctx, {
								tempDir: field.dir,
								layers: new LayerCache(path.join(field.dir, 'cache', 'layers')),
							}),
					},
					new ManifestCache(path.join(field.dir, 'cache', 'packs')),
					ctx,
				);
			},
			'this process and programs',
		);
	},
	// As the original did it: each layer that the server lacks, whole.
	layers: (field) =>
		costOf(field.ssh, async () => {
			const folder = path.join(field.dir, 'layers');
			await mkdir(folder);
			await shell(field, 'docker save "$1" | tar -xf - -C "$2"', IMAGE, folder);
			const [manifest] = JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')) as [{ Layers: string[] }];
			for (const layer of manifest.Layers) {
				const file = path.join(folder, layer);
				const hash = (await runProgram('sha256sum', [file])).stdout.slice(0, 64);
				if (!field.sentLayers.has(hash)) {
					field.sentLayers.add(hash);
					await shell(
						field,
						'file=$1 target=$2; shift 2; gzip <"$file" | "$@" "cat >$target"',
						file,
						path.join(field.dir, hash),
						...sshWords(field),
					);
					await rm(path.join(field.dir, hash));
				}
			}
			await rm(folder, { recursive: true });
		}),
	save: (field) =>
		costOf(field.ssh, async () => {
			const target = path.join(field.dir, 'saved');
			await shell(
				field,
				'image=$1 target=$2; shift 2; docker save "$image" | gzip | "$@" "cat >$target"',
				IMAGE,
				target,
				...sshWords(field),
			);
			await rm(target);
		}),
	push: (field) =>
		costOf(field.registry, async () => {
			const name = `127.0.0.1:${field.registry.port}/bench`;
			await engineRun(field.docker, ['tag', IMAGE, name]);
			await engineRun(field.docker, ['push', name]);
		}),
};

async function compare(field: Field, step: string): Promise<Record<string, Cost>> {
	const costs: Record<string, Cost> = {};
	for (const [name, work] of Object.entries(contenders)) {
		costs[name] = await work(field);
	}
	// A run takes a quarter of an hour.
	console.error(`${step} ${JSON.stringify(costs)}`);
	return costs;
}

/**
 * Sending an image of about 1 GB (`npm run bench -- image MEGABYTES` for another size) to a server on loopback: ours against
 * whole layers as the original sent them, `docker save | gzip | ssh cat`, and `docker push` to a registry; each for a first send,
 * an edited line, an added package, a base that was built again with the same content (all times are new), and when nothing
 * changed. Bytes are those of the connection in both directions. And what a second job of the image costs a host before it
 * runs, beyond a plain `run` of the same image, with the commands that docker_wrapper gives the engine.
 */
export async function run(args: readonly string[]): Promise<Record<string, unknown>> {
	const size = Number(args[0] ?? 1000) * MB;
	const dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-bench-image-'));
	const undo: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
	try {
		const context = path.join(dir, 'context');
		await fill(path.join(context, 'base'), ['/usr/lib', '/usr/share', '/usr/bin'], size * 0.7);
		await fill(
			path.join(context, 'deps'),
			['/usr/include', '/usr/local', '/var/lib', '/opt', path.resolve('node_modules')],
			size * 0.3,
		);
		await mkdir(path.join(context, 'app'), { recursive: true });
		await cp('/bin/busybox', path.join(context, 'app/busybox'));
		await writeFile(path.join(context, 'app/main.py'), 'print("one")\n'.repeat(100));
		const lines = ['FROM scratch', 'COPY base /', 'COPY deps /deps', 'COPY app /app', 'CMD ["/app/busybox", "true"]'];
		const build = async (more: readonly string[] = [], options: readonly string[] = []): Promise<void> => {
			await writeFile(path.join(context, 'Dockerfile'), `${[...lines, ...more].join('\n')}\n`);
			await engineRun(field.docker, ['build', ...options, '--tag', IMAGE, context]);
		};
		const docker = await startTestEngine('docker');
		undo.push(() => docker.remove());
		const sshd = await startSshd({ dir: path.join(dir, 'sshd'), config: [`SetEnv HOME=${dir}`] });
		undo.push(() => sshd.stop());
		const ssh = await Counter.before(sshd.port);
		undo.push(() => ssh.worker.terminate());
		const registry = await countedRegistry(dir, undo);
		const connection = await connectLoopback(sshd, ssh.port, path.join(dir, 'trust'));
		undo.push(() => connection.close());
		const control = path.join(dir, 'control');
		const sshOptions = [
			...['-F', 'none', '-i', sshd.userKeyFile, '-o', `ControlPath=${control}`, '-o', 'BatchMode=yes'],
			...['-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${path.join(dir, 'known')}`],
		];
		await runProgram('ssh', [
			...sshOptions,
			'-o',
			'ControlMaster=yes',
			'-o',
			'ControlPersist=yes',
			'-fN',
			'-l',
			sshd.user,
			'-p',
			String(ssh.port),
			'127.0.0.1',
		]);
		undo.push(() => runProgram('ssh', [...sshOptions, '-O', 'exit', '127.0.0.1']).catch(() => undefined));
		const field: Field = {
			dir,
			docker,
			engine: await findEngine(quietContext(), { command: docker.command, env: docker.env }),
			project: await emptyProject(connection, dir),
			sshd,
			ssh,
			registry,
			sshOptions,
			sentLayers: new Set(),
			shipment: undefined,
		};
		await build();
		const firstSend = await compare(field, 'firstSend');
		const noop = await compare(field, 'noop');
		await writeFile(path.join(context, 'app/main.py'), `print("two")\n${'print("one")\n'.repeat(99)}`);
		await build();
		const oneLineEdit = await compare(field, 'oneLineEdit');
		await fill(path.join(context, 'package'), ['/usr/lib/gcc', '/usr/lib/python3', '/usr/libexec'], size * 0.005);
		await build(['COPY package /added']);
		const addPackage = await compare(field, 'addPackage');
		await touchAll(path.join(context, 'base'));
		// The builder's cache does not look at times.
		await build(['COPY package /added'], ['--no-cache']);
		const rebuiltBase = await compare(field, 'rebuiltBase');
		return {
			imageBytes: size,
			firstSend,
			oneLineEdit,
			addPackage,
			rebuiltBase,
			noop,
			...ratios({ firstSend, oneLineEdit, addPackage, rebuiltBase, noop }),
			hostSecondJobOverheadSeconds: await hostOverhead(field),
			million: await million(),
		};
	} finally {
		for (const step of undo.toReversed()) {
			await step();
		}
	}
}

/** Ours against the others, as the targets are worded. */
function ratios(steps: Readonly<Record<string, Record<string, Cost>>>): Record<string, number> {
	const cost = (step: string, who: string): Cost => steps[step]?.[who] ?? { bytes: NaN, seconds: NaN, peakMemoryMb: NaN };
	const compressed = cost('firstSend', 'save').bytes;
	return {
		firstSendSecondsToSave: cost('firstSend', 'ours').seconds / cost('firstSend', 'save').seconds,
		firstSendBytesToSave: cost('firstSend', 'ours').bytes / compressed,
		oneLineEditBytesShare: cost('oneLineEdit', 'ours').bytes / compressed,
		oneLineEditSecondsToSave: cost('oneLineEdit', 'ours').seconds / cost('oneLineEdit', 'save').seconds,
		addPackageBytesShare: cost('addPackage', 'ours').bytes / compressed,
		rebuiltBaseBytesShare: cost('rebuiltBase', 'ours').bytes / compressed,
	};
}

async function countedRegistry(dir: string, undo: (() => Promise<unknown>)[]): Promise<Counter> {
	const registry = await startRegistry(path.join(dir, 'registry'));
	undo.push(() => registry.stop());
	const counter = await Counter.before(registry.port);
	undo.push(() => counter.worker.terminate());
	return counter;
}

/** As much of a project as packs need: a download directory. */
async function emptyProject(connection: Connection, dir: string): Promise<Project> {
	const root = path.join(dir, 'project');
	await mkdir(path.join(root, 'download'), { recursive: true });
	return new Project(connection, root, {
		longName: 'bench',
		masterUrl: 'http://127.0.0.1/bench/',
		host: '',
		database: { host: '', name: '', user: '', password: '' },
		downloadDir: path.join(root, 'download'),
		downloadUrl: 'http://127.0.0.1/bench/download',
		uploadDir: path.join(root, 'upload'),
		uploadUrl: '',
		keyDir: '',
		appDir: '',
		logDir: '',
		uldlDirFanout: 1024,
		sendResultAbort: true,
		daemons: [],
	});
}

/** Memory for an image of a million files, in a process of its own. */
async function million(): Promise<unknown> {
	const { stdout } = await runProgram(process.execPath, ['scripts/bench.mjs', 'manyFiles', '--json'], { maxBuffer: 16 * MB });
	return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** Seconds from the start to the end of a job that does nothing, beyond those of a plain run; median of five. */
async function hostOverhead(field: Field): Promise<Record<string, number>> {
	const { shipment, project } = field;
	if (!shipment) {
		throw new Error('no image was sent');
	}
	const slot = path.join(field.dir, 'slot');
	await mkdir(slot);
	for (const { name } of shipment.packs) {
		await cp(project.downloadPath(name), path.join(slot, name));
	}
	const runner = { entrypoint: ['/app/busybox', 'true'] };
	const packs = shipment.packs.map(({ name }) => name);
	await writeFile(path.join(slot, 'Dockerfile'), dockerfileFor({ id: shipment.id, config: shipment.config, packs }, runner));
	const image = imageName(shipment.id);
	await writeFile(path.join(slot, 'job.toml'), jobToml(image, { network: 'none' }));
	// The main program on hosts, which becomes docker_wrapper.
	const start = path.join(field.dir, 'start.sh');
	await writeFile(start, startScript.replaceAll('@WRAPPER@', 'wrapper'), { mode: 0o755 });
	await writeFile(path.join(field.dir, 'wrapper'), '#!/bin/sh\n', { mode: 0o755 });
	const overheads: Record<string, number> = {};
	for (const kind of ['podman', 'docker'] as const) {
		const host = kind === 'docker' ? field.docker : await startTestEngine('podman');
		try {
			const type = kind === 'docker' ? 1 : 2;
			await writeFile(path.join(slot, 'init_data.xml'), `<docker_type>${type}</docker_type>\n`);
			const seconds = async (work: () => Promise<unknown>): Promise<number> => {
				const begin = performance.now();
				await work();
				return (performance.now() - begin) / 1000;
			};
			const engine = (...words: string[]): Promise<number> => seconds(() => engineRun(host, words));
			overheads[`${kind}FirstBuild`] = await engine('build', slot, '-t', image, '-f', path.join(slot, 'Dockerfile'));
			const jobs: number[] = [];
			const plain: number[] = [];
			for (let n = 0; n < 5; n++) {
				plain.push(await engine('run', '--rm', '--network', 'none', image));
				let sum = await seconds(() => runProgram(start, [], { cwd: slot, env: { ...process.env, ...host.env } }));
				sum += await engine('images');
				sum += await engine('create', '--name', 'job', '-v', `${slot}/:/boinc`, '--network', 'none', image);
				sum += await engine('start', 'job');
				sum += await engine('wait', 'job');
				sum += await engine('logs', 'job');
				jobs.push(sum + (await engine('container', 'rm', 'job')));
			}
			const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[2] ?? NaN;
			overheads[kind] = median(jobs) - median(plain);
		} finally {
			if (kind === 'podman') {
				await host.remove();
			}
		}
	}
	return overheads;
}
