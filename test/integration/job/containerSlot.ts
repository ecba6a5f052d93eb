import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { quietContext } from '../../../src/common/ports.js';
import { packArchive } from '../../../src/image/packImage.js';
import { dockerfileFor, imageName } from '../../../src/image/recipe.js';
import type { PackedImage } from '../../../src/image/types.js';
import { createArguments } from '../../../src/job/jobToml.js';
import type { CommonParameters } from '../../../src/job/parameters.js';
import type { NetworkPolicy } from '../../../src/job/types.js';
import type { EngineKind } from '../../../src/sandbox/engine.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { engineRun, makeBusyboxImage } from '../../support/images.js';
import type { RunnerSlot } from '../../unit/job/runnerSlot.js';
import { type Outcome } from '../../unit/job/runnerSlot.js';

/** Users for the tests: alice is in two further groups, dave has no entry in the list of groups. */
const PASSWD = `root:x:0:0:root:/root:/bin/sh
alice:x:1000:1001:Alice:/home/alice:/bin/sh
dave:x:1234:1235::/:/bin/false
`;
const GROUP = `root:x:0:
alice:x:1001:
music:x:2000:bob,alice
video:x:2001:alice
audio:x:2002:malice,alicea
`;

/** An engine, an image in packs, and the same image put together again by the recipe, as on a volunteer's host. */
export class ContainerHost {
	readonly #engine: TestEngine;
	readonly #packed: PackedImage;
	readonly #dir: string;
	#count = 0;

	private constructor(engine: TestEngine, packed: PackedImage, dir: string) {
		this.#engine = engine;
		this.#packed = packed;
		this.#dir = dir;
	}

	static async start(kind: EngineKind): Promise<ContainerHost> {
		const engine = await startTestEngine(kind);
		const dir = await mkdtemp(join(tmpdir(), 'b2d-host-'));
		await makeBusyboxImage(engine, {
			tag: 'b2d-runner-test',
			files: { passwd: PASSWD, group: GROUP },
			lines: [
				'COPY passwd group /etc/',
				'RUN mkdir -p -m 700 /root && mkdir -p /home/alice /tmp && chmod 1777 /tmp',
				'WORKDIR /work',
			],
		});
		await engineRun(engine, ['save', '-o', join(dir, 'image.tar'), 'b2d-runner-test']);
		const packed = await packArchive({ file: join(dir, 'image.tar') }, quietContext(), { tempDir: dir });
		const host = new ContainerHost(engine, packed, dir);
		await host.#rebuild();
		return host;
	}

	async #rebuild(): Promise<void> {
		const context = await mkdtemp(join(this.#dir, 'context-'));
		for (const { name, content } of this.#packed.packs) {
			const bytes: Uint8Array[] = [];
			for await (const chunk of content.open(0)) {
				bytes.push(chunk);
			}
			await writeFile(join(context, name), Buffer.concat(bytes));
		}
		const { id, config, packs } = this.#packed;
		await writeFile(join(context, 'Dockerfile'), dockerfileFor({ id, config, packs: packs.map(({ name }) => name) }));
		await engineRun(this.#engine, ['build', context, '-t', imageName(id), '-f', join(context, 'Dockerfile')]);
	}

	/** Runs a job to its end the way docker_wrapper does. `meanwhile` runs when the container was started. */
	async run(
		slot: RunnerSlot,
		common: Partial<CommonParameters>,
		argv: readonly string[],
		options: {
			network?: NetworkPolicy;
			/** Further arguments for the engine's `create`. */
			more?: readonly string[];
			meanwhile?: (container: string) => Promise<void>;
		} = {},
	): Promise<Outcome> {
		const { env, workingDir } = this.#packed.config;
		await slot.write({ env, workingDir, ...common }, argv);
		const name = `boinc__test__${String(this.#count++)}`;
		await engineRun(this.#engine, [
			...['create', '--name', name, '-v', `${slot.slot}/:/boinc`],
			...createArguments(options.network ?? 'none').split(' '),
			...(options.more ?? []),
			imageName(this.#packed.id),
		]);
		try {
			await engineRun(this.#engine, ['start', name]);
			await options.meanwhile?.(name);
			const { stdout } = await engineRun(this.#engine, ['wait', name]);
			const logs = await engineRun(this.#engine, ['logs', name]);
			return { code: Number(stdout.trim()), terminal: logs.stdout + logs.stderr };
		} finally {
			await engineRun(this.#engine, ['rm', '--force', name]);
		}
	}

	/** Runs a command of the engine. */
	async engine(...args: string[]): Promise<string> {
		return (await engineRun(this.#engine, args)).stdout;
	}

	async remove(): Promise<void> {
		await this.#packed.dispose();
		await rm(this.#dir, { recursive: true, force: true });
		await this.#engine.remove();
	}
}
