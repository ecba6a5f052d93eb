import * as v from 'valibot';

export interface ImageSummary {
	/** Full or short hash, without the `sha256:` in front. */
	readonly id: string;
	/** `repository:tag` each; empty for an image without a name. */
	readonly names: readonly string[];
	/** Bytes, where the engine tells them as a number. */
	readonly size: number | undefined;
}

/** What any version prints: Docker a line of JSON each, with capital letters; Podman an array. */
const schema = v.object({
	Digest: v.optional(v.string()),
	ID: v.optional(v.string()),
	Id: v.optional(v.string()),
	id: v.optional(v.string()),
	Repository: v.optional(v.string()),
	repository: v.optional(v.string()),
	Tag: v.optional(v.string()),
	tag: v.optional(v.string()),
	Names: v.nullish(v.array(v.string())),
	RepoTags: v.nullish(v.array(v.string())),
	Size: v.optional(v.union([v.number(), v.string()])),
	size: v.optional(v.union([v.number(), v.string()])),
});

/**
 * Reads the output of `docker images --format '{{json .}}'` or `podman images --format json`; an image is known by its `id`, or by the
 * `digest` of its manifest. Skips what it does not know.
 */
export function parseImageList(output: string, by: 'id' | 'digest' = 'id'): ImageSummary[] {
	const byId = new Map<string, ImageSummary>();
	for (const row of rows(output)) {
		const parsed = v.safeParse(schema, row);
		const id = parsed.success ? idOf(parsed.output, by) : undefined;
		if (!parsed.success || id === undefined || id === '') {
			continue;
		}
		const key = id.replace(/^sha256:/, '');
		const before = byId.get(key);
		const size = parsed.output.Size ?? parsed.output.size;
		byId.set(key, {
			id: key,
			names: [...new Set([...(before?.names ?? []), ...namesOf(parsed.output)])],
			size: typeof size === 'number' ? size : before?.size,
		});
	}
	return [...byId.values()];
}

function idOf({ Id, ID, id, Digest }: v.InferOutput<typeof schema>, by: 'id' | 'digest'): string | undefined {
	return by === 'digest' ? Digest : (Id ?? ID ?? id);
}

function namesOf(row: v.InferOutput<typeof schema>): string[] {
	const listed = row.Names ?? row.RepoTags;
	if (listed) {
		return listed.filter((name) => !name.includes('<none>'));
	}
	const repository = row.Repository ?? row.repository ?? '<none>';
	const tag = row.Tag ?? row.tag ?? '<none>';
	return repository === '<none>' || tag === '<none>' ? [] : [`${repository}:${tag}`];
}

function rows(output: string): unknown[] {
	const text = output.trim();
	const parse = (json: string): unknown => {
		try {
			return JSON.parse(json) as unknown;
		} catch {
			return undefined;
		}
	};
	if (text.startsWith('[')) {
		const all = parse(text);
		return Array.isArray(all) ? (all as unknown[]) : [];
	}
	return text.split('\n').map(parse);
}
