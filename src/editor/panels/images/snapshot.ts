import * as vscode from 'vscode';

import { formatBytes, formatSeconds } from '../../../common/format.js';
import { parseImageReference } from '../../../image/engine/imageReference.js';
import type { ImageDetails } from '../../../image/engine/inspection.js';
import type {
	BuildOptions,
	CardButton,
	ImageAction,
	ImagesSnapshot,
	KeptCards,
	PushCard,
	SourceDetail,
} from '../../../protocol/imagesPage.js';
import type { ImagesModel } from '../../images/imagesModel.js';
import type { ImageSource } from '../../images/imageSource.js';
import type { SourceState } from '../../images/sourceState.js';
import { buildCard, contextRow, RUN_TONES } from './buildCard.js';
import { costCard } from './costCard.js';
import { pushCard } from './pushCard.js';
import type { WarningFacts } from './warnings.js';

const { t } = vscode.l10n;

const button = (action: ImageAction, label: string, kind: CardButton['kind'] = 'secondary', hint?: string): CardButton => ({
	action,
	label,
	kind,
	...(hint !== undefined && { hint }),
});

export interface SnapshotFacts {
	readonly warnings: WarningFacts;
	/** Cards of the open Dockerfile from before the window was loaded. */
	readonly kept: KeptCards | undefined;
	/** In milliseconds since the epoch. */
	readonly now: number;
}

/** Everything that the page shows, in the user's words. */
export function imagesSnapshot(model: ImagesModel, facts: SnapshotFacts): ImagesSnapshot {
	const { open } = model;
	const detail = open && detailOf(model, open, facts);
	return {
		engine: engineRow(model),
		...notice(),
		sources: model.sources.map((source) => sourceRow(source, model.state(source))),
		...(detail && { open: detail }),
		announcement: announcement(detail),
	};
}

function notice(): Pick<ImagesSnapshot, 'notice'> {
	return vscode.workspace.isTrusted
		? {}
		: {
				notice: {
					text: t('Nothing is built in Restricted Mode: a Dockerfile can run any program.'),
					tone: 'warning',
					buttons: [button('manageTrust', t('Manage Trust'))],
				},
			};
}

function engineRow({ engine: { state } }: ImagesModel): ImagesSnapshot['engine'] {
	switch (state.kind) {
		case 'looking':
			return { label: t('Looking for Docker or Podman…'), hint: '', tone: 'waiting', buttons: [] };
		case 'missing':
			return {
				label: state.message,
				hint: state.remedy,
				tone: 'bad',
				buttons: [button('refresh', t('Try Again'), 'primary'), button('chooseEngine', t('Choose Engine'))],
			};
		case 'ready': {
			const { product, version } = state.engine;
			const { context = '' } = state;
			const isColima = context.startsWith('colima') || context.includes('/.colima/');
			return {
				label: isColima ? `Colima (${product} ${version})` : `${product} ${version}`,
				hint: state.context === undefined ? '' : t('context {0}', state.context),
				tone: 'good',
				buttons: [],
			};
		}
	}
}

function sourceRow({ id, name, place }: ImageSource, state: SourceState): ImagesSnapshot['sources'][number] {
	const { build, serverPush, registryPush } = state;
	const push = [serverPush, registryPush].find((run) => run?.state === 'running');
	const row = { id, name, place };
	if (build?.state === 'running' || build?.state === 'failed') {
		const label = build.state === 'running' ? t('building') : t('failed');
		return { ...row, state: { label, tone: RUN_TONES[build.state] } };
	}
	if (push) {
		return { ...row, state: { label: t('pushing'), tone: RUN_TONES.running } };
	}
	return build?.state === 'done' ? { ...row, state: { label: t('built'), tone: RUN_TONES.done } } : row;
}

function detailOf(model: ImagesModel, source: ImageSource, { warnings, kept, now }: SnapshotFacts): SourceDetail {
	const state = model.state(source);
	const { images = [] } = state;
	const pushes = pushCards(state, kept);
	const selected = model.selected(source);
	const server = model.server?.server;
	const isReady = model.engine.state.kind === 'ready' && vscode.workspace.isTrusted;
	const canGoOn = selected !== undefined && isReady;
	return {
		id: source.id,
		...choicesOf(source, model.memory.options(source)),
		...contextOf(state),
		buildButtons: [...buildButtons(state, isReady, selected !== undefined), button('openFile', t('Open'))],
		...buildOf(state, kept, now),
		images: images.map((image) => imageRow(image, image.id === selected?.id, now)),
		costButtons: costButtons(state, selected, server?.name),
		...costOf(model, selected, { state, kept, warnings }),
		servers: model.servers().map(({ server: { id, name } }) => ({ value: id, label: name })),
		server: server?.id ?? '',
		pushButtons: canGoOn ? pushButtons(state, pushes, server?.name) : [],
		pushes,
		nextButtons: canGoOn ? nextButtons(warnings.architectures) : [],
	};
}

/** What can be chosen for a build. */
function choicesOf(
	{ outline, defaults }: ImageSource,
	options: BuildOptions,
): Pick<SourceDetail, 'targets' | 'platforms' | 'options' | 'tagProblem' | 'args'> {
	const names = new Set([...outline.args.map(({ name }) => name), ...Object.keys(defaults.args)]);
	const fromFile = new Map(outline.args.map(({ name, value }) => [name, value]));
	const isGood = options.tag === '' || parseImageReference(options.tag) !== undefined;
	return {
		targets: [{ value: '', label: t('The last stage') }, ...outline.stages.map((stage) => ({ value: stage, label: stage }))],
		platforms: [
			{ value: 'own', label: t('Of this computer') },
			{ value: 'linux/amd64', label: 'x86-64' },
			{ value: 'linux/arm64', label: 'ARM64' },
			{ value: 'both', label: t('x86-64 and ARM64') },
		],
		options,
		tagProblem: isGood ? '' : t('Small letters, digits, dots and dashes: team/name:1.0'),
		args: [...names].map((name) => ({
			name,
			value: options.args[name] ?? '',
			placeholder: defaults.args[name] ?? fromFile.get(name) ?? '',
		})),
	};
}

function buildButtons({ build }: SourceState, isReady: boolean, hasImage: boolean): CardButton[] {
	if (build?.state === 'running') {
		return [button('cancelBuild', t('Cancel Build'))];
	}
	return isReady ? [button('build', t('Build'), hasImage ? 'secondary' : 'primary')] : [];
}

function buildOf({ build, openSteps }: SourceState, kept: KeptCards | undefined, now: number): Pick<SourceDetail, 'build'> {
	if (build) {
		return { build: buildCard(build, openSteps, now) };
	}
	const card = kept?.build;
	const steps = card?.steps.map((step) => ({ ...step, isOpen: openSteps.has(step.id) }));
	return card && steps ? { build: { ...card, steps } } : {};
}

function pushCards({ serverPush, registryPush }: SourceState, kept: KeptCards | undefined): PushCard[] {
	return (['server', 'registry'] as const).flatMap((kind) => {
		const run = kind === 'server' ? serverPush : registryPush;
		return run ? [pushCard(run)] : (kept?.pushes.filter((card) => card.kind === kind) ?? []);
	});
}

function contextOf({ count }: SourceState): Pick<SourceDetail, 'context'> {
	const row = count?.size && contextRow(count.size, count.state);
	return row
		? {
				context: {
					...row,
					buttons:
						count.state === 'running'
							? [button('cancelCount', t('Stop Counting'))]
							: count.state === 'cancelled'
								? [button('refresh', t('Count Again'))]
								: [],
				},
			}
		: {};
}

function costOf(
	model: ImagesModel,
	selected: ImageDetails | undefined,
	{ state: { cost }, kept, warnings }: Pick<SnapshotFacts, 'kept' | 'warnings'> & { readonly state: SourceState },
): Pick<SourceDetail, 'cost'> {
	if (!cost || cost.image !== selected?.id) {
		return kept?.cost && kept.cost.image === selected?.id ? { cost: kept.cost.card } : {};
	}
	const server = model.servers().find((each) => each.server.id === cost.serverId)?.server.name;
	return { cost: costCard(cost, server, warnings) };
}

function imageRow(
	{ id, names, platform, size, createdAt }: ImageDetails,
	isSelected: boolean,
	now: number,
): SourceDetail['images'][number] {
	const age = createdAt === 0 ? [] : [t('{0} old', formatSeconds((now - createdAt) / 1000).replace(/(\d+ \S+) .*/, '$1'))];
	const name = names[0]?.replace(/^localhost\//, '') ?? id.slice(0, 12);
	return { id, name, facts: [platform.replace('linux/', ''), formatBytes(size), ...age].join(' · '), isSelected };
}

function costButtons({ cost }: SourceState, selected: ImageDetails | undefined, server: string | undefined): CardButton[] {
	if (!selected) {
		return [];
	}
	if (cost?.state === 'running') {
		return [button('cancelCost', t('Cancel'))];
	}
	const isAsked = cost?.state === 'done' && cost.image === selected.id;
	return [
		button(
			'showCost',
			server === undefined
				? t('Show What It Costs')
				: isAsked && cost.serverId === undefined
					? t('Compare with {0}', server)
					: t('See What It Costs'),
			'secondary',
		),
	];
}

function pushButtons(
	{ serverPush, registryPush }: SourceState,
	pushes: readonly PushCard[],
	server: string | undefined,
): CardButton[] {
	const again = pushes.some(({ kind, state }) => kind === 'server' && state.tone !== 'good');
	const toServer =
		server === undefined
			? [button('addServer', t('Add Server'))]
			: serverPush?.state === 'running'
				? []
				: [button('push', again ? t('Resume Push to {0}', server) : t('Push to {0}', server), 'primary')];
	return [...toServer, ...(registryPush?.state === 'running' ? [] : [button('pushToRegistry', t('Push to Registry…'))])];
}

function nextButtons(architectures: readonly string[] | undefined): CardButton[] {
	return [
		...(architectures?.length === 0 ? [button('installApp', t('Install App'), 'primary')] : []),
		button('submit', t('Submit as BOINC Job')),
		button('runLocally', t('Run Locally')),
	];
}

/** The last thing that ended, for readers of the screen. */
function announcement(detail: SourceDetail | undefined): string {
	if (!detail) {
		return '';
	}
	const parts = [detail.build?.state.label, ...detail.pushes.map(({ state }) => state.label), detail.cost?.summary];
	return parts.filter((part) => part !== undefined && part !== '').join('. ');
}
