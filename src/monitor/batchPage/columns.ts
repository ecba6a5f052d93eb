/** More columns for the table of jobs: parameters, metrics that were collected from results. */
export interface ColumnSource {
	/** Names of the columns, in order; empty when there is nothing to show. */
	columns(): Promise<readonly string[]>;
	/** The values of some jobs by the job's id and the column's name; what is not known is missing. */
	values(
		jobs: readonly { readonly id: number; readonly name: string }[],
	): Promise<ReadonlyMap<number, Readonly<Record<string, string>>>>;
}

/** Several sources side by side. Of columns with the same name only the first is shown. */
export function joinColumns(sources: readonly ColumnSource[]): ColumnSource {
	return {
		columns: async () => [...new Set((await Promise.all(sources.map((source) => source.columns()))).flat())],
		values: async (jobs) => {
			const all = (await Promise.all(sources.map((source) => source.values(jobs)))).toReversed();
			return new Map(
				jobs.map(({ id }) => [id, Object.assign({}, ...all.map((values) => values.get(id) ?? {})) as Record<string, string>]),
			);
		},
	};
}
