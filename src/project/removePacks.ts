import removePacksScript from '../../templates/server/remove-packs.sh';
import { BoincError, throwIfAborted } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { run } from '../connection/run.js';
import { hierarchyPath } from './hierarchy.js';
import { PACK_NAME, type StoredPack, storedPacks, SUBMISSION_SECONDS } from './packList.js';
import { neededPacks } from './packUse.js';
import type { Project } from './project.js';

export interface RemovalReport {
	/** Names of packs that were there and are gone. */
	readonly removed: readonly string[];
	/** Bytes of all their files. */
	readonly bytesFreed: number;
	/** `needed`: an unfinished job has it by now; `recent`: it came or was asked for within a day. */
	readonly kept: readonly { readonly name: string; readonly why: 'needed' | 'recent' }[];
}

/** Small enough to be over soon: between the jobs and the packs nothing else is looked at. */
const AT_ONCE = 200;

/**
 * Removes packs by name, with the records of images that have them, and verifies it. One that an unfinished job needs or that
 * somebody asked for within a day stays, whoever lists it. Names that the server does not have are fine. Rejects with `usage` for what is
 * not the name of a pack, and with `command-failed` when something cannot be removed.
 *
 * A submission asks for packs, which makes them recent, and then creates jobs. So the jobs are looked at first and the times
 * afterwards: a job that was created in between has packs that are recent.
 */
export async function removePacks(project: Project, names: readonly string[], ctx: OperationContext): Promise<RemovalReport> {
	const odd = names.find((name) => !PACK_NAME.test(name));
	if (odd !== undefined) {
		throw new BoincError('usage', `“${odd}” is not the name of a pack.`, { detail: { name: odd } });
	}
	const before = await known(project, names, ctx);
	const removed: StoredPack[] = [];
	const kept: { name: string; why: 'needed' | 'recent' }[] = [];
	const present = [...before.keys()];
	for (let start = 0; start < present.length; start += AT_ONCE) {
		throwIfAborted(ctx.signal);
		const some = present.slice(start, start + AT_ONCE);
		const needed = await neededPacks(project, ctx);
		ctx.progress.report({ message: 'Removing packs', current: start, total: present.length, unit: 'items' });
		const { recent, said } = await removeSome(
			project,
			some.filter((name) => !needed.has(name)),
			ctx,
		);
		kept.push(...some.filter((name) => needed.has(name)).map((name) => ({ name, why: 'needed' as const })));
		kept.push(...[...recent].map((name) => ({ name, why: 'recent' as const })));
		const gone = some.filter((name) => !needed.has(name) && !recent.has(name));
		const left = new Map(await known(project, gone, ctx));
		// Sent again as soon as it was removed.
		for (const { name, wantedSeconds } of [...left.values()]) {
			if (wantedSeconds < SUBMISSION_SECONDS) {
				left.delete(name);
				kept.push({ name, why: 'recent' });
			}
		}
		const stayed = new Set([...left.keys(), ...kept.map(({ name }) => name)]);
		removed.push(...gone.filter((name) => !stayed.has(name)).flatMap((name) => before.get(name) ?? []));
		if (left.size > 0) {
			throw new BoincError(
				'command-failed',
				`${plural(left.size, 'pack')} of ${project.name} could not be removed${said === '' ? '' : `: ${said}`}. ${plural(removed.length, 'pack')} were removed.`,
				{ detail: { left: left.size, removed: removed.length, first: [...left.keys()][0] } },
			);
		}
	}
	const bytesFreed = removed.reduce((sum, { bytes }) => sum + bytes, 0);
	ctx.log.info(`removed ${plural(removed.length, 'pack')} (${bytesFreed} bytes) from ${project.name}; ${kept.length} stayed`);
	return { removed: removed.map(({ name }) => name), bytesFreed, kept };
}

async function known(
	project: Project,
	names: readonly string[],
	ctx: OperationContext,
): Promise<ReadonlyMap<string, StoredPack>> {
	const wanted = new Set(names);
	const packs = wanted.size === 0 ? [] : await storedPacks(project, ctx);
	return new Map(packs.filter(({ name }) => wanted.has(name)).map((pack) => [pack.name, pack]));
}

async function removeSome(
	project: Project,
	names: readonly string[],
	ctx: OperationContext,
): Promise<{ recent: ReadonlySet<string>; said: string }> {
	if (names.length === 0) {
		return { recent: new Set(), said: '' };
	}
	const { downloadDir, uldlDirFanout } = project.config;
	const { stdout, stderr } = await run(project.connection, ['sh', '-c', removePacksScript, 'sh', project.root, downloadDir], {
		doing: `remove packs from ${downloadDir}`,
		stdin: names.map((name) => `${hierarchyPath(name, uldlDirFanout)}\n`).join(''),
		timeoutMs: 600_000,
		...(ctx.signal && { signal: ctx.signal }),
	});
	const recent = stdout
		.toString('latin1')
		.split('\n')
		.flatMap((line) => (line.startsWith('kept ') ? [line.slice('kept '.length)] : []));
	return { recent: new Set(recent), said: stderr.toString('utf8').trim().split('\n').at(-1) ?? '' };
}
