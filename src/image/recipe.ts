import { SLOT_MOUNT } from './tree/sharedFolder.js';
import type { ImageConfig } from './types.js';

/** What a recipe needs of a packed image. */
export interface RecipeImage {
	/** `PackedImage.id`. */
	readonly id: string;
	readonly config: Pick<ImageConfig, 'env' | 'workingDir'>;
	/** Names of the packs in the slot, in the order of `PackedImage.packs`: it matters. */
	readonly packs: readonly string[];
}

export interface RecipeRunner {
	/** The entry point of the container, found in the mounted slot. */
	readonly entrypoint: readonly string[];
}

/** The runner as the app version brings it. */
export const RUNNER: RecipeRunner = { entrypoint: [`${SLOT_MOUNT}/busybox`, 'sh', `${SLOT_MOUNT}/runner`] };

/**
 * The name of the image on volunteers' hosts. No tag (docker_wrapper would not find it again), lower case, and with the
 * prefix by which BOINC's client recognises images that it may remove.
 */
export const imageName = (id: string): string => `boinc__b2d_${id.slice(0, 32)}`;

/**
 * The Dockerfile that puts an image together again on a volunteer's host: nothing runs, nothing is fetched. The image's
 * user, command, and what `leftToRunner` returns are not in it; the runner applies them.
 */
export function dockerfileFor(image: RecipeImage, runner: RecipeRunner = RUNNER): string {
	const env = image.config.env.filter((pair) => envTrouble(pair) === undefined).map(envWord);
	const { workingDir } = image.config;
	const lines = [
		'FROM scratch',
		// One instruction makes one layer; archives are unpacked in this order.
		`ADD ${[...image.packs, '/'].join(' ')}`,
		`LABEL org.boinc.boinc2docker.image=${image.id}`,
		...(env.length > 0 ? [`ENV ${env.join(' \\\n    ')}`] : []),
		...(isPlainPath(workingDir) ? [`WORKDIR ${workingDir}`] : []),
		// The runner prepares the job as root and then becomes the image's user.
		'USER 0',
		`ENTRYPOINT ${JSON.stringify(runner.entrypoint)}`,
	];
	return `${lines.join('\n')}\n`;
}

/** The parts of a config that a Dockerfile cannot carry safely, for the runner to set. */
export function leftToRunner(config: RecipeImage['config']): { readonly env: readonly string[]; readonly workingDir: string } {
	return {
		env: config.env.filter((pair) => envTrouble(pair) !== undefined),
		workingDir: config.workingDir === '' || isPlainPath(config.workingDir) ? '' : config.workingDir,
	};
}

/** Longest line that all builders read: Go's line scanner stops at 64 KiB. */
const MAX_LINE = 60_000;

/** Why an environment variable cannot be in a Dockerfile. */
function envTrouble(pair: string): 'name' | 'control character' | 'length' | 'word' | undefined {
	const name = pair.slice(0, Math.max(0, pair.indexOf('=')));
	if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) {
		return 'name';
	}
	// A line is a line: Dockerfiles have no escape for a line break.
	if (/[^\P{Cc}\t]|[\u2028\u2029]/u.test(pair)) {
		return 'control character';
	}
	if (Buffer.byteLength(pair) > MAX_LINE) {
		return 'length';
	}
	// Builders print the instructions, and docker_wrapper takes this word anywhere in their output for a failure.
	return pair.includes('Error') ? 'word' : undefined;
}

/** `NAME="value"`: inside double quotes these three are special to both builders, and nothing else. */
function envWord(pair: string): string {
	const equals = pair.indexOf('=');
	const value = pair.slice(equals + 1).replaceAll(/["\\$]/g, String.raw`\$&`);
	return `${pair.slice(0, equals)}="${value}"`;
}

/** Paths that need no quoting, absolute, and without the word that docker_wrapper fears. */
const isPlainPath = (path: string): boolean => /^\/[A-Za-z0-9_./@+-]*$/.test(path) && !path.includes('Error');
