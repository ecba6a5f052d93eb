/** Figures of fetching results, as `fetch…` keys. */
export function fetchFigures(): Promise<Record<string, unknown>> {
	return Promise.resolve({});
}
