import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import * as v from 'valibot';

import { type StoredImage, StoreTrouble } from '../archive/storedImage.js';
import { joinedLayer } from '../archive/tarSplit.js';

/** How files of an engine's store are read. */
export interface StoreAccess {
	/** Words before each command: what makes the store of a rootless engine readable. */
	readonly prefix: readonly string[];
	readonly env: NodeJS.ProcessEnv;
}

const schema = v.tuple([
	v.object({
		Id: v.pipe(
			v.string(),
			v.transform((id) => id.replace(/^sha256:/, '')),
			v.regex(/^[0-9a-f]{64}$/),
		),
		RootFS: v.object({ Layers: v.array(v.string()) }),
		GraphDriver: v.object({ Data: v.object({ UpperDir: v.string(), LowerDir: v.optional(v.string()) }) }),
	}),
]);

/** Bytes of a file that are read at a time. */
const PIECE = 1 << 18;

interface StoreLayer {
	/** What the layer's archive is made of beside its files. */
	readonly split: string;
	/** The layer's files. */
	readonly folder: string;
}

interface StoreLayout {
	readonly config: string;
	readonly layers: readonly StoreLayer[];
}

/**
 * The image in the engine's own folders, if it is there and may be read: Docker's and Podman's overlay drivers keep the files of
 * each layer and, separately, the rest of its archive. `inspected` is the output of `image inspect`. Reading a layer that
 * way takes as long as the layer is large, while engines save an image as a whole only.
 */
export async function imageInStore(inspected: string, access: StoreAccess): Promise<StoredImage | undefined> {
	const layout = storeLayout(inspected);
	if (!layout) {
		return undefined;
	}
	const config = await buffer(contentOf(layout.config, access)).catch(() => undefined);
	return (
		config && {
			config: JSON.parse(config.toString('utf8')) as unknown,
			layer: (index) => {
				const layer = layout.layers[index];
				if (!layer) {
					throw new StoreTrouble(`there is no layer ${index + 1}`);
				}
				return joinedLayer({
					split: () => contentOf(layer.split, access),
					file: access.prefix.length > 0 ? undefined : (name) => fileIn(layer.folder, name),
					files: (names) => output(archiveOf(layer.folder), access, names),
				});
			},
		}
	);
}

/** A file of the store. Without a prefix this process may read it as well as any program. */
const contentOf = (file: string, access: StoreAccess): AsyncIterable<Buffer> =>
	access.prefix.length > 0 ? output(['cat', '--', file], access) : (createReadStream(file) as AsyncIterable<Buffer>);

/** The content of a regular file. Throws `StoreTrouble` for anything else: opening a FIFO, for example, would wait for ever. */
async function* fileIn(folder: string, name: Buffer): AsyncGenerator<Buffer, void, undefined> {
	const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
	const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
	try {
		const found = await handle.stat();
		if (!found.isFile()) {
			throw new StoreTrouble('a file of the layer is none');
		}
		for (let at = 0; at < found.size;) {
			const { bytesRead, buffer: piece } = await handle.read(Buffer.allocUnsafe(Math.min(PIECE, found.size - at)), 0);
			if (bytesRead === 0) {
				return;
			}
			at += bytesRead;
			yield piece.subarray(0, bytesRead);
		}
	} finally {
		await handle.close();
	}
}

/** The folder counts for names that come after it. */
const archiveOf = (folder: string): string[] => [
	...['tar', '--create', '--file=-', '--format=gnu', '--directory', folder, '--no-recursion', '--hard-dereference'],
	...['--absolute-names', '--null', '--files-from=-'],
];

/** Where the parts of an image are; `undefined` for another kind of store. */
export function storeLayout(inspected: string): StoreLayout | undefined {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), inspected);
	if (!parsed.success) {
		return undefined;
	}
	const [{ Id: id, RootFS, GraphDriver }] = parsed.output;
	const { UpperDir: upper, LowerDir: lower = '' } = GraphDriver.Data;
	const folders = [upper, ...lower.split(':').filter((folder) => folder !== '')].toReversed();
	const diffIds = RootFS.Layers;
	const places = folders.map((folder) => /^(\/.*)\/(overlay2?)\/([^/]+)\/diff$/.exec(folder) ?? []);
	const [, root, driver] = places.at(-1) ?? [];
	if (root === undefined || folders.length !== diffIds.length || places.some(([, other]) => other !== root)) {
		return undefined;
	}
	if (driver === 'overlay2') {
		const base = `${root}/image/overlay2`;
		return {
			config: `${base}/imagedb/content/sha256/${id}`,
			layers: chainIds(diffIds).map((chain, index) => ({
				split: `${base}/layerdb/sha256/${chain}/tar-split.json.gz`,
				folder: folders[index] ?? '',
			})),
		};
	}
	return {
		config: `${root}/overlay-images/${id}/=${Buffer.from(`sha256:${id}`).toString('base64')}`,
		layers: places.map(([folder = '', , , layer = '']) => ({ split: `${root}/overlay-layers/${layer}.tar-split.gz`, folder })),
	};
}

/** Docker's names for layers together with all below them. */
function chainIds(diffIds: readonly string[]): string[] {
	let chain = '';
	return diffIds.map((diffId) => {
		chain = chain === '' ? diffId : `sha256:${createHash('sha256').update(`${chain} ${diffId}`).digest('hex')}`;
		return chain.replace(/^sha256:/, '');
	});
}

/** What a program writes. Throws `StoreTrouble` when it fails; ends it when nobody reads any more. */
async function* output(
	command: readonly string[],
	{ prefix, env }: StoreAccess,
	input?: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
	const [program = '', ...args] = [...prefix, ...command];
	const child = spawn(program, args, { env: { ...env, LC_ALL: 'C' }, stdio: ['pipe', 'pipe', 'pipe'] });
	let said = '';
	child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-1000)));
	const ended = new Promise<number>((resolve) => {
		child.once('error', () => resolve(127));
		child.once('close', (code) => resolve(code ?? 255));
	});
	// A program that ends early closes its end; why it did shows in its exit code.
	const feeding = pipeline(Readable.from(input ?? []), child.stdin).catch(() => undefined);
	try {
		yield* child.stdout as AsyncIterable<Buffer>;
		const code = await ended;
		if (code !== 0) {
			throw new StoreTrouble(`${program} ended with ${code}: ${said.trim()}`);
		}
	} finally {
		child.kill();
		child.stdout.destroy();
		await feeding;
	}
}
