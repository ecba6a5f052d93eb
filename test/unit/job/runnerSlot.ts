import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { commonLine, type CommonParameters, jobWords, parameterTable } from '../../../src/job/parameters.js';
import { runnerScript } from '../../../src/job/runner.js';

/** `B2D_BUSYBOX` names another build to try the runner with: distributions configure it differently. */
const BUSYBOX = process.env.B2D_BUSYBOX ?? '/bin/busybox';

export const JOB = 'b2d_7_000001';

export const INIT_DATA = `<app_init_data>
<major_version>8</major_version>
<userid>12</userid>
<authenticator>0123456789abcdefxxyz0123456789ab</authenticator>
<user_name>Zoë &lt;x&gt;</user_name>
<wu_name>${JOB}</wu_name>
<result_name>${JOB}_0</result_name>
<host_info>
    <domain_name>kitchen</domain_name>
    <ip_addr>192.0.2.7</ip_addr>
    <host_cpid>77aa</host_cpid>
</host_info>
</app_init_data>
`;

export const DEFAULTS: CommonParameters = {
	user: '',
	workingDir: '',
	env: ['PATH=/usr/bin:/bin'],
	memoryBytes: 500_000_000,
	limitSeconds: 600,
	maxOutputBytes: 10_000_000,
	before: [],
	after: [],
	progressFile: 'fraction_done',
	comparable: false,
	moves: new Map(),
};

export interface Outcome {
	readonly code: number | null;
	readonly terminal: string;
}

/** A slot folder as the client makes it, and the runner in busybox's shell on this machine, outside of a container. */
export class RunnerSlot {
	readonly dir: string;
	readonly slot: string;
	#running: ChildProcess | undefined;

	private constructor(dir: string) {
		this.dir = dir;
		this.slot = path.join(dir, 'slot');
	}

	static async create(): Promise<RunnerSlot> {
		const slot = new RunnerSlot(await mkdtemp(path.join(os.tmpdir(), 'b2d slot-')));
		await mkdir(path.join(slot.slot, 'shared'), { recursive: true });
		await copyFile(BUSYBOX, path.join(slot.slot, 'busybox'));
		await chmod(path.join(slot.slot, 'busybox'), 0o755);
		await writeFile(path.join(slot.slot, 'runner'), runnerScript);
		await writeFile(path.join(slot.slot, 'init_data.xml'), INIT_DATA);
		return slot;
	}

	/** Path of a file in `/root/shared`. */
	shared(...parts: string[]): string {
		return path.join(this.slot, 'shared', ...parts);
	}

	async write(common: Partial<CommonParameters>, argv: readonly string[], env: readonly string[] = []): Promise<void> {
		const table = parameterTable(commonLine({ ...DEFAULTS, workingDir: this.dir, ...common }), [
			`b2d_7_000000 ${jobWords({ argv: ['false'], env: [] })}`,
			`${JOB} ${jobWords({ argv, env })}`,
			`${JOB}0 ${jobWords({ argv: ['false'], env: [] })}`,
		]);
		await writeFile(path.join(this.slot, 'b2d_params'), table);
	}

	/** Changes a text file of the slot. */
	async edit(name: string, change: (text: string) => string): Promise<void> {
		const file = path.join(this.slot, name);
		await writeFile(file, change(await readFile(file, 'utf8')));
	}

	/** Starts the runner; the promise is its end. `onOutput` gets what it prints as it comes. */
	start(onOutput?: (text: string) => void): { readonly pid: number; readonly end: Promise<Outcome> } {
		const child = spawn(BUSYBOX, ['sh', path.join(this.slot, 'runner')], {
			env: { B2D_PRIVATE: path.join(this.dir, 'private') },
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		this.#running = child;
		let terminal = '';
		const collect = (chunk: Buffer): void => {
			terminal += chunk.toString('latin1');
			onOutput?.(chunk.toString('latin1'));
		};
		child.stdout.on('data', collect);
		child.stderr.on('data', collect);
		const end = new Promise<Outcome>((resolve, reject) => {
			child.on('error', reject);
			child.on('close', (code) => resolve({ code, terminal }));
		});
		return { pid: child.pid ?? 0, end };
	}

	/** Writes the parameters and runs the runner to its end. */
	async run(common: Partial<CommonParameters>, argv: readonly string[], env: readonly string[] = []): Promise<Outcome> {
		await this.write(common, argv, env);
		return this.start().end;
	}

	/** Unpacks `results.tgz` and returns its files with their contents. */
	async results(): Promise<Record<string, string>> {
		const folder = path.join(this.dir, 'unpacked');
		await rm(folder, { recursive: true, force: true });
		await mkdir(folder);
		await promisify(execFile)('tar', ['-xzf', this.shared('results.tgz'), '-C', folder]);
		const found: Record<string, string> = {};
		for (const name of (await readdir(folder, { recursive: true })).sort()) {
			const file = path.join(folder, name);
			found[name] = (await stat(file)).isFile() ? (await readFile(file)).toString('latin1') : '(folder)';
		}
		return found;
	}

	async remove(): Promise<void> {
		this.#running?.kill('SIGKILL');
		await rm(this.dir, { recursive: true, force: true });
	}
}
