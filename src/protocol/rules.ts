import * as v from 'valibot';

import { tone } from './tones.js';

/** Rules that messages of several pages are checked by. */
export const text = v.string();
/** A whole number from 0 up. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A state in words, and how it looks. */
export const state = v.object({ label: text, tone });
/** A number with its unit, what it is, and a word to it. */
export const figure = v.object({ label: text, value: text, hint: text });
/** What a page says when it can hear. */
export const ready = v.object({ type: v.literal('ready') });
