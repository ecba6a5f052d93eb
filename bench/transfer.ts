import { execFile, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import { contentOfFile } from '../src/common/content.js';
import type { Connection } from '../src/connection/connection.js';
import { type Sshd, startSshd } from '../src/sandbox/sshd.js';
import { connectLoopback } from '../test/support/loopback.js';
import { leaveOutNativeModules } from './support/nativeModules.js';

const MB = 1_000_000;
const LOOPBACK_MB = 256;
const DELAYED_MB = 16;
/** Each way: a round trip takes twice as long. */
const DELAY_MS = 25;
const REPEATS = 5;

const runProgram = promisify(execFile);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/** A line on which every byte takes `DELAY_MS`, without a limit of bandwidth. In a thread, so that it slows nobody's loop. */
const LINE = `
const { workerData, parentPort } = require('node:worker_threads');
const net = require('node:net');
const delayed = (from, to) => {
	from.on('data', (data) => setTimeout(() => to.write(data), workerData.delayMs));
	from.on('close', () => setTimeout(() => to.destroy(), workerData.delayMs));
	from.on('error', () => {});
};
net.createServer({ noDelay: true }, (near) => {
	const far = net.connect({ port: workerData.port, host: '127.0.0.1', noDelay: true });
	delayed(near, far);
	delayed(far, near);
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
`;

/**
 * Runs commands, one JSON array of words a line, and answers each with its code. OpenSSH's programs are started by this
 * process, for a process that has forked gets a copy of each page of its memory at the next write: here that cost us
 * 8,000 page faults, a third of a second, after each turn of an opponent.
 */
const LAUNCHER = `
const { spawn } = require('node:child_process');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
	const [program, ...args] = JSON.parse(line);
	const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
	child.once('error', () => console.log(-1));
	child.once('exit', (code) => console.log(code));
});
`;

class Launcher {
	readonly #child = spawn(process.execPath, ['-e', LAUNCHER], { stdio: ['pipe', 'pipe', 'inherit'] });

	async run(program: string, ...args: readonly string[]): Promise<void> {
		this.#child.stdin.write(`${JSON.stringify([program, ...args])}\n`);
		const [answer] = (await once(this.#child.stdout, 'data')) as [Buffer];
		if (Number(answer.toString()) !== 0) {
			throw new Error(`${program} ended with ${answer.toString().trim()}`);
		}
	}

	close(): void {
		this.#child.stdin.end();
	}
}

/** The opponents on one line, each with a connection that is open already. */
interface Line {
	readonly ours: Connection;
	/** Runs OpenSSH's client over its open connection. */
	theirs(command: string, stdin: string | undefined, stdout: string | undefined): Promise<void>;
	scp(from: string, to: string): Promise<void>;
	/** `openssl dgst -sha256` of a file on the server and of a local one, side by side. */
	checksums(remote: string, local: string): Promise<void>;
	readonly remote: string;
	close(): Promise<void>;
}

async function openLine(launcher: Launcher, sshd: Sshd, port: number, dir: string): Promise<Line> {
	const name = `127.0.0.1-${port}`;
	const control = path.join(dir, name);
	const options = [
		...['-F', 'none', '-i', sshd.userKeyFile, '-o', `ControlPath=${control}`, '-o', 'BatchMode=yes'],
		...['-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${path.join(dir, `${name}.known`)}`],
	];
	const destination = ['-l', sshd.user, '-p', String(port), '127.0.0.1'];
	await runProgram('ssh', [...options, '-o', 'ControlMaster=yes', '-o', 'ControlPersist=yes', '-fN', ...destination]);
	const ours = await connectLoopback(sshd, port, path.join(dir, `${name}.trust`));
	return {
		ours,
		// The shell does no more than to open the files.
		theirs: (command, stdin, stdout) =>
			launcher.run(
				'sh',
				'-c',
				'in=$1 out=$2; shift 2; exec "$@" <"$in" >"$out"',
				'sh',
				stdin ?? '/dev/null',
				stdout ?? '/dev/null',
				...['ssh', ...options, ...destination, command],
			),
		scp: (from, to) => launcher.run('scp', '-q', ...options, '-P', String(port), from, to),
		checksums: (remote, local) =>
			launcher.run(
				'sh',
				'-c',
				'local=$1; shift; openssl dgst -sha256 "$local" & "$@" && wait $!',
				'sh',
				local,
				...['ssh', ...options, ...destination, `openssl dgst -sha256 ${remote}`],
			),
		remote: `${sshd.user}@127.0.0.1:`,
		close: async () => {
			await ours.close();
			await runProgram('ssh', [...options, '-O', 'exit', ...destination]).catch(() => undefined);
		},
	};
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
	const start = performance.now();
	await work();
	return (performance.now() - start) / 1000;
}

/**
 * Medians of all opponents, taken in turns so that a change of the machine's mood meets them all. Each makes a new file, as packs and
 * results are: who replaces an old one in one step needs new memory for the page cache, who empties it first writes to what it has just freed.
 */
async function measure(
	contenders: Readonly<Record<string, (target: string) => Promise<unknown>>>,
	dir: string,
): Promise<Record<string, number>> {
	const target = path.join(dir, 'target');
	const times = Object.fromEntries(Object.keys(contenders).map((name): [string, number[]] => [name, []]));
	for (let n = 0; n < REPEATS; n++) {
		for (const [name, work] of Object.entries(contenders)) {
			times[name]?.push(await seconds(() => work(target)));
			await rm(target);
		}
	}
	return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}

async function compare(line: Line, dir: string, source: string, size: number, suffix: string): Promise<Record<string, number>> {
	const content = await contentOfFile(source);
	const contenders = {
		oursUp: (target: string) => line.ours.upload(content, target),
		catUp: (target: string) => line.theirs(`cat > ${target}`, source, undefined),
		checkedUp: (target: string) => line.theirs(`cat > ${target} && openssl dgst -sha256 ${target}`, source, undefined),
		scpUp: (target: string) => line.scp(source, `${line.remote}${target}`),
		oursDown: (target: string) => line.ours.download(source, target),
		catDown: (target: string) => line.theirs(`cat ${source}`, undefined, target),
		checkedDown: async (target: string) => {
			await line.theirs(`cat ${source}`, undefined, target);
			// Both at once.
			await line.checksums(source, target);
		},
		scpDown: (target: string) => line.scp(`${line.remote}${source}`, target),
	};
	const t = await measure(contenders, dir);
	const of = (name: string): number => t[name] ?? NaN;
	const theirsUp = Math.min(of('catUp'), of('scpUp'));
	const theirsDown = Math.min(of('catDown'), of('scpDown'));
	const speed = (name: string): number => size / MB / of(name);
	return {
		[`ratioUp${suffix}`]: theirsUp / of('oursUp'),
		[`ratioDown${suffix}`]: theirsDown / of('oursDown'),
		[`ratioUpChecked${suffix}`]: of('checkedUp') / of('oursUp'),
		[`ratioDownChecked${suffix}`]: of('checkedDown') / of('oursDown'),
		...Object.fromEntries(Object.keys(t).map((name) => [`${name}${suffix}MBps`, speed(name)])),
	};
}

/**
 * Sending and fetching files, ours against OpenSSH's client in the same run, in turns. A ratio is the time that OpenSSH
 * takes divided by the time that we take: above 1 we are faster. All use connections that are open already.
 *
 * - `ratioUp`, `ratioDown`: against the faster of `ssh cat` and `scp`. These verify nothing and write under the final name
 *   at once; ours goes to a temporary name, is renamed, and an upload is compared by SHA-256 on the server before.
 * - `ratioUpChecked`, `ratioDownChecked`: against `ssh cat` followed by `openssl dgst -sha256`: of the file on the server
 *   after an upload, of both files side by side after a download.
 * - `…Delayed`: the same with 16 MB on a line with a round trip of 50 ms; the others are with 256 MB on loopback.
 * - `…MBps`: megabytes a second of each contender, the median of its turns.
 */
export async function run(): Promise<Record<string, number>> {
	leaveOutNativeModules();
	const dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-transfer-'));
	// An empty home: what the login scripts of this account do is not what is measured.
	const sshd = await startSshd({ dir: path.join(dir, 'sshd'), config: [`SetEnv HOME=${dir}`] });
	const lines: Line[] = [];
	const launcher = new Launcher();
	let worker: Worker | undefined;
	try {
		const near = await openLine(launcher, sshd, sshd.port, dir);
		lines.push(near);
		worker = new Worker(LINE, { eval: true, workerData: { port: sshd.port, delayMs: DELAY_MS } });
		const [port] = (await once(worker, 'message')) as [number];
		const far = await openLine(launcher, sshd, port, dir);
		lines.push(far);
		const big = path.join(dir, 'big');
		const small = path.join(dir, 'small');
		await fill(big, LOOPBACK_MB * MB);
		await fill(small, DELAYED_MB * MB);
		return {
			...(await compare(near, dir, big, LOOPBACK_MB * MB, '')),
			...(await compare(far, dir, small, DELAYED_MB * MB, 'Delayed')),
		};
	} finally {
		await Promise.all(lines.map((line) => line.close()));
		launcher.close();
		await worker?.terminate();
		await sshd.stop();
		await rm(dir, { recursive: true, force: true });
	}
}

async function fill(file: string, size: number): Promise<void> {
	const handle = await open(file, 'w');
	const block = Buffer.alloc(4 * MB);
	for (let left = size; left > 0; left -= block.length) {
		randomFillSync(block);
		await handle.write(block, 0, Math.min(left, block.length));
	}
	await handle.close();
}
