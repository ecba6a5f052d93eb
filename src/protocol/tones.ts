import * as v from 'valibot';

/** How a state looks: the shape differs with it, not only the colour. */
const TONES = ['good', 'bad', 'active', 'waiting', 'warning', 'neutral'] as const;
export const tone = v.picklist(TONES);
export type Tone = (typeof TONES)[number];
