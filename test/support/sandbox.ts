import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { quietContext } from '../../src/common/ports.js';
import type { Connection } from '../../src/connection/connection.js';
import { localConnection } from '../../src/connection/localConnection.js';
import { prefixed } from '../../src/connection/prefixed.js';
import { createSandbox, type SandboxOptions } from '../../src/sandbox/createSandbox.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';

/** Builds the sandbox's programs from the sources into `dir`, as users get them: tests start them a thousand times. */
export async function buildSandboxProgram(dir: string): Promise<void> {
	const script = path.join('scripts', 'build.mjs');
	await promisify(execFile)(process.execPath, [script, '--outdir', dir, '--only', 'sandbox', '--only', 'standin']);
}

/** Variable with the folder of the sandbox's programs, where a run of tests has built them. */
export const PROGRAM_OF_RUN = 'SANDBOX_PROGRAM_OF_RUN';

/** The folder of the programs: that of the run, or `dir`, into which they are built. */
async function programIn(dir: string): Promise<string> {
	const given = process.env[PROGRAM_OF_RUN];
	if (given === undefined) {
		await buildSandboxProgram(dir);
	}
	return given ?? dir;
}

export interface TestSandbox extends Sandbox {
	/** Runs a program of `bin/` in the project's folder; never rejects because of its exit code. */
	tool(name: string, args?: readonly string[], input?: string): Promise<ToolResult>;
	/** A connection without SSH; commands find what they find on the sandbox's server. */
	connectLocally(): Connection;
	/** Stops everything and removes the folder. */
	remove(): Promise<void>;
}

export interface ToolResult {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** A sandbox in a temporary folder, twenty times as fast as BOINC. */
export async function startTestSandbox(options: Partial<SandboxOptions> = {}): Promise<TestSandbox> {
	const folder = await mkdtemp(path.join(tmpdir(), 'b2d-sandbox-'));
	try {
		const given = {
			dir: path.join(folder, 'sandbox'),
			program: await programIn(path.join(folder, 'build')),
			pace: 0.05,
			...options,
		};
		const sandbox = await createSandbox(given, quietContext());
		return {
			...sandbox,
			tool: (name, args = [], input = '') =>
				runTool(path.join(sandbox.projectRoot, 'bin', name), args, sandbox.projectRoot, input),
			connectLocally: () => prefixed(localConnection(), ['env', `PATH=${sandbox.serverPath}`]),
			remove: async () => {
				await sandbox.stop();
				await rm(folder, { recursive: true, force: true });
			},
		};
	} catch (error) {
		await rm(folder, { recursive: true, force: true });
		throw error;
	}
}

/** Runs a program; its exit code is part of the result. */
export async function runTool(file: string, args: readonly string[], cwd: string, input = ''): Promise<ToolResult> {
	const running = promisify(execFile)(file, [...args], { cwd, maxBuffer: 1 << 24 });
	// A program that reads nothing may be gone already.
	running.child.stdin?.on('error', () => undefined);
	running.child.stdin?.end(input);
	try {
		const { stdout, stderr } = await running;
		return { code: 0, stdout, stderr };
	} catch (error) {
		if (error instanceof Error && 'stdout' in error && 'stderr' in error && 'code' in error && typeof error.code === 'number') {
			return { code: error.code, stdout: String(error.stdout), stderr: String(error.stderr) };
		}
		throw error;
	}
}

/** Waits until `probe` answers something other than `undefined` or false. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined | false>, withinMs = 60_000): Promise<T> {
	const deadline = Date.now() + withinMs;
	for (;;) {
		const value = await probe();
		if (value !== undefined && value !== false) {
			return value;
		}
		if (Date.now() > deadline) {
			throw new Error(`Waited in vain: ${what}`);
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
