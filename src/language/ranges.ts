import type { Range } from 'vscode-languageserver/node';

import type { TextPositions } from '../common/textPositions.js';

/** Offsets as lines and columns. */
export function rangeOf(positions: TextPositions, { start, end }: { readonly start: number; readonly end: number }): Range {
	return { start: positions.at(start), end: positions.at(end) };
}
