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
export function parseInspection(output: string, name: string): ParsedConfig {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), output);
	if (!parsed.success) {
		throw new BoincError(
			'engine-failed',
			`What the engine says of the image “${name}” has another form than expected: ${parsed.issues[0].message}.`,
			{ detail: { image: name } },
		);
	}
	const { Os: os, Architecture: architecture, Config: config, RootFS } = parsed.output[0];
	return parseConfig({ os, architecture, config, rootfs: { diff_ids: RootFS.Layers } }, name);
}
