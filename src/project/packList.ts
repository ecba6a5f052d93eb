import listPacksScript from '../../templates/server/list-packs.sh';
import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { run } from '../connection/run.js';
import { hierarchyPath } from './hierarchy.js';
import { type PackUse, packUse } from './packUse.js';
import type { Project } from './project.js';

/** Nothing else is ever removed. */
export const PACK_NAME = /^b2d_pack_[0-9a-f]{32}\.tar\.gz$/;

/** So long a pack stays that came or was asked for: a submission may be under way. `remove-packs.sh` has the same. */
export const SUBMISSION_SECONDS = 86_400;

/** What lies on the server under the name of a pack. Times are seconds ago, by the server's clock. */
export interface StoredPack {
	readonly name: string;
	/** All its files: data, side file, manifest. */
	readonly bytes: number;
	/** Since the data came; since the newest other file of it where there is none. */
	readonly ageSeconds: number;
	/** Since an image with it was sent or asked for; `undefined` when no known image has it. */
	readonly lastUseSeconds: number | undefined;
	/** Since anything told that somebody wants it. */
	readonly wantedSeconds: number;
	/** Known images that have it, by the names of their records. */
	readonly images: readonly string[];
}

/** A pack for people. */
export interface ListedPack extends StoredPack {
	/** Batches whose jobs have it, ascending. */
	readonly batches: readonly number[];
	/** `needed` by an unfinished job; `recent`: came or was asked for within a day; `unused` ones can be removed. */
	readonly state: 'needed' | 'recent' | 'unused';
}

/** All packs that the server has or knows of, those first that were not used for longest. */
export async function listPacks(project: Project, ctx: OperationContext): Promise<ListedPack[]> {
	// In this order: a submission asks for packs before it creates jobs.
	const use = await packUse(project, ctx);
	const packs = await storedPacks(project, ctx);
	return packs.map((pack) => listed(pack, use.get(pack.name))).sort((a, b) => idleSeconds(b) - idleSeconds(a));
}

function listed(pack: StoredPack, use: PackUse | undefined): ListedPack {
	const state = use?.needed === true ? 'needed' : pack.wantedSeconds < SUBMISSION_SECONDS ? 'recent' : 'unused';
	return { ...pack, batches: use?.batches ?? [], state };
}

/** For how long nobody has sent the pack or an image with it. */
export const idleSeconds = ({ ageSeconds, lastUseSeconds }: StoredPack): number =>
	Math.min(ageSeconds, lastUseSeconds ?? Number.POSITIVE_INFINITY);

/** What is under the names of packs on the server, in one round trip. */
export async function storedPacks(project: Project, ctx: OperationContext): Promise<StoredPack[]> {
	const { downloadDir, uldlDirFanout } = project.config;
	const { stdout } = await run(project.connection, ['sh', '-c', listPacksScript, 'sh', project.root, downloadDir], {
		doing: `list the packs of ${project.name}`,
		maxStdout: 256 << 20,
		timeoutMs: 600_000,
		...(ctx.signal && { signal: ctx.signal }),
	});
	const text = stdout.toString('latin1');
	if (!text.endsWith('end\n')) {
		throw new BoincError('command-failed', `The list of packs of ${project.name} is not complete.`);
	}
	return parsePacks(text, uldlDirFanout);
}

/** Reads what `list-packs.sh` says. Files that BOINC would not find in their folder are left out. */
export function parsePacks(text: string, fanout: number): StoredPack[] {
	const drafts = new Map<string, Draft>();
	const images = new Map<string, number>();
	let now = 0;
	const draftOf = (name: string): Draft | undefined => {
		if (!PACK_NAME.test(name)) {
			return undefined;
		}
		const draft = drafts.get(name) ?? { bytes: 0, times: [], images: [] };
		drafts.set(name, draft);
		return draft;
	};
	for (const line of text.split('\n')) {
		const [kind, first = '', second = '', third = ''] = line.split(' ');
		if (kind === 'now') {
			now = Number(first);
		} else if (kind === 'image') {
			images.set(third, Number(first));
		} else if (kind === 'has') {
			draftOf(second)?.images.push(first);
		} else if (kind === 'file' || kind === 'manifest') {
			const file = third.slice(third.lastIndexOf('/') + 1);
			const name = file.replace(/(\.md5)?(\.gone)?$/, '');
			const draft =
				kind === 'manifest' || third === hierarchyPath(name, fanout) + file.slice(name.length) ? draftOf(name) : undefined;
			add(draft, Number(first), Number(second), kind === 'file' && file === name);
		}
	}
	return [...drafts].map(([name, draft]) => finished(name, draft, images, now));
}

interface Draft {
	bytes: number;
	/** When the data came. */
	data?: number;
	/** Of all files. */
	times: number[];
	images: string[];
}

function add(draft: Draft | undefined, time: number, size: number, isData: boolean): void {
	if (draft) {
		draft.bytes += size;
		draft.times.push(time);
		if (isData) {
			draft.data = time;
		}
	}
}

function finished(name: string, draft: Draft, images: ReadonlyMap<string, number>, now: number): StoredPack {
	const since = (times: readonly number[]): number | undefined =>
		times.length === 0 ? undefined : Math.max(0, now - Math.max(...times));
	const lastUseSeconds = since(draft.images.flatMap((image) => images.get(image) ?? []));
	const touched = since(draft.times);
	const wantedSeconds = Math.min(touched ?? Number.POSITIVE_INFINITY, lastUseSeconds ?? Number.POSITIVE_INFINITY);
	return {
		name,
		bytes: draft.bytes,
		ageSeconds: since(draft.data === undefined ? [] : [draft.data]) ?? touched ?? wantedSeconds,
		lastUseSeconds,
		wantedSeconds: Number.isFinite(wantedSeconds) ? wantedSeconds : 0,
		images: draft.images,
	};
}
