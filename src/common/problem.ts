/** Replaces `text.slice(start, end)` by `text`. */
export interface Replacement {
	readonly start: number;
	readonly end: number;
	readonly text: string;
}

/** A finding in a file; offsets count UTF-16 units. */
export interface Problem {
	readonly start: number;
	readonly end: number;
	/** Stable name of the rule. */
	readonly code: string;
	/** What is wrong and why: one or two plain sentences with a full stop. */
	readonly message: string;
	readonly severity: 'error' | 'warning' | 'hint';
	/** What to do about it, in the imperative. */
	readonly remedy?: string;
	/** Address of the source of the rule. */
	readonly link?: string;
	/** Ways to mend it; each is a title with edits that do not overlap. */
	readonly fixes?: readonly { readonly title: string; readonly edits: readonly Replacement[] }[];
}

/** The word of `known` that a person most likely meant by `word`. */
export function closest(word: string, known: readonly string[]): string | undefined {
	let best: string | undefined;
	let least = Math.max(1, Math.floor(word.length / 3)) + 1;
	for (const candidate of known) {
		const steps = editDistance(word.toLowerCase(), candidate.toLowerCase());
		if (steps < least) {
			best = candidate;
			least = steps;
		}
	}
	return best;
}

/** Characters to insert, remove or change to come from one word to the other. */
function editDistance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, index) => index);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}
