import type { PackFacts } from '../image/types.js';

/** Bytes of packs as they travel. */
export const packBytes = (packs: readonly PackFacts[]): number => packs.reduce((sum, { size }) => sum + size, 0);
