import * as v from 'valibot';

const schema = v.object({ unfolded: v.array(v.string()), scroll: v.number() });
/** Parts that are remembered. */
const MOST = 50;

/** What the page itself remembers while it is hidden, moved or loaded again: unfolded parts and the place that was read. */
export class PageState {
	readonly #store: { state: unknown };
	readonly #unfolded: Set<string>;
	#scroll: number;
	#isRestored = false;

	/** Parts are `<details data-fold="…">`. */
	constructor(store: { state: unknown }) {
		this.#store = store;
		const parsed = v.safeParse(schema, store.state);
		this.#unfolded = new Set(parsed.success ? parsed.output.unfolded : []);
		this.#scroll = parsed.success ? parsed.output.scroll : 0;
		window.addEventListener('toggle', (event) => this.#toggled(event.target), { capture: true });
		window.addEventListener('scroll', () => this.#scrolled(), { passive: true });
		// Whoever does something here does not want to be taken elsewhere.
		for (const deed of ['wheel', 'pointerdown', 'keydown']) {
			window.addEventListener(deed, () => (this.#isRestored = true), { passive: true, capture: true });
		}
	}

	isUnfolded(part: string): boolean {
		return this.#unfolded.has(part);
	}

	/** Goes to where the page was; again while there is too little to read, for images and costs come one after the other. */
	restoreScroll(): void {
		if (!this.#isRestored) {
			window.scrollTo(0, this.#scroll);
			this.#isRestored = Math.abs(window.scrollY - this.#scroll) < 2;
		}
	}

	#toggled(target: EventTarget | null): void {
		const part = target instanceof HTMLDetailsElement ? target.dataset.fold : undefined;
		if (target instanceof HTMLDetailsElement && part !== undefined) {
			this.#unfolded.delete(part);
			if (target.open) {
				this.#unfolded.add(part);
			}
			this.#save();
		}
	}

	#scrolled(): void {
		if (this.#isRestored) {
			this.#scroll = window.scrollY;
			this.#save();
		}
	}

	#save(): void {
		this.#store.state = { unfolded: [...this.#unfolded].slice(-MOST), scroll: this.#scroll };
	}
}
