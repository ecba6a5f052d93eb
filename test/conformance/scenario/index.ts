import type { CheckGroup } from '../checks.js';
import type { Lab } from '../lab.js';

export const scenario: readonly CheckGroup<Lab>[] = [];
