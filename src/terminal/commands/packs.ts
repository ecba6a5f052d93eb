import { BoincError } from '../../common/errors.js';
import { formatBytes, formatSeconds, plural } from '../../common/format.js';
import { parseSeconds } from '../../common/parseUnits.js';
import { idleSeconds, type ListedPack, listPacks } from '../../project/packList.js';
import { type RemovalReport, removePacks } from '../../project/removePacks.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, type Session, withProject } from '../session.js';
import { table } from '../table.js';
import { flag } from './jobOptions.js';

interface PacksOptions extends GlobalOptions {
	readonly removeUnused?: boolean;
	readonly olderThan?: string;
	readonly only?: readonly string[];
}

/** Enough of the hash to tell packs apart. */
const SHORT = 12;
const hashOf = (name: string): string => name.slice('b2d_pack_'.length, -'.tar.gz'.length);
const shortName = (name: string): string => hashOf(name).slice(0, SHORT);

const STATES: Readonly<Record<ListedPack['state'], string>> = {
	needed: 'yes',
	recent: 'no, but used within a day',
	unused: 'no',
};

/** `1, 2, 3` or `1, 2 … 9 (40)`. */
export function batchesText(batches: readonly number[]): string {
	const last = batches.at(-1);
	return batches.length <= 4 || last === undefined
		? batches.join(', ')
		: `${batches.slice(0, 2).join(', ')} … ${last} (${batches.length})`;
}

/**
 * The packs that the options mean: unused ones, those that nobody has used for `olderThan` seconds, or those whose hash begins with one of
 * `only`. Throws `usage` for a name that means none, several, or a pack that must stay.
 */
export function selectPacks(
	packs: readonly ListedPack[],
	{ olderThan = 0, only }: { readonly olderThan?: number | undefined; readonly only?: readonly string[] | undefined },
): ListedPack[] {
	const old = packs.filter((pack) => pack.state === 'unused' && idleSeconds(pack) >= olderThan);
	return only ? [...new Set(only.map((text) => packNamed(packs, old, text)))] : old;
}

function packNamed(packs: readonly ListedPack[], removable: readonly ListedPack[], text: string): ListedPack {
	const found = packs.filter(({ name }) => text !== '' && (name === text || hashOf(name).startsWith(text)));
	const [pack, ...others] = found;
	const problem =
		pack === undefined
			? 'is not the name of a pack on the server'
			: others.length > 0
				? 'is the beginning of several names'
				: pack.state === 'needed'
					? 'is needed by unfinished jobs'
					: pack.state === 'recent'
						? 'came or was asked for within a day: a submission may be under way'
						: removable.includes(pack)
							? undefined
							: 'was used later than --older-than says';
	if (pack === undefined || problem !== undefined) {
		throw new BoincError('usage', `“${text}” ${problem ?? ''}.`, { remedy: 'Run: boinc2docker packs' });
	}
	return pack;
}

function listText(packs: readonly ListedPack[]): string {
	if (packs.length === 0) {
		return 'There are no packs on the server.';
	}
	const rows = packs.map((pack) => [
		shortName(pack.name),
		formatBytes(pack.bytes),
		formatSeconds(pack.ageSeconds),
		pack.lastUseSeconds === undefined ? '' : `${formatSeconds(pack.lastUseSeconds)} ago`,
		batchesText(pack.batches),
		STATES[pack.state],
	]);
	return `${table(['pack', 'size', 'age', 'last use', 'batches', 'needed by unfinished jobs'], rows)}\n\n${summary(packs)}`;
}

const sizeOf = (packs: readonly ListedPack[]): string => formatBytes(packs.reduce((sum, { bytes }) => sum + bytes, 0));

function summary(packs: readonly ListedPack[]): string {
	const unused = packs.filter(({ state }) => state === 'unused');
	return `${plural(packs.length, 'pack')}, ${sizeOf(packs)}; ${unused.length} of them unused, ${sizeOf(unused)}`;
}

async function removeUnused(
	session: Session,
	packs: readonly ListedPack[],
	options: PacksOptions,
	olderThan: number | undefined,
): Promise<number> {
	const { terminal, project, ctx } = session;
	const chosen = selectPacks(packs, { olderThan, only: options.only });
	terminal.clear();
	if (chosen.length === 0) {
		tell({ removed: [], bytesFreed: 0, kept: [] }, options, nothingText(packs));
		return EXIT.ok;
	}
	const question = {
		title: 'Remove Unused Packs',
		message: `Remove ${plural(chosen.length, 'pack')} (${sizeOf(chosen)}) from ${project.name}?`,
		detail: listText(chosen),
		accept: 'Remove',
	};
	if (options.yes !== true && !(await terminal.prompts.confirm(question))) {
		terminal.line('Nothing was removed. Add --yes to remove without this question.');
		return EXIT.cancelled;
	}
	const report = await removePacks(
		project,
		chosen.map(({ name }) => name),
		ctx,
	);
	terminal.clear();
	tell(report, options);
	return EXIT.ok;
}

/** Why nothing is removed. */
export function nothingText(packs: readonly ListedPack[]): string {
	const recent = packs.filter(({ state }) => state === 'recent').length;
	const kept =
		recent === 1
			? ' 1 pack was used within the last day and is kept until then.'
			: ` ${recent} packs were used within the last day and are kept until then.`;
	return `There is nothing to remove.${recent === 0 ? '' : kept}`;
}

function tell(report: RemovalReport, options: PacksOptions, nothing = nothingText([])): void {
	if (options.json === true) {
		printJson(report);
		return;
	}
	console.log(
		report.removed.length === 0 && report.kept.length === 0
			? nothing
			: `Removed ${plural(report.removed.length, 'pack')} (${formatBytes(report.bytesFreed)}).`,
	);
	if (report.kept.length > 0) {
		console.log(
			`${plural(report.kept.length, 'pack')} stayed, for jobs or submissions came to need them: ${report.kept.map(({ name }) => shortName(name)).join(', ')}`,
		);
	}
}

export const packsCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('packs')
		.description('list the packs of images on the server, or remove those that no unfinished job needs')
		.option('--remove-unused', 'remove unused packs, after a question')
		.option('--older-than <time>', 'only those that nobody has used for so long: 30d')
		.option('--only <name...>', 'only these, by name or its beginning as the list shows it')
		.action(async (_own: unknown, command: { optsWithGlobals(): PacksOptions }) => {
			const options = command.optsWithGlobals();
			if (options.removeUnused !== true && (options.olderThan !== undefined || options.only)) {
				throw new BoincError('usage', '--older-than and --only choose what --remove-unused removes.', {
					remedy: 'Add --remove-unused.',
				});
			}
			const olderThan = flag('older-than', options.olderThan, parseSeconds);
			setExitCode(
				await withProject(options, async (session) => {
					const packs = await listPacks(session.project, session.ctx);
					if (options.removeUnused === true) {
						return removeUnused(session, packs, options, olderThan);
					}
					session.terminal.clear();
					if (options.json === true) {
						printJson({ packs });
					} else {
						console.log(listText(packs));
					}
					return EXIT.ok;
				}),
			);
		});
};
