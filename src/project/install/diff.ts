/** Lines of context around a change. */
const CONTEXT = 2;

interface Line {
	readonly kind: ' ' | '-' | '+';
	readonly text: string;
}

function lines(text: string): string[] {
	const all = text.split(/\r?\n/);
	return all.at(-1) === '' ? all.slice(0, -1) : all;
}

/** The longest common subsequence, as a script of kept, removed and added lines. */
function script(before: readonly string[], after: readonly string[]): Line[] {
	const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
	const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
	for (let i = before.length - 1; i >= 0; i--) {
		for (let j = after.length - 1; j >= 0; j--) {
			const row = lengths[i];
			if (row) {
				row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
			}
		}
	}
	const result: Line[] = [];
	let i = 0;
	let j = 0;
	while (i < before.length || j < after.length) {
		if (i < before.length && j < after.length && before[i] === after[j]) {
			result.push({ kind: ' ', text: before[i++] ?? '' });
			j++;
		} else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
			result.push({ kind: '-', text: before[i++] ?? '' });
		} else {
			result.push({ kind: '+', text: after[j++] ?? '' });
		}
	}
	return result;
}

/** How `before` becomes `after`, as people read it in a unified diff: changed lines with some context, gaps as `…`. */
export function lineDiff(before: string, after: string): string {
	const old = lines(before);
	const fresh = lines(after);
	let start = 0;
	while (start < old.length && start < fresh.length && old[start] === fresh[start]) {
		start++;
	}
	let end = 0;
	while (end < old.length - start && end < fresh.length - start && old[old.length - 1 - end] === fresh[fresh.length - 1 - end]) {
		end++;
	}
	const keep = (line: string): Line => ({ kind: ' ', text: line });
	const all = [
		...old.slice(0, start).map(keep),
		...script(old.slice(start, old.length - end), fresh.slice(start, fresh.length - end)),
		...old.slice(old.length - end).map(keep),
	];
	const near = (index: number): boolean =>
		all.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((line) => line.kind !== ' ');
	const shown: string[] = [];
	for (const [index, line] of all.entries()) {
		if (near(index)) {
			shown.push(`${line.kind}${line.text}`);
		} else if (shown.at(-1) !== '…') {
			shown.push('…');
		}
	}
	return shown.join('\n');
}
