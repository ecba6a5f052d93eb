import * as v from 'valibot';

import { BoincError } from '../../common/errors.js';
import type { ImageConfig } from '../types.js';

/** The config of an image together with the SHA-256 of its unpacked layers, lowest first. */
export interface ParsedConfig {
	readonly config: ImageConfig;
	readonly diffIds: readonly string[];
	/** What made each layer, in the builder's words; empty where nobody says. */
	readonly history: readonly string[];
}

const words = v.nullish(v.array(v.string()), []);
const text = v.nullish(v.string(), '');
// Keys beyond these are ignored: engines add some with every version.
const schema = v.object({
	os: text,
	architecture: text,
	config: v.nullish(
		v.object({
			Entrypoint: words,
			Cmd: words,
			Env: words,
			WorkingDir: text,
			User: text,
			Labels: v.nullish(v.record(v.string(), v.string()), {}),
		}),
		{},
	),
	rootfs: v.nullish(v.object({ diff_ids: words })),
	history: v.nullish(v.array(v.object({ created_by: text, comment: text, empty_layer: v.nullish(v.boolean(), false) })), []),
});

/** Architectures of containers that volunteers' hosts run, in Docker's words. */
const ARCHITECTURES = ['amd64', 'arm64'];

/** Reads an image's config (Docker's or OCI's). Throws `archive-corrupt`, or `image-unsupported` for what no host runs. */
export function parseConfig(json: unknown, label: string): ParsedConfig {
	const result = v.safeParse(schema, json);
	if (!result.success) {
		throw new BoincError(
			'archive-corrupt',
			`The configuration of the image (${label}) has another form than expected: ${result.issues[0].message}.`,
			{
				detail: { archive: label },
			},
		);
	}
	const { os, architecture, config, rootfs, history } = result.output;
	const read: ImageConfig = {
		os: os === '' ? 'linux' : os,
		architecture,
		entrypoint: config.Entrypoint,
		cmd: config.Cmd,
		env: config.Env,
		workingDir: config.WorkingDir,
		user: config.User,
		labels: config.Labels,
	};
	requireRunnable(read, label);
	const layered = history.filter((entry) => !entry.empty_layer);
	return { config: read, diffIds: rootfs?.diff_ids ?? [], history: layered.map((entry) => entry.created_by || entry.comment) };
}

function requireRunnable(config: ImageConfig, label: string): void {
	if (config.os !== 'linux') {
		throw new BoincError(
			'image-unsupported',
			`The image (${label}) is for ${config.os}; volunteers’ hosts run Linux containers.`,
			{
				remedy: 'Build it from a Linux base image.',
				detail: { os: config.os },
			},
		);
	}
	if (!ARCHITECTURES.includes(config.architecture)) {
		const what = config.architecture === '' ? 'does not say its architecture' : `is for the architecture ${config.architecture}`;
		throw new BoincError('image-unsupported', `The image (${label}) ${what}; hosts run amd64 or arm64.`, {
			remedy: 'Build it with --platform linux/amd64 or --platform linux/arm64.',
			detail: { architecture: config.architecture },
		});
	}
}
