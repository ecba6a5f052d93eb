import { execFile } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { quietContext } from '../../src/common/ports.js';
import type { Connection } from '../../src/connection/connection.js';
import { encodeHeader } from '../../src/image/tar/encodeHeader.js';
import { fetchResults } from '../../src/monitor/results/fetchResults.js';
import { type Sshd, startSshd } from '../../src/sandbox/sshd.js';
import { connectLoopback } from '../../test/support/loopback.js';
import { leaveOutNativeModules } from '../support/nativeModules.js';

const MB = 1_000_000;
const TURNS = 3;
const BATCH = 7;
const runProgram = promisify(execFile);

export interface FetchFigures {
	/** Our time divided by that of `ssh tar c | tar x`: below 1 we are faster. */
	readonly ratio: number;
	readonly oursSeconds: number;
	/** Processor time of this process meanwhile, in all its threads: unlike the others it does not depend on what else runs. */
	readonly oursCpuSeconds: number;
	/** Processor time of all programs of ours, those on the server too, divided by that of all programs of `ssh tar c | tar x`. */
	readonly ratioCpu: number;
	/** All of ours, and the part of it that is on the server. */
	readonly oursAllCpuSeconds: number;
	readonly oursServerCpuSeconds: number;
	readonly tarAllCpuSeconds: number;
	readonly tarSeconds: number;
	/** `ssh tar c | tar x`, and then `md5sum` and unpacking of each result, which ours includes. */
	readonly tarCheckedSeconds: number;
	readonly ratioChecked: number;
	readonly results: number;
	readonly peakMemoryMb: number;
}

/**
 * Fetches 1,000 results of 1 MB over OpenSSH on loopback, in turns with `ssh tar c | tar x` of the same folder. Plain tar only
 * copies the archives. Ours also compares their MD5, unpacks each into a folder of its own by way of a temporary one, and
 * writes the table of metrics. Medians of three turns, in which another begins each time; both start with a connection that is open.
 * Everything is kept until the end (10 GB): after many files were deleted, ext4 takes ten times as long to make new ones, for it goes past
 * each that was deleted lately. Each begins when what was written before is on the disk.
 */
export async function measureFetch(results = 1000, turns = TURNS): Promise<FetchFigures> {
	leaveOutNativeModules();
	const dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-fetch-'));
	// An empty home: what the login scripts of this account do is not what is measured.
	const sshd = await startSshd({ dir: path.join(dir, 'sshd'), config: [`SetEnv HOME=${dir}`] });
	const resultsDir = path.join(dir, 'results');
	const connection = await connectTo(sshd, dir);
	const master = masterOf(sshd, dir);
	try {
		const hashes = await makeResults(path.join(resultsDir, String(BATCH)), results);
		await runProgram('ssh', [
			...master.options,
			'-o',
			'ControlMaster=yes',
			'-o',
			'ControlPersist=yes',
			'-fN',
			...master.destination,
		]);
		const { stderr } = await runProgram('ssh', [...master.options, '-O', 'check', ...master.destination]);
		const masterPid = Number(/pid=(\d+)/.exec(stderr)?.[1]);
		const onServer = async (): Promise<number> => cpuOf(await sshd.descendants());
		const times = { ours: [] as number[], cpu: [] as number[], tar: [] as number[], checked: [] as number[] };
		const all = { server: [] as number[], ours: [] as number[], tar: [] as number[] };
		let peak = 0;
		const takeOurs = async (turn: number): Promise<void> => {
			await runProgram('sync');
			const watch = setInterval(() => (peak = Math.max(peak, memoryInUse())), 20);
			const serverBefore = await onServer();
			const before = process.cpuUsage();
			times.ours.push(await seconds(() => fetchOurs(connection, { resultsDir, target: path.join(dir, `ours-${turn}`), hashes })));
			const { user, system } = process.cpuUsage(before);
			times.cpu.push((user + system) / 1e6);
			clearInterval(watch);
			const server = (await onServer()) - serverBefore;
			all.server.push(server);
			all.ours.push((user + system) / 1e6 + server);
		};
		const takeTar = async (turn: number): Promise<void> => {
			const plain = path.join(dir, `tar-${turn}`);
			await mkdir(plain);
			await runProgram('sync');
			const ofTar = async (): Promise<number> =>
				(await onServer()) + (await cpuOf([masterPid])) + (await cpuOf([process.pid], 'children'));
			const before = await ofTar();
			const tar = await seconds(() => fetchTar(master, { from: resultsDir, to: plain, results }));
			times.tar.push(tar);
			all.tar.push((await ofTar()) - before);
			times.checked.push(tar + (await seconds(() => unpackAll(path.join(plain, String(BATCH))))));
		};
		for (let turn = 0; turn < turns; turn++) {
			for (const take of turn % 2 === 0 ? [takeOurs, takeTar] : [takeTar, takeOurs]) {
				await take(turn);
			}
		}
		const [oursSeconds, tarSeconds, tarCheckedSeconds] = [median(times.ours), median(times.tar), median(times.checked)];
		return {
			ratio: oursSeconds / tarSeconds,
			oursSeconds,
			oursCpuSeconds: median(times.cpu),
			ratioCpu: median(all.ours) / median(all.tar),
			oursAllCpuSeconds: median(all.ours),
			oursServerCpuSeconds: median(all.server),
			tarAllCpuSeconds: median(all.tar),
			tarSeconds,
			tarCheckedSeconds,
			ratioChecked: oursSeconds / tarCheckedSeconds,
			results,
			peakMemoryMb: peak / MB,
		};
	} finally {
		await connection.close();
		await runProgram('ssh', [...master.options, '-O', 'exit', ...master.destination]).catch(() => undefined);
		await sshd.stop();
		await rm(dir, { recursive: true, force: true });
	}
}

/** Ticks of Linux's accounting in a second. */
const TICKS = 100;

/** Seconds of processor time of programs and of what they started that has ended, or of the latter alone. */
async function cpuOf(pids: readonly number[], whose: 'all' | 'children' = 'all'): Promise<number> {
	let ticks = 0;
	for (const pid of pids) {
		const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
		// Behind the name: state, and then user and system time of its own and of its children (proc(5), fields 14 to 17).
		const [user = 0, system = 0, ...children] = stat
			.slice(stat.lastIndexOf(')') + 2)
			.split(' ')
			.slice(11, 15)
			.map(Number);
		ticks += (whose === 'all' ? user + system : 0) + children.reduce((sum, ofOne) => sum + ofOne, 0);
	}
	return ticks / TICKS;
}

/** Bytes of objects and buffers: the process is larger by what the preparation left unused. */
function memoryInUse(): number {
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function seconds(work: () => Promise<unknown>): Promise<number> {
	const start = performance.now();
	await work();
	return (performance.now() - start) / 1000;
}

/** Results as the runner packs them: one file that cannot be compressed, metrics, log and summary. Returns their MD5 by job. */
async function makeResults(folder: string, results: number): Promise<Map<string, string>> {
	await mkdir(folder, { recursive: true });
	const hashes = new Map<string, string>();
	const data = Buffer.alloc(MB);
	for (let n = 0; n < results; n++) {
		randomFillSync(data);
		const job = `b2d_${BATCH}_${String(n).padStart(6, '0')}`;
		const files: [string, Buffer][] = [
			['.b2d/job.json', Buffer.from(`{"job":"${job}","exitCode":0,"seconds":12.3,"peakMemoryBytes":1000000}\n`)],
			['.b2d/log.txt', Buffer.from('step 1\nstep 2\n')],
			['data.bin', data],
			['metrics.json', Buffer.from(`{"loss":${n / results}}\n`)],
		];
		const tar = files.flatMap(([name, content]) => [header(name, content.length), content, Buffer.alloc(-content.length & 511)]);
		const packed = gzipSync(Buffer.concat([...tar, Buffer.alloc(1024)]), { level: 1 });
		hashes.set(job, createHash('md5').update(packed).digest('hex'));
		await writeFile(path.join(folder, `${job}.tgz`), packed);
	}
	return hashes;
}

const header = (name: string, size: number): Buffer =>
	Buffer.from(
		encodeHeader({
			...{ name, size, kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0, linkName: '' },
			...{ deviceMajor: 0, deviceMinor: 0, xattrs: new Map() },
		}),
	);

async function fetchOurs(
	connection: Connection,
	{
		resultsDir,
		target,
		hashes,
	}: { readonly resultsDir: string; readonly target: string; readonly hashes: ReadonlyMap<string, string> },
): Promise<void> {
	const report = await fetchResults(
		connection,
		{
			resultsDir,
			batch: { id: BATCH, name: 'bench' },
			folder: target,
			programs: path.resolve('dist'),
			hashes: () => Promise.resolve(hashes),
		},
		quietContext(),
	);
	if (report.fetched.length !== hashes.size || report.failed.length + report.refused.length > 0) {
		throw new Error(`Only ${report.fetched.length} results came: ${JSON.stringify(report.failed[0])}`);
	}
}

interface Master {
	readonly options: readonly string[];
	readonly destination: readonly string[];
}

function masterOf(sshd: Sshd, dir: string): Master {
	return {
		options: [
			...['-F', 'none', '-i', sshd.userKeyFile, '-o', `ControlPath=${path.join(dir, 'control')}`, '-o', 'BatchMode=yes'],
			...['-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${path.join(dir, 'known')}`],
		],
		destination: ['-l', sshd.user, '-p', String(sshd.port), '127.0.0.1'],
	};
}

async function fetchTar(
	{ options, destination }: Master,
	{ from, to, results }: { readonly from: string; readonly to: string; readonly results: number },
): Promise<void> {
	const script = 'to=$1; from=$2; shift 2; ssh "$@" "tar -C $from -cf - ." | tar -C "$to" -xf -';
	await runProgram('sh', ['-c', script, 'sh', to, from, ...options, ...destination]);
	if ((await readdir(path.join(to, String(BATCH)))).length !== results) {
		throw new Error('plain tar did not fetch all results');
	}
}

async function unpackAll(folder: string): Promise<void> {
	const script =
		'cd "$1" && md5sum *.tgz >sums && for f in *.tgz; do d=${f%.tgz}; mkdir "$d" && tar -C "$d" -xzf "$f" || exit 1; done';
	await runProgram('sh', ['-c', script, 'sh', folder]);
	await stat(path.join(folder, `b2d_${BATCH}_000000`, 'data.bin'));
}

async function connectTo(sshd: Sshd, dir: string): Promise<Connection> {
	const connection = await connectLoopback(sshd, sshd.port, path.join(dir, 'trust'));
	await connection.exec(['true']);
	return connection;
}
