import { readdir, readFile } from 'node:fs/promises';

/** A process, told apart from a later one with the same number by its start time. */
export interface ProcessMark {
	readonly pid: number;
	/** Clock ticks after boot. */
	readonly started: string;
}

interface ProcessRow extends ProcessMark {
	readonly parent: number;
	readonly zombie: boolean;
}

/** All processes below `root`, parents first. Empty where there is no /proc. */
export async function descendantsOf(root: number): Promise<ProcessMark[]> {
	const children = new Map<number, ProcessRow[]>();
	for (const row of await processTable()) {
		children.set(row.parent, [...(children.get(row.parent) ?? []), row]);
	}
	const found: ProcessMark[] = [];
	for (const queue = [root]; queue.length > 0;) {
		const below = children.get(queue.shift() ?? 0) ?? [];
		found.push(...below);
		queue.push(...below.map(({ pid }) => pid));
	}
	return found;
}

/** Those of `marks` that still run. */
export async function stillRunning(marks: readonly ProcessMark[]): Promise<ProcessMark[]> {
	const rows = await Promise.all(marks.map(({ pid }) => processRow(String(pid))));
	return marks.filter((mark, index) => {
		const row = rows[index];
		return row?.started === mark.started && !row.zombie;
	});
}

async function processTable(): Promise<ProcessRow[]> {
	const names = await readdir('/proc').catch(() => []);
	const rows = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(processRow));
	return rows.filter((row) => row !== undefined);
}

async function processRow(name: string): Promise<ProcessRow | undefined> {
	const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
	// The program's name in parentheses may hold anything; after it come state, parent, … and the start time as 22nd.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return stat === ''
		? undefined
		: { pid: Number(name), parent: Number(fields[1]), zombie: fields[0] === 'Z', started: fields[19] ?? '' };
}
