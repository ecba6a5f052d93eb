import type { BatchSnapshot } from '../../protocol/batchPage.js';
import type { Words } from '../../protocol/words.js';
import { h } from '../kit/dom.js';
import { shape } from '../kit/shapes.js';

/** Draws the failures by cause, each with its share, its remedy and examples that open their logs. What was unfolded stays so. */
export function failureList(
	place: HTMLElement,
	{ failures }: BatchSnapshot,
	words: Words,
	openLog: (instanceId: number) => void,
): void {
	const open = new Set([...place.querySelectorAll('details[open]')].map((element) => element.getAttribute('data-cause')));
	const hadFocus = place.contains(document.activeElement);
	if (hadFocus && place.dataset.drawn === JSON.stringify(failures)) {
		return; // nothing new, and the person is in the middle of it
	}
	place.dataset.drawn = JSON.stringify(failures);
	if (failures.length === 0) {
		place.replaceChildren(h('p', { class: 'quiet' }, shape('good'), words.noFailures));
		return;
	}
	place.replaceChildren(
		...failures.map(({ sentence, remedy, share, examples }, index) => {
			const fill = h('span', { class: 'fill' });
			fill.style.width = `${String(Math.max(1, share * 100))}%`;
			return h(
				'details',
				{ 'data-cause': sentence, open: open.size === 0 ? index === 0 : open.has(sentence) },
				h(
					'summary',
					{},
					shape('bad'),
					h('span', { class: 'sentence' }, sentence),
					h('span', { class: 'meter', 'aria-hidden': 'true' }, fill),
				),
				...(remedy === '' ? [] : [h('p', { class: 'remedy' }, remedy)]),
				h(
					'ul',
					{ 'aria-label': words.examples },
					...examples.map(({ instanceId, name, host, line }) => {
						const link = h('button', { class: 'link', type: 'button', title: words.openLog }, name);
						link.addEventListener('click', () => openLog(instanceId));
						return h('li', {}, link, ` ${host}`, ...(line === '' ? [] : [h('code', {}, line)]));
					}),
				),
			);
		}),
	);
}
