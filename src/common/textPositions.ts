/** Lines of a text: offsets count UTF-16 units, as JavaScript and the language server protocol do. */
export class TextPositions {
	readonly #starts: number[] = [0];

	constructor(text: string) {
		for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
			this.#starts.push(at + 1);
		}
	}

	/** Line and column of an offset, both from 0. */
	at(offset: number): { readonly line: number; readonly character: number } {
		let low = 0;
		let high = this.#starts.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if ((this.#starts[middle] ?? 0) <= offset) {
				low = middle;
			} else {
				high = middle - 1;
			}
		}
		return { line: low, character: Math.max(0, offset - (this.#starts[low] ?? 0)) };
	}
}
