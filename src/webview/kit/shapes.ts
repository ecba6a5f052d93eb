import type { Tone } from '../../protocol/tones.js';
import { svg } from './dom.js';

/** A path on a square of 16 for each tone: they differ in shape, for people who do not see the colours. */
export const SHAPES: Readonly<Record<Tone, string>> = {
	good: 'M2.5 8.5l3.5 3.5 7.5-8',
	bad: 'M3.5 3.5l9 9m0-9l-9 9',
	active: 'M4.5 2.5l8.5 5.5-8.5 5.5z',
	waiting: 'M8 2.2a5.8 5.8 0 1 0 .01 0zM8 4.8v3.6l2.4 1.5',
	warning: 'M8 2l6.5 12h-13zM8 6.5v3.5m0 1.4v1',
	neutral: 'M3 8h10',
};

/** The sign of a tone, for the eyes only. */
export function shape(tone: Tone): SVGElement {
	return svg('svg', { viewBox: '0 0 16 16', class: `shape ${tone}`, 'aria-hidden': 'true' }, svg('path', { d: SHAPES[tone] }));
}
