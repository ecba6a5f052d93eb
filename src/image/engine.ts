import type { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { ParsedConfig } from './archive/imageConfig.js';
import type { StoredImage } from './archive/storedImage.js';
import { CliEngine } from './engine/cliEngine.js';
import { detect, type EngineAbsence, engineMissing, type EngineName } from './engine/detection.js';
import type { ImageSummary } from './engine/imageList.js';
import type { ImageDetails } from './engine/inspection.js';
import { NerdctlEngine } from './engine/nerdctlEngine.js';

export interface BuildRequest {
	/** The build context: a local folder. */
	readonly contextDir: string;
	/** Path of the Dockerfile, absolute or in the context folder. */
	readonly dockerfile: string;
	readonly buildArgs?: Readonly<Record<string, string>>;
	/** Stage of a multi-stage build. */
	readonly target?: string;
	/** `linux/amd64` and the like. */
	readonly platform?: string;
	/** Name for the image. Without it the image has only its id. */
	readonly tag?: string;
	/** Receives each line of the engine's output. */
	readonly onLog?: (line: string) => void;
}

/** What an engine says of an image. */
export interface LocalImage extends ParsedConfig {
	/** The image without an export: its configuration, and single layers where the engine's own folders can be read. */
	readonly stored: () => Promise<StoredImage>;
}

/** A container engine on this computer, used through its own command line with the user's settings. */
export interface Engine {
	/** How its command line is to be used: nerdctl's is as Docker's. */
	readonly kind: EngineName;
	/** For people: `Docker`, `Podman`, `nerdctl`. */
	readonly product: string;
	readonly command: string;
	readonly version: string;
	/**
	 * Builds an image; resolves to its id. Cancelling ends the build with all its processes. Throws `build-failed` with
	 * the step, its line and the last output; `engine-failed` when the engine itself fails.
	 */
	build(request: BuildRequest, ctx: OperationContext): Promise<string>;
	/** The image as an archive for `packArchive`. Leaving the loop early ends the engine's process. Throws `image-not-found`. */
	save(image: string, ctx: OperationContext): AsyncIterable<Uint8Array>;
	/** What the engine knows of a local image by name or id; `undefined` if there is none. Throws `image-unsupported` for what no host runs. */
	describe(reference: string, ctx: OperationContext): Promise<LocalImage | undefined>;
	/** Id of a local image by name or id; `undefined` if there is none. */
	imageId(reference: string, ctx: OperationContext): Promise<string | undefined>;
	/** All local images. */
	listImages(ctx: OperationContext): Promise<readonly ImageSummary[]>;
	/** Size, age, platform and names of local images by their ids; those that are gone are left out. */
	details(ids: readonly string[], ctx: OperationContext): Promise<readonly ImageDetails[]>;
	/** Name of the user's context, or the address of the daemon that is set in its place; `undefined` for an engine without. */
	contextName(ctx: OperationContext): Promise<string | undefined>;
	/**
	 * After something failed: the error `engine-failed` if the engine does not answer any more, with how to start it. `doing` is what it
	 * was doing in the past tense, `then` what to do once it runs again.
	 */
	stopped(doing: string, then: string, ctx: OperationContext): Promise<BoincError | undefined>;
	/**
	 * Runs any other command of the engine to its end, and resolves to its exit code: not zero is no error. `onOutput` gets
	 * what it writes, both outputs mixed, as it comes. Cancelling ends the command, not what it told the engine to do.
	 */
	call(args: readonly string[], ctx: OperationContext, onOutput?: (chunk: Uint8Array) => void): Promise<EngineAnswer>;
}

export interface EngineAnswer {
	readonly code: number;
	/** What it wrote, unless `onOutput` got that; at most the last 64 KiB. */
	readonly output: string;
}

export interface EnginePreference {
	/** Program to use, instead of looking for `docker`, `podman` and `nerdctl`. */
	readonly command?: string;
	/** Added to this process's environment. */
	readonly env?: Readonly<Record<string, string>>;
}

/**
 * Finds the engine: Docker if it works, else Podman, else nerdctl. Nothing of the user's set-up is changed: contexts, builders and
 * credentials are what they are in a terminal. Throws `engine-missing` with what to do.
 */
export async function findEngine(ctx: OperationContext, preference: EnginePreference = {}): Promise<Engine> {
	const env = { ...process.env, ...preference.env };
	const absences: EngineAbsence[] = [];
	for (const command of preference.command === undefined ? ['docker', 'podman', 'nerdctl'] : [preference.command]) {
		const found = await detect(command, env, ctx);
		ctx.signal?.throwIfAborted();
		if ('kind' in found) {
			ctx.log.info(`Using ${found.command} (${found.kind} ${found.version})`);
			return found.product === 'nerdctl' ? new NerdctlEngine(found, env) : new CliEngine(found, env);
		}
		ctx.log.debug(`${command}: ${found.state} ${found.said}`);
		absences.push(found);
	}
	throw engineMissing(absences, process.platform);
}
