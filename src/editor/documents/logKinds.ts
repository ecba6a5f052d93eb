/** Kinds of documents that may be shown in part: what the whole is called, and the parts. */
const PARTS = { result: 'excerpt', fulllog: 'fulllog' } as const;
type Whole = keyof typeof PARTS;

/** What the first part of a document's path means: which whole, and how much of it in steps, or all of it. */
export function shownKind(kind: string): readonly [whole: Whole | undefined, steps: number | undefined] {
	const [, part = '', steps] = /^([a-z]+)(?:-(\d))?$/.exec(kind) ?? [];
	const whole = (Object.keys(PARTS) as Whole[]).find((one) => (steps === undefined ? one : PARTS[one]) === part);
	return [whole, whole === undefined || steps === undefined ? undefined : Number(steps)];
}

/** Where the links of a document in part lead: to more of it, and to the whole; `undefined` for a whole one. */
export function widerPaths(path: string): { readonly more: string; readonly whole: string } | undefined {
	const [, kind = '', ...rest] = path.split('/');
	const [whole, steps] = shownKind(kind);
	return whole === undefined || steps === undefined
		? undefined
		: { more: ['', `${PARTS[whole]}-${Math.min(9, steps + 1)}`, ...rest].join('/'), whole: ['', whole, ...rest].join('/') };
}
