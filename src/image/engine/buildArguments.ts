import type { BuildRequest } from '../engine.js';

/** How one build differs from others besides what was asked for. */
export interface BuildWays {
	/** Absolute path of the Dockerfile. */
	readonly dockerfile: string;
	/** File that the engine writes the image's id to. */
	readonly idFile: string;
	/** Whether Docker builds with BuildKit's client. */
	readonly buildx: boolean;
	/** As the engine calls itself, `Docker` or another. */
	readonly product: string;
	/** Further options. */
	readonly more: readonly string[];
}

/** The arguments after `docker` or `podman` that build an image. */
export function buildArguments(request: BuildRequest, { dockerfile, idFile, buildx, product, more }: BuildWays): string[] {
	const option = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [`--${name}=${value}`]);
	return [
		'build',
		`--file=${dockerfile}`,
		`--iidfile=${idFile}`,
		...more,
		// A builder in a container of its own keeps the image to itself otherwise.
		...(buildx ? ['--load'] : []),
		// The classic builder keeps the container of a failed or cancelled step otherwise.
		...(product === 'Docker' && !buildx ? ['--force-rm'] : []),
		...Object.entries(request.buildArgs ?? {}).flatMap(([name, value]) => option('build-arg', `${name}=${value}`)),
		...option('target', request.target),
		...option('platform', request.platform),
		...option('tag', request.tag),
		'--',
		request.contextDir,
	];
}
