import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Looks in a thread of its own: with many processes on the machine a look takes milliseconds, which would slow the work that is measured. */
const WATCHER = `
const { readdirSync, readFileSync } = require('node:fs');
const { workerData, parentPort } = require('node:worker_threads');
const PAGE = 4096;
// Processes that were there before, and whose memory is not ours: to read of each of them costs more than what is measured.
let others = new Set();
function processes() {
	return readdirSync('/proc').flatMap((name) => {
		try {
			const isWanted = /^\\d+$/.test(name) && !others.has(Number(name));
			const stat = isWanted ? readFileSync('/proc/' + name + '/stat', 'latin1') : '';
			const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
			return fields.length < 22 ? [] : [{ pid: Number(name), parent: Number(fields[1]), memory: Number(fields[21]) * PAGE }];
		} catch {
			// It has ended meanwhile.
			return [];
		}
	});
}
others = new Set(processes().flatMap(({ pid }) => (pid === process.pid ? [] : [pid])));
let peak = 0;
function look() {
	const all = processes();
	const ours = new Set([process.pid]);
	// A parent is listed before its children unless numbers began anew.
	for (const { pid, parent } of all.sort((a, b) => a.pid - b.pid)) {
		if (ours.has(parent)) {
			ours.add(pid);
		}
	}
	if (workerData.who === 'programs') {
		ours.delete(process.pid);
	}
	peak = Math.max(peak, all.filter(({ pid }) => ours.has(pid)).reduce((sum, { memory }) => sum + memory, 0));
}
setInterval(look, workerData.everyMs);
parentPort.on('message', () => {
	look();
	parentPort.postMessage(peak);
});
parentPort.postMessage('ready');
`;
const EVERY_MS = 50;

/**
 * The most memory, in bytes, that all programs have together which this process starts for `work`, and the process itself
 * where it does the work. Linux only.
 */
export async function withPeakMemory<T>(
	who: 'programs' | 'this process and programs',
	work: () => Promise<T>,
): Promise<{ readonly value: T; readonly peak: number; readonly seconds: number }> {
	const watcher = new Worker(WATCHER, { eval: true, workerData: { who, everyMs: EVERY_MS } });
	try {
		await once(watcher, 'message');
		const start = performance.now();
		const value = await work();
		const seconds = (performance.now() - start) / 1000;
		const answer = once(watcher, 'message');
		watcher.postMessage('peak');
		const [peak] = (await answer) as [number];
		return { value, peak, seconds };
	} finally {
		await watcher.terminate();
	}
}
