import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { type GlobalOptions, type Session, withProject } from '../../src/terminal/session.js';
import { CommandLine } from '../../test/support/commandLine.js';

/** A project to submit to, by the command line and by hand. */
export interface Site {
	/** A folder for files of the run. */
	readonly dir: string;
	readonly options: GlobalOptions;
	/** Runs our program; its answer, its seconds from start to end, and the most memory that it had. */
	submit(words: readonly string[]): Promise<OurRun>;
	/** Connects, works, and ends the connection. */
	byHand(work: (session: Session) => Promise<void>): Promise<void>;
	close(): Promise<void>;
}

export interface OurRun {
	readonly batch: number;
	readonly seconds: number;
	/** Megabytes; 0 where the system does not tell. */
	readonly peakMemoryMb: number;
}

/** A sandbox on this computer, reached by SSH on loopback. Its daemons are stopped: they would work on the jobs meanwhile. */
export async function sandboxSite(): Promise<Site> {
	const cli = await CommandLine.start();
	try {
		await cli.install();
		await cli.tool('stop');
	} catch (error) {
		await cli.remove();
		throw error;
	}
	const options = { server: cli.server, identity: cli.sandbox.identityFile, knownHosts: cli.sandbox.knownHostsFile };
	return { ...siteOf(cli.dir, path.join(cli.dir, 'program', 'cli.js'), options), close: () => cli.remove() };
}

/** Any project, at an address as for `--server`. */
export async function targetSite(options: GlobalOptions): Promise<Site> {
	const dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-bench-submit-'));
	return { ...siteOf(dir, path.resolve('dist/cli.js'), options), close: () => rm(dir, { recursive: true, force: true }) };
}

function siteOf(dir: string, program: string, options: GlobalOptions): Omit<Site, 'close'> {
	const { server, identity, knownHosts } = options;
	const words = Object.entries({ '--server': server, '--identity': identity, '--known-hosts': knownHosts, '--app': options.app });
	const global = words.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
	return {
		dir,
		options,
		submit: async (args) => {
			const started = performance.now();
			const child = spawn(process.execPath, [program, ...global, '--json', '--yes', 'submit', ...args], {
				stdio: ['ignore', 'pipe', 'inherit'],
			});
			let text = '';
			child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
			let peakMemoryMb = 0;
			const timer = setInterval(() => {
				void memoryOf(child.pid).then((most) => (peakMemoryMb = Math.max(peakMemoryMb, most)));
			}, 100);
			const [code] = (await once(child, 'close')) as [number];
			clearInterval(timer);
			const seconds = (performance.now() - started) / 1000;
			if (code !== 0) {
				throw new Error(`submit ended with ${code}: ${text}`);
			}
			const { batch } = JSON.parse(text) as { batch: { id: number } };
			return { batch: batch.id, seconds, peakMemoryMb };
		},
		byHand: async (work) => {
			await withProject(options, (session) => work(session).then(() => 0));
		},
	};
}

/** The most memory that a process has had, in megabytes. */
async function memoryOf(pid: number | undefined): Promise<number> {
	const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '');
	return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) / 1000;
}
