import * as v from 'valibot';
import * as vscode from 'vscode';

import { STORAGE_KEYS } from '../../../common/ids.js';
import { type BuildCard, type KeptCards, keptCards, type PushCard, type SourceDetail } from '../../../protocol/imagesPage.js';
import type { Storage } from '../../servers/serverStore.js';

const { t } = vscode.l10n;

const schema = v.record(v.string(), keptCards);
/** Dockerfiles whose cards are kept; those of others are forgotten. */
const MOST = 10;
/** Characters of the cards of a Dockerfile; larger ones are not kept. */
const LONGEST = 100_000;

/** The cards of builds, costs and pushes as they were when the window was loaded again. */
export class CardMemory {
	readonly #storage: Storage;
	readonly #last = new Map<string, string>();

	constructor(storage: Storage) {
		this.#storage = storage;
	}

	of(id: string): KeptCards | undefined {
		return this.#all()[id];
	}

	/** Keeps what the page shows of a Dockerfile; what goes on is kept as what it would be after the window was closed. */
	async keep(detail: SourceDetail): Promise<void> {
		const { id, build, cost, pushes, images } = detail;
		const image = images.find(({ isSelected }) => isSelected)?.id;
		const isWorkedOut = cost !== undefined && cost.progress === undefined && cost.figures.length > 0;
		const former = this.of(id)?.cost;
		const cards: KeptCards = {
			...(build && { build: ended(build) }),
			// Until images are listed, nothing is known to be wrong with the last one.
			...(isWorkedOut && image !== undefined ? { cost: { image, card: cost } } : former && { cost: former }),
			pushes: pushes.map(cutOff),
		};
		const text = JSON.stringify(cards);
		if (text === this.#last.get(id) || text.length > LONGEST) {
			return;
		}
		this.#last.set(id, text);
		const others = Object.entries(this.#all()).filter(([other]) => other !== id);
		await this.#storage.update(STORAGE_KEYS.imageCards, Object.fromEntries([...others.slice(1 - MOST), [id, cards]]));
	}

	#all(): Readonly<Record<string, KeptCards>> {
		const parsed = v.safeParse(schema, this.#storage.get(STORAGE_KEYS.imageCards));
		return parsed.success ? parsed.output : {};
	}
}

/** Without the logs, and as ended. */
function ended({ state, time, steps, ...rest }: BuildCard): BuildCard {
	const isRunning = state.tone === 'active';
	return {
		...rest,
		state: isRunning ? { label: t('The build was interrupted'), tone: 'neutral' } : state,
		time: isRunning ? '' : time,
		steps: isRunning
			? []
			: steps.map((step) => ({
					...step,
					isOpen: false,
					lines: [],
					dropped: t('What it printed is not kept when a window is loaded again.'),
				})),
	};
}

function cutOff(card: PushCard): PushCard {
	return card.state.tone === 'active'
		? {
				kind: card.kind,
				state: { label: t('The push was interrupted. What has arrived is not sent again.'), tone: 'neutral' },
				detail: '',
				layers: [],
				remedy: '',
				buttons: [],
			}
		: card;
}
