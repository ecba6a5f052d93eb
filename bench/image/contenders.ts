import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { quietContext } from '../../src/common/ports.js';
import { LayerCache } from '../../src/image/layerCache.js';
import { imageOfEngine } from '../../src/job/imageOfEngine.js';
import { ManifestCache } from '../../src/job/manifestCache.js';
import { shipImage } from '../../src/job/shipImage.js';
import { engineRun } from '../../test/support/images.js';
import { withPeakMemory } from '../../test/support/peakMemory.js';
import type { Counter } from './counter.js';
import type { Field } from './field.js';

const runProgram = promisify(execFile);
const MB = 1_000_000;

export interface Cost {
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
	const { peak, seconds } = await withPeakMemory(who, work);
	return { bytes: (await counter.bytes()) - before, seconds, peakMemoryMb: Math.round(peak / MB) };
}

export const IMAGE = 'b2d-bench';

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

export const CONTENDERS = ['ours', 'layers', 'save', 'push'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** What it costs a contender to send the image as it is now. */
export function measured(name: Contender, field: Field): Promise<Cost> {
	switch (name) {
		case 'ours':
			return costOf(field.ssh, () => sendOurs(field), 'this process and programs');
		case 'layers':
			return costOf(field.ssh, () => sendLayers(field));
		case 'save':
			return costOf(field.ssh, () => sendSaved(field));
		case 'push':
			return costOf(field.registry, () => push(field));
	}
}

async function sendOurs(field: Field): Promise<void> {
	const ctx = quietContext();
	const layers = new LayerCache(path.join(field.dir, 'cache', 'layers'));
	const image = imageOfEngine(field.engine, IMAGE, { tempDir: field.dir, layers }, ctx);
	field.shipment = await shipImage(field.project, image, new ManifestCache(path.join(field.dir, 'cache', 'packs')), ctx);
}

/** As the original did it: each layer that the server lacks, whole. */
async function sendLayers(field: Field): Promise<void> {
	const folder = path.join(field.dir, 'layers');
	await mkdir(folder);
	await shell(field, 'docker save "$1" | tar -xf - -C "$2"', IMAGE, folder);
	const [manifest] = JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')) as [{ Layers: string[] }];
	for (const layer of manifest.Layers) {
		const file = path.join(folder, layer);
		const hash = (await runProgram('sha256sum', [file])).stdout.slice(0, 64);
		if (!field.sentLayers.has(hash)) {
			field.sentLayers.add(hash);
			const target = path.join(field.dir, hash);
			await shell(field, 'file=$1 target=$2; shift 2; gzip <"$file" | "$@" "cat >$target"', file, target, ...sshWords(field));
			await rm(target);
		}
	}
	await rm(folder, { recursive: true });
}

async function sendSaved(field: Field): Promise<void> {
	const target = path.join(field.dir, 'saved');
	const script = 'image=$1 target=$2; shift 2; docker save "$image" | gzip | "$@" "cat >$target"';
	await shell(field, script, IMAGE, target, ...sshWords(field));
	await rm(target);
}

export async function push({ registry, docker }: Field): Promise<void> {
	const name = `127.0.0.1:${registry.port}/bench`;
	await engineRun(docker, ['tag', IMAGE, name]);
	await engineRun(docker, ['push', name]);
}
