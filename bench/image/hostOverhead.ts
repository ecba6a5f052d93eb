import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { dockerfileFor, imageName } from '../../src/image/recipe.js';
import { jobToml } from '../../src/job/jobToml.js';
import startScript from '../../templates/host/start.sh';
import { startTestEngine } from '../../test/support/engines.js';
import { engineRun } from '../../test/support/images.js';
import type { Field } from './field.js';

const runProgram = promisify(execFile);

/** Seconds from the start to the end of a job that does nothing, beyond those of a plain run; median of five. */
export async function hostOverhead(field: Field): Promise<Record<string, number>> {
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
