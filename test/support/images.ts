import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import type { SandboxEngine } from '../../src/sandbox/engine.js';

const runProgram = promisify(execFile);

export interface EngineOutput {
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs the engine's command line; rejects with its output when it fails. */
export async function engineRun(engine: Pick<SandboxEngine, 'command' | 'env'>, args: readonly string[]): Promise<EngineOutput> {
	return runProgram(engine.command, [...args], { env: { ...process.env, ...engine.env }, maxBuffer: 64 << 20 });
}

export interface TestImage {
	/** Name of the image; without a registry. */
	readonly tag: string;
	/** Contents by path in the build context. `busybox` is always there. */
	readonly files?: Readonly<Record<string, string | Uint8Array>>;
	/** Lines of the Dockerfile after those that install busybox with its usual links in `/bin`. */
	readonly lines?: readonly string[];
}

/** Dockerfile lines for an image from nothing but the static busybox, with its applets linked in `/bin`. */
export const BUSYBOX_LINES = [
	'FROM scratch',
	'COPY busybox /bin/busybox',
	'RUN ["/bin/busybox", "--install", "-s", "/bin"]',
	'ENV PATH=/usr/local/bin:/bin',
] as const;

/** Writes a build context with busybox and a Dockerfile into `dir`. */
export async function writeBuildContext(dir: string, image: Omit<TestImage, 'tag'> = {}): Promise<void> {
	await mkdir(dir, { recursive: true });
	await copyFile('/bin/busybox', join(dir, 'busybox'));
	for (const [path, content] of Object.entries(image.files ?? {})) {
		await mkdir(dirname(join(dir, path)), { recursive: true });
		await writeFile(join(dir, path), content);
	}
	await writeFile(join(dir, 'Dockerfile'), `${[...BUSYBOX_LINES, ...(image.lines ?? [])].join('\n')}\n`);
}

/** Builds an image with busybox in it; no network is used. */
export async function makeBusyboxImage(engine: Pick<SandboxEngine, 'command' | 'env'>, image: TestImage): Promise<void> {
	const dir = await mkdtemp(join(tmpdir(), 'b2d-context-'));
	try {
		await writeBuildContext(dir, image);
		await engineRun(engine, ['build', '--tag', image.tag, dir]);
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}
