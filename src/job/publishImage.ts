import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import publishScript from '../../templates/server/publish-image.sh';
import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { run } from '../connection/run.js';
import { encodeHeader, endOfArchive, padding } from '../image/tar/encodeHeader.js';
import type { Pack, PackFacts } from '../image/types.js';
import { briefScript } from '../project/briefScript.js';
import { hierarchyPath } from '../project/hierarchy.js';
import { IMAGE_STORE } from '../project/imageStore.js';
import type { Project } from '../project/project.js';

const IDLE_MS = 300_000;

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
 * begins at once: the server is ready by the time that the image is. Resolves to the bytes that were sent. Rejects as `image` does; with
 * `transfer-corrupt` when something else arrived than was sent, `disk-full`, `permission-denied`; when a pack of the image is gone.
 */
export async function publishImage(project: Project, image: Promise<ImageToPublish>, ctx: OperationContext): Promise<number> {
	const { root, config, connection } = project;
	let bytesSent = 0;
	const archive = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
		for await (const piece of archiveOf(await image, config.uldlDirFanout)) {
			bytesSent += piece.length;
			yield piece;
		}
	};
	const folder = `${root}/${IMAGE_STORE}`;
	const words = [root, config.downloadDir, `incoming-${randomUUID()}`];
	const { stdout } = await run(connection, ['sh', '-c', briefScript(publishScript), 'sh', ...words], {
		doing: `record the image in ${folder}`,
		stdin: archive(),
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
	return bytesSent;
}

/** A member of the archive. */
interface Member {
	readonly name: string;
	readonly size: number;
	readonly open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
	/** Of a further name of a member: that one. */
	readonly linkName?: string;
}

/** See `publish-image.sh`. */
async function* archiveOf(image: ImageToPublish, fanout: number): AsyncGenerator<Uint8Array, void, undefined> {
	const { names, packs, description, manifests, enclosed, checked } = image;
	const pathOf = ({ name }: { readonly name: string }): string => hierarchyPath(name, fanout);
	const [firstName = ''] = names;
	const lines = packs.map((pack) => `pack ${pathOf(pack)} ${String(pack.size)} ${pack.md5}`);
	const record = await promisify(gzip)(`${lines.join('\n')}\n${JSON.stringify(description)}\n`, { level: 9 });
	const index = [
		...enclosed.map((pack) => `pack ${pack.sha256} ${pack.name} ${pathOf(pack)} ${pack.md5} ${String(pack.size)}`),
		...[...manifests].map(([name, bytes]) => `manifest ${hashOf(bytes)} ${name}`),
		`record ${hashOf(record)} ${firstName}`,
		...packs.map((pack) => `need ${pathOf(pack)}`),
		...checked.map((name) => `checked ${name}`),
	];
	const members: Member[] = [
		memberOf('index', Buffer.from(`${index.join('\n')}\n`)),
		memberOf(`images/${firstName}`, record),
		...names.slice(1).map((name) => ({ name: `images/${name}`, size: 0, open: () => [], linkName: `images/${firstName}` })),
		...[...manifests].map(([name, bytes]) => memberOf(`manifests/${name}`, bytes)),
		...enclosed.map(({ name, size, content }) => ({ name: `packs/${name}`, size, open: () => content.open(0) })),
	];
	for (const member of members) {
		yield* entryOf(member);
	}
	yield endOfArchive();
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const memberOf = (name: string, bytes: Uint8Array): Member => ({ name, size: bytes.length, open: () => [bytes] });

async function* entryOf({ name, size, open, linkName = '' }: Member): AsyncGenerator<Uint8Array, void, undefined> {
	const owner = { mode: 0o644, uid: 0, gid: 0, mtime: 0, xattrs: new Map() };
	const kind = linkName === '' ? 'file' : 'hardlink';
	yield encodeHeader({ name, kind, ...owner, size, linkName, deviceMajor: 0, deviceMinor: 0 });
	yield* open();
	yield padding(size);
}
