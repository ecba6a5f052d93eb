/** Finds equal texts among many without keeping them: eight bytes a text, which is made again when its hash was met before. */
export class UniqueTexts {
	readonly #textAt: (index: number) => string;
	readonly #hashes: Uint32Array;
	/** Number of the text + 1; 0 for a free place. */
	readonly #indexes: Uint32Array;

	/** `textAt` makes the text with a number again. */
	constructor(count: number, textAt: (index: number) => string) {
		this.#textAt = textAt;
		// A power of two, at most half full.
		const places = 2 ** Math.ceil(Math.log2(Math.max(8, count * 2)));
		this.#hashes = new Uint32Array(places);
		this.#indexes = new Uint32Array(places);
	}

	/** Adds a text. Returns the number of an equal one that was added before. */
	add(text: string, index: number): number | undefined {
		const hash = hashOf(text);
		const mask = this.#indexes.length - 1;
		let place = hash & mask;
		for (; this.#indexes[place] !== 0; place = (place + 1) & mask) {
			const other = (this.#indexes[place] ?? 0) - 1;
			if (this.#hashes[place] === hash && this.#textAt(other) === text) {
				return other;
			}
		}
		this.#hashes[place] = hash;
		this.#indexes[place] = index + 1;
		return undefined;
	}
}

/** FNV-1a with a last mix, for its low bits choose the place. */
function hashOf(text: string): number {
	let hash = 0x811c9dc5;
	for (let at = 0; at < text.length; at++) {
		hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
	}
	hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
	return (hash ^ (hash >>> 16)) >>> 0;
}
