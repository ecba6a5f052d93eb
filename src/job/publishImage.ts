import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';

import publishScript from '../../templates/server/publish-image.py';
import { BoincError } from '../common/errors.js';
import type { FileCache } from '../common/fileCache.js';
import type { OperationContext } from '../common/ports.js';
import { run } from '../connection/run.js';
import type { Pack, PackFacts } from '../image/types.js';
import { briefPython } from '../project/briefScript.js';
import { hierarchyPath } from '../project/hierarchy.js';
import { IMAGE_STORE, keepRecord } from '../project/imageStore.js';
import type { Project } from '../project/project.js';

const IDLE_MS = 300_000;
/** BOINC's own tools need a `python`; where that is version 2, as on old servers, the other one has its number in its name. */
const PYTHON =
	'for python in /usr/bin/python3 python3 python; do command -v "$python" >/dev/null && exec "$python" "$@"; done; ' +
	'echo "there is no Python" >&2; exit 127';
/** Runs the script at the beginning of its input, whose gzip'd size is its first argument: so it travels in a third of its bytes. */
const LOADER = 'import sys, zlib; exec(zlib.decompress(sys.stdin.buffer.read(int(sys.argv.pop(1))), 31))';
const SCRIPT = gzipSync(briefPython(publishScript), { level: 9 });

/** An image whose packs the server has, but for those that travel along. */
export interface ImageToPublish {
	/** Each finds it. */
	readonly names: readonly string[];
	/** All packs of the image. */
	readonly packs: readonly Pick<PackFacts, 'name' | 'size' | 'md5'>[];
	/** Any JSON value that is an object. */
	readonly description: object;
	/** Manifests of packs that are new on the server. */
	readonly manifests: ReadonlyMap<string, Uint8Array>;
	/** Packs that travel along. */
	readonly enclosed: readonly Pick<Pack, 'name' | 'size' | 'md5' | 'sha256' | 'content'>[];
	/** Names of packs whose content the server has compared with its hash just now. */
	readonly checked: readonly string[];
}

/**
 * Records an image, so that later ones find it, and puts the enclosed packs into the download hierarchy before. One round trip, which
 * begins at once: the server is ready by the time that the image is. The record is kept in `cache`. Resolves to the bytes that were sent. Rejects as `image` does; with
 * `transfer-corrupt` when something else arrived than was sent, `disk-full`, `permission-denied`; when a pack of the image is gone.
 */
export async function publishImage(
	project: Project,
	image: Promise<ImageToPublish>,
	cache: FileCache,
	ctx: OperationContext,
): Promise<number> {
	const { root, config, connection } = project;
	const recorded = image.then((given) => recordOf(given, config.uldlDirFanout));
	// Who reads the stream learns it there.
	recorded.catch(() => undefined);
	let bytesSent = 0;
	const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
		yield SCRIPT;
		for await (const piece of streamOf(await image, await recorded, config.uldlDirFanout)) {
			bytesSent += piece.length;
			yield piece;
		}
	};
	const folder = `${root}/${IMAGE_STORE}`;
	const words = [LOADER, String(SCRIPT.length), root, config.downloadDir, `incoming-${randomUUID()}`];
	const { stdout } = await run(connection, ['sh', '-c', PYTHON, 'sh', '-I', '-S', '-c', ...words], {
		doing: `record the image in ${folder}`,
		stdin: counted(),
		timeoutMs: Number.POSITIVE_INFINITY,
		idleTimeoutMs: IDLE_MS,
		...(ctx.signal && { signal: ctx.signal }),
	});
	const said = stdout.toString('utf8').trim();
	if (said === 'different') {
		throw new BoincError('transfer-corrupt', `The image arrived damaged on ${connection.name}; nothing was put there.`, {
			remedy: 'Check the disks of this computer and of the server, and try again.',
		});
	}
	if (said !== 'done') {
		throw new BoincError('command-failed', `The image could not be recorded in ${folder} on ${connection.name}.`);
	}
	await keepRecord(project, (await image).names, await recorded, cache);
	return bytesSent;
}

/** What the server keeps of an image: lines for its scripts, and the description. */
async function recordOf({ packs, description }: ImageToPublish, fanout: number): Promise<Buffer> {
	const facts = packs.map(({ name, size, md5 }) => `pack ${hierarchyPath(name, fanout)} ${String(size)} ${md5}`);
	return promisify(gzip)(`${facts.join('\n')}\n${JSON.stringify(description)}\n`, { level: 9 });
}

/** What `publish-image.py` reads. */
async function* streamOf(image: ImageToPublish, record: Buffer, fanout: number): AsyncGenerator<Uint8Array, void, undefined> {
	const { names, manifests, enclosed, checked } = image;
	const pathOf = ({ name }: { readonly name: string }): string => hierarchyPath(name, fanout);
	const lines = [
		...enclosed.map((pack) => `pack ${pack.sha256} ${String(pack.size)} ${pack.name} ${pathOf(pack)} ${pack.md5}`),
		...[...manifests].map(([name, bytes]) => `manifest ${hashOf(bytes)} ${bytes.length} ${name}`),
		`record ${hashOf(record)} ${record.length} ${names.join(' ')}`,
		...checked.map((name) => `checked ${name}`),
	];
	yield Buffer.from(`${lines.join('\n')}\n\n`);
	for (const { content } of enclosed) {
		yield* content.open(0);
	}
	yield* manifests.values();
	yield record;
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
