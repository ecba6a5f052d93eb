import { readdirSync, readFileSync } from 'node:fs';

const EVERY_MS = 50;
const PAGE = 4096;

/**
 * The most memory, in bytes, that all programs have together which this process starts for `work`, and the process itself
 * where it does the work. Linux only.
 */
export async function withPeakMemory<T>(
	who: 'programs' | 'this process and programs',
	work: () => Promise<T>,
): Promise<{ readonly value: T; readonly peak: number }> {
	const before = new Set(processes().map(({ pid }) => pid));
	let peak = 0;
	const look = (): void => {
		peak = Math.max(peak, memoryNow(before, who));
	};
	const timer = setInterval(look, EVERY_MS);
	try {
		const value = await work();
		look();
		return { value, peak };
	} finally {
		clearInterval(timer);
	}
}

/** `others` were there before, and theirs is not ours. */
function memoryNow(others: ReadonlySet<number>, who: 'programs' | 'this process and programs'): number {
	const all = processes();
	const ours = new Set([process.pid]);
	// A parent is listed before its children unless numbers began anew.
	for (const { pid, parent } of all.toSorted((a, b) => a.pid - b.pid)) {
		if (ours.has(parent) && !others.has(pid)) {
			ours.add(pid);
		}
	}
	if (who === 'programs') {
		ours.delete(process.pid);
	}
	return all.filter(({ pid }) => ours.has(pid)).reduce((sum, { memory }) => sum + memory, 0);
}

function processes(): { readonly pid: number; readonly parent: number; readonly memory: number }[] {
	return readdirSync('/proc').flatMap((name) => {
		try {
			const stat = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/stat`, 'latin1') : '';
			const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
			return fields.length < 22 ? [] : [{ pid: Number(name), parent: Number(fields[1]), memory: Number(fields[21]) * PAGE }];
		} catch {
			// It has ended meanwhile.
			return [];
		}
	});
}
