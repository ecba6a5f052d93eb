import * as v from 'valibot';

import { STORAGE_KEYS } from '../../common/ids.js';
import { type BuildOptions, PLATFORM_CHOICES } from '../../protocol/imagesPage.js';
import type { Storage } from '../servers/serverStore.js';
import type { ImageSource } from './imageSource.js';

const optionsSchema = v.record(
	v.string(),
	v.object({
		target: v.string(),
		platform: v.picklist(PLATFORM_CHOICES),
		tag: v.string(),
		args: v.record(v.string(), v.string()),
	}),
);
const idsSchema = v.record(v.string(), v.array(v.string()));
const textsSchema = v.record(v.string(), v.string());

/** Of a Dockerfile; more are forgotten. */
const MOST_BUILT = 6;
const MOST_KEYS = 100;

/** What is remembered of the images of a workspace: options, which images came from which Dockerfile, what was pushed where. */
export class ImageMemory {
	readonly #storage: Storage;

	constructor(storage: Storage) {
		this.#storage = storage;
	}

	options({ id, defaults }: ImageSource): BuildOptions {
		return this.#read(STORAGE_KEYS.imageOptions, optionsSchema)[id] ?? { ...defaults, args: {} };
	}

	async setOptions({ id }: ImageSource, options: BuildOptions): Promise<void> {
		await this.#write(STORAGE_KEYS.imageOptions, optionsSchema, id, options);
	}

	/** Ids of images that were built from it, the newest first. */
	built({ id }: ImageSource): readonly string[] {
		return this.#read(STORAGE_KEYS.builtImages, idsSchema)[id] ?? [];
	}

	async addBuilt(source: ImageSource, ids: readonly string[]): Promise<void> {
		const all = [...new Set([...ids, ...this.built(source)])].slice(0, MOST_BUILT);
		await this.#write(STORAGE_KEYS.builtImages, idsSchema, source.id, all);
	}

	/** Id of the image that was chosen; `undefined` for the newest. */
	selected({ id }: ImageSource): string | undefined {
		const chosen = this.#read(STORAGE_KEYS.selectedImages, textsSchema)[id];
		return chosen === '' ? undefined : chosen;
	}

	async setSelected({ id }: ImageSource, image: string | undefined): Promise<void> {
		await this.#write(STORAGE_KEYS.selectedImages, textsSchema, id, image ?? '');
	}

	/** The image that was pushed to a server last, as servers know it. */
	pushed({ id }: ImageSource, serverId: string): string | undefined {
		return this.#read(STORAGE_KEYS.pushedImages, textsSchema)[`${serverId} ${id}`];
	}

	async setPushed({ id }: ImageSource, serverId: string, image: string): Promise<void> {
		await this.#write(STORAGE_KEYS.pushedImages, textsSchema, `${serverId} ${id}`, image);
	}

	/** Id of the Dockerfile that is unfolded in the panel. */
	get open(): string | undefined {
		const stored = this.#storage.get(STORAGE_KEYS.openImage);
		return typeof stored === 'string' && stored !== '' ? stored : undefined;
	}

	async setOpen(id: string | undefined): Promise<void> {
		await this.#storage.update(STORAGE_KEYS.openImage, id ?? '');
	}

	#read<T>(key: string, schema: v.GenericSchema<unknown, Readonly<Record<string, T>>>): Readonly<Record<string, T>> {
		const parsed = v.safeParse(schema, this.#storage.get(key));
		return parsed.success ? parsed.output : {};
	}

	async #write<T>(
		key: string,
		schema: v.GenericSchema<unknown, Readonly<Record<string, T>>>,
		id: string,
		value: T,
	): Promise<void> {
		const others = Object.entries(this.#read(key, schema)).filter(([other]) => other !== id);
		await this.#storage.update(key, Object.fromEntries([...others.slice(1 - MOST_KEYS), [id, value]]));
	}
}
