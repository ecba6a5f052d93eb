import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { abortError, BoincError, throwIfAborted } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { type StoredImage, StoreTrouble } from '../archive/storedImage.js';
import type { BuildRequest, Engine, EngineAnswer, LocalImage } from '../engine.js';
import { buildArguments } from './buildArguments.js';
import { failedBuild } from './buildFailure.js';
import { type DetectedEngine, engineStopped } from './detection.js';
import { inspectBySocket } from './dockerSocket.js';
import { EngineCommand } from './engineCommand.js';
import { type ImageSummary, parseImageList } from './imageList.js';
import { imageInStore } from './imageStore.js';
import { type ImageDetails, inspectedConfig, parseDetails, parseInspection } from './inspection.js';

const KEPT_LINES = 400;
/** Characters of a line of a build; a longer one comes in pieces. */
const LINE_LENGTH = 1 << 14;
const KEPT_OUTPUT = 1 << 16;
/** How the versions say that there is no such image. */
const NO_IMAGE = /no such (image|object)|image not known|not found|unable to find|did not resolve|invalid reference/i;

/** Docker or Podman by its command line. The two differ in a few options and in what they print. */
export class CliEngine implements Engine {
	readonly kind: Engine['kind'];
	readonly command: string;
	readonly version: string;
	readonly product: string;
	readonly #buildx: boolean;
	/** Its command line, for engines that need other words. */
	protected readonly program: EngineCommand;

	constructor(found: DetectedEngine, env: NodeJS.ProcessEnv) {
		this.kind = found.kind;
		this.command = found.command;
		this.version = found.version;
		this.product = found.product;
		this.#buildx = found.buildx;
		// Whichever builder it is: lines instead of a picture that redraws itself.
		this.program = new EngineCommand(found.command, { ...env, BUILDKIT_PROGRESS: 'plain', NO_COLOR: '1' });
	}

	async build(request: BuildRequest, ctx: OperationContext): Promise<string> {
		const id = await this.#build(request, [], ctx);
		if (await this.#isFor(id, request.platform, ctx)) {
			return id;
		}
		// Podman (seen with 4.3) takes layers of another platform from its cache, and the image is for that one.
		const again = await this.#build(request, ['--no-cache'], ctx);
		if (await this.#isFor(again, request.platform, ctx)) {
			return again;
		}
		throw new BoincError('engine-failed', `${this.command} built an image that is not for ${request.platform ?? ''}.`, {
			remedy: 'Check that all images after FROM exist for this platform, and that no FROM names another one.',
			detail: { id: again, platform: request.platform },
		});
	}

	/** Whether an image is for a platform such as `linux/arm64`; of an engine that does not say, it is taken to be. */
	async #isFor(id: string, platform: string | undefined, ctx: OperationContext): Promise<boolean> {
		const wanted = platform?.split('/')[1];
		const architecture = wanted && (await this.details([id], ctx))[0]?.platform.split('/')[1];
		return !wanted || !architecture || architecture === wanted;
	}

	async #build(request: BuildRequest, more: readonly string[], ctx: OperationContext): Promise<string> {
		throwIfAborted(ctx.signal);
		const dockerfile = isAbsolute(request.dockerfile) ? request.dockerfile : join(request.contextDir, request.dockerfile);
		const text = await readFile(dockerfile, 'utf8').catch((cause: unknown) => {
			throw new BoincError('file-not-found', `There is no Dockerfile ${dockerfile} that can be read.`, {
				remedy: 'Check the path.',
				cause,
				detail: { path: dockerfile },
			});
		});
		const dir = await mkdtemp(join(tmpdir(), 'b2d-build-'));
		try {
			const idFile = join(dir, 'id');
			const output: string[] = [];
			const onLine = (line: string): void => {
				output.push(line);
				if (output.length > KEPT_LINES) {
					output.shift();
				}
				ctx.log.trace(line);
				request.onLog?.(line);
			};
			const { code } = await this.program.run(
				buildArguments(request, { dockerfile, idFile, buildx: this.#buildx, product: this.product, more }),
				ctx.signal,
				onLine,
				onLine,
				LINE_LENGTH,
			);
			throwIfAborted(ctx.signal);
			if (code !== 0) {
				// A daemon that is told to stop kills its containers first, so it may answer for a moment.
				const waits = output.some((line) => /\b137\b/.test(line)) ? [0, 500, 1_000, 1_500] : [0];
				throw (
					(await this.stopped(`built ${dockerfile}`, 'build again', ctx, waits)) ?? failedBuild(output, text, dockerfile, code)
				);
			}
			return await this.#builtId(idFile, request, ctx);
		} finally {
			await rm(dir, { recursive: true, force: true });
		}
	}

	async stopped(
		doing: string,
		then: string,
		ctx: OperationContext,
		waits: readonly number[] = [0],
	): Promise<BoincError | undefined> {
		for (const ms of waits) {
			await sleep(ms, undefined, { ...(ctx.signal && { signal: ctx.signal }) });
			const error = await engineStopped({ command: this.command, doing, then }, this.program.env, ctx);
			if (error) {
				return error;
			}
		}
		return undefined;
	}

	async *save(image: string, ctx: OperationContext): AsyncGenerator<Uint8Array, void, undefined> {
		throwIfAborted(ctx.signal);
		const id = await this.imageId(image, ctx);
		if (id === undefined) {
			throw new BoincError('image-not-found', `${this.command} has no image “${image}” on this computer.`, {
				remedy: `Build it, or fetch it with: ${this.command} pull ${image}`,
				detail: { image },
			});
		}
		const child = await this.program.start(['save', ...(await this.saveOptions(image, ctx)), image]);
		const stop = (): void => void child.end();
		ctx.signal?.addEventListener('abort', stop, { once: true });
		let finished = false;
		try {
			for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
				yield chunk;
			}
			const end = await child.ended();
			finished = true;
			if (!ctx.signal?.aborted && end.code !== 0) {
				throw (
					(await this.stopped(`saved the image “${image}”`, 'try again', ctx)) ??
					this.program.failed(`save the image “${image}”`, end)
				);
			}
		} catch (error) {
			// A stream that was closed by the cancellation reports it in its own words.
			throw ctx.signal?.aborted ? abortError() : error;
		} finally {
			ctx.signal?.removeEventListener('abort', stop);
			if (!finished) {
				await child.end();
			}
		}
		throwIfAborted(ctx.signal);
	}

	/** What makes `save` write one image as Docker does. */
	protected saveOptions(_image: string, _ctx: OperationContext): Promise<string[]> {
		return Promise.resolve(this.kind === 'podman' ? ['--quiet', '--format', 'docker-archive'] : []);
	}

	async imageId(reference: string, ctx: OperationContext): Promise<string | undefined> {
		const lines = await this.inspected(reference, ctx, ['--format', '{{.Id}}']);
		return lines
			?.split('\n')
			.find((line) => /^(sha256:)?[a-f0-9]{64}$/.test(line))
			?.replace(/^sha256:/, '');
	}

	async describe(reference: string, ctx: OperationContext): Promise<LocalImage | undefined> {
		const inspected = await this.inspected(reference, ctx);
		if (inspected === undefined) {
			return undefined;
		}
		const isRootless = this.kind === 'podman' && process.getuid?.() !== 0;
		const access = { prefix: isRootless ? [this.command, 'unshare'] : [], env: this.program.env };
		return {
			...parseInspection(inspected, reference),
			stored: async () => (await imageInStore(inspected, access)) ?? unreadable(inspectedConfig(inspected, reference)),
		};
	}

	/** What `image inspect` says of one image; `undefined` if there is none. */
	protected async inspected(
		reference: string,
		ctx: OperationContext,
		format: readonly string[] = [],
	): Promise<string | undefined> {
		if (reference === '' || reference.startsWith('-')) {
			return undefined;
		}
		if (this.product === 'Docker' && format.length === 0) {
			const said = await inspectBySocket(reference, this.program.env, ctx.signal);
			throwIfAborted(ctx.signal);
			if (said !== undefined) {
				return said;
			}
		}
		const { end, lines } = await this.program.query(['image', 'inspect', ...format, reference], ctx);
		if (end.code === 0) {
			const said = lines.join('\n');
			return said.trim() === '' ? undefined : said;
		}
		if (NO_IMAGE.test(end.stderr)) {
			return undefined;
		}
		throw this.program.failed(`look for the image “${reference}”`, end);
	}

	async listImages(ctx: OperationContext): Promise<readonly ImageSummary[]> {
		const format = this.kind === 'podman' ? 'json' : '{{json .}}';
		const { end, lines } = await this.program.query(['images', '--no-trunc', '--format', format], ctx);
		if (end.code !== 0) {
			throw this.program.failed('list the images', end);
		}
		return parseImageList(lines.join('\n'));
	}

	async details(ids: readonly string[], ctx: OperationContext): Promise<readonly ImageDetails[]> {
		if (ids.length === 0) {
			return [];
		}
		// One that is gone meanwhile makes the command fail, but the others are described all the same.
		const { lines } = await this.program.query(['image', 'inspect', ...ids], ctx);
		return parseDetails(lines.join('\n'));
	}

	async contextName(ctx: OperationContext): Promise<string | undefined> {
		if (this.kind === 'podman') {
			return undefined;
		}
		if (this.program.env.DOCKER_HOST !== undefined && this.program.env.DOCKER_HOST !== '') {
			return this.program.env.DOCKER_HOST;
		}
		const { end, lines } = await this.program.query(['context', 'ls', '--format', '{{if .Current}}{{.Name}}{{end}}'], ctx);
		return end.code === 0 ? lines[0] : undefined;
	}

	async call(args: readonly string[], ctx: OperationContext, onOutput?: (chunk: Uint8Array) => void): Promise<EngineAnswer> {
		throwIfAborted(ctx.signal);
		const child = await this.program.start(args);
		let kept = Buffer.alloc(0);
		const take = (chunk: Buffer): void => {
			if (onOutput) {
				onOutput(chunk);
			} else {
				kept = Buffer.concat([kept, chunk]).subarray(-KEPT_OUTPUT);
			}
		};
		child.stdout.on('data', take);
		child.stderr.on('data', take);
		let ending: Promise<void> | undefined;
		const stop = (): void => {
			ending ??= child.end();
		};
		ctx.signal?.addEventListener('abort', stop, { once: true });
		try {
			const { code } = await child.ended();
			await ending;
			throwIfAborted(ctx.signal);
			return { code, output: kept.toString('utf8') };
		} finally {
			ctx.signal?.removeEventListener('abort', stop);
		}
	}

	/** What finds the image that was built: what the engine wrote as its id. */
	protected builtImage(id: string, _request: BuildRequest, ctx: OperationContext): Promise<string | undefined> {
		return id === '' ? Promise.resolve(undefined) : this.imageId(id, ctx);
	}

	async #builtId(idFile: string, request: BuildRequest, ctx: OperationContext): Promise<string> {
		const id = (await readFile(idFile, 'utf8').catch(() => '')).trim();
		const found = await this.builtImage(id, request, ctx);
		if (found === undefined) {
			throw new BoincError('engine-failed', `${this.command} reported success, but the image it built is not among its images.`, {
				remedy: `Check which builder it uses with: ${this.command} buildx ls`,
				detail: { id },
			});
		}
		return found;
	}
}

/** An image of which only the configuration can be had: enough where all layers are known. */
const unreadable = (config: unknown): StoredImage => ({
	config,
	layer: () => {
		throw new StoreTrouble('the engine alone can read its images');
	},
});
