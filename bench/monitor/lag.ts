export function lagFigures(..._args: unknown[]): Promise<Record<string, unknown>> {
	return Promise.resolve({});
}
