/**
 * Runs of numbers in an ascending list. A hole of up to `bridge` numbers does not end a run; with 0, nothing is inside of a run that
 * is not in the list.
 */
export function rangesOf(ids: Iterable<number>, bridge = 0): [first: number, last: number][] {
	const ranges: [number, number][] = [];
	let current: [number, number] | undefined;
	for (const id of ids) {
		if (current && id - current[1] <= bridge + 1) {
			current[1] = id;
		} else {
			current = [id, id];
			ranges.push(current);
		}
	}
	return ranges;
}
