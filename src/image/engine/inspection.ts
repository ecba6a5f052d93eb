import * as v from 'valibot';

import { BoincError } from '../../common/errors.js';
import { parseConfig, type ParsedConfig } from '../archive/imageConfig.js';

/** What `image inspect` of Docker and Podman have in common. With `{{json .}}` Podman gives its fields other names. */
const image = v.object({
	Os: v.string(),
	Architecture: v.string(),
	Config: v.nullish(v.unknown()),
	RootFS: v.object({ Layers: v.nullish(v.array(v.string()), []) }),
});

const schema = v.tuple([image]);

/** Reads the output of `image inspect`. Throws `engine-failed`, and as `parseConfig` does. */
export const parseInspection = (output: string, name: string): ParsedConfig => parseConfig(inspectedConfig(output, name), name);

/** The configuration in the output of `image inspect` in the form that saved images have it in. Throws `engine-failed`. */
export function inspectedConfig(output: string, name: string): unknown {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), output);
	if (!parsed.success) {
		throw new BoincError(
			'engine-failed',
			`What the engine says of the image “${name}” has another form than expected: ${parsed.issues[0].message}.`,
			{ detail: { image: name } },
		);
	}
	const { Os: os, Architecture: architecture, Config: config, RootFS } = parsed.output[0];
	return { os, architecture, config, rootfs: { diff_ids: RootFS.Layers } };
}

/** What a person wants to know of a local image. */
export interface ImageDetails {
	/** Without the `sha256:` in front. */
	readonly id: string;
	/** `repository:tag` each. */
	readonly names: readonly string[];
	/** Docker's words: `linux/amd64`. */
	readonly platform: string;
	/** Bytes that it takes on this computer. */
	readonly size: number;
	/** Milliseconds since the epoch; 0 when the engine does not say. */
	readonly createdAt: number;
}

const details = v.array(
	v.object({
		Id: v.string(),
		RepoTags: v.nullish(v.array(v.string()), []),
		Os: v.optional(v.string(), ''),
		Architecture: v.optional(v.string(), ''),
		Size: v.optional(v.number(), 0),
		Created: v.nullish(v.string(), ''),
	}),
);

/** Reads the output of `image inspect` of any number of images; empty for what has another form. */
export function parseDetails(output: string): ImageDetails[] {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), details), output);
	return !parsed.success
		? []
		: parsed.output.map(({ Id, RepoTags, Os, Architecture, Size, Created }) => {
				const time = Date.parse(Created);
				return {
					id: Id.replace(/^sha256:/, ''),
					names: RepoTags,
					platform: `${Os}/${Architecture}`,
					size: Size,
					// What a build without a clock writes is long ago, and no time.
					createdAt: Number.isNaN(time) || time < 0 ? 0 : time,
				};
			});
}
