import * as v from 'valibot';

import { count, figure, ready, state, text } from './rules.js';
import { tone } from './tones.js';

/** What the page can ask to be done; each is a command too. */
export const IMAGE_ACTIONS = [
	'refresh',
	'addDockerfile',
	'openFile',
	'build',
	'cancelBuild',
	'cancelCount',
	'showCost',
	'cancelCost',
	'push',
	'cancelPush',
	'cancelRegistryPush',
	'pushToRegistry',
	'submit',
	'runLocally',
	'installApp',
	'addServer',
	'chooseEngine',
	'manageTrust',
	'logIn',
] as const;

const short = v.pipe(text, v.maxLength(4000));
/** What names a Dockerfile between the two sides. */
const sourceId = v.pipe(text, v.minLength(1), v.maxLength(4000));

export const PLATFORM_CHOICES = ['own', 'linux/amd64', 'linux/arm64', 'both'] as const;

const options = v.object({
	/** Stage; empty for the last. */
	target: short,
	platform: v.picklist(PLATFORM_CHOICES),
	tag: short,
	/** Only those that the person has set. */
	args: v.record(short, short),
});

/** From the page to the extension: intents. */
export const toExtension = v.variant('type', [
	ready,
	v.object({ type: v.literal('action'), action: v.picklist(IMAGE_ACTIONS), source: v.optional(sourceId) }),
	/** Unfolds a Dockerfile; without one all are folded. */
	v.object({ type: v.literal('open'), source: v.optional(sourceId) }),
	v.object({ type: v.literal('options'), source: sourceId, options }),
	/** Unfolds or folds the log of a step. */
	v.object({ type: v.literal('step'), source: sourceId, step: short, open: v.boolean() }),
	v.object({ type: v.literal('goTo'), source: sourceId, line: count }),
	v.object({ type: v.literal('image'), source: sourceId, image: short }),
	v.object({ type: v.literal('server'), server: short }),
	/** Files that were dropped on the page. */
	v.object({ type: v.literal('drop'), uris: v.pipe(v.array(short), v.maxLength(20)) }),
]);

const button = v.object({
	action: v.picklist(IMAGE_ACTIONS),
	label: text,
	kind: v.picklist(['primary', 'secondary']),
	hint: v.optional(text),
});
const choice = v.object({ value: text, label: text });
/** A share of something, from 0 to 1; without one nobody knows how far it is. */
const progress = v.object({ label: text, share: v.optional(v.number()) });

const step = v.object({
	id: text,
	title: text,
	/** The state in a word. */
	state: text,
	tone,
	time: text,
	isOpen: v.boolean(),
	/** The last lines, when it is open. */
	lines: v.array(text),
	/** What is said about lines that are not kept; may be empty. */
	dropped: text,
});

const build = v.object({
	state,
	time: text,
	steps: v.array(step),
	failure: v.optional(v.object({ text, remedy: text, link: v.optional(v.object({ label: text, line: count })) })),
});

/** A folder in the picture of the image. */
interface FolderBox {
	readonly name: string;
	/** Size in words. */
	readonly size: string;
	readonly bytes: number;
	readonly children: readonly FolderBox[];
}
const folder: v.GenericSchema<FolderBox> = v.object({
	name: text,
	size: text,
	bytes: v.number(),
	children: v.array(v.lazy(() => folder)),
});

const warning = v.object({
	tone,
	text,
	remedy: text,
	/** Paths or names that it is about. */
	names: v.array(text),
	/** Line of the Dockerfile. */
	line: v.optional(count),
});

const cost = v.object({
	progress: v.optional(progress),
	trouble: v.optional(v.object({ text, remedy: text })),
	/** What is below, in a sentence; empty when nothing was found out yet. */
	summary: text,
	figures: v.array(figure),
	/** Packs that the server has, and those to send. */
	packs: v.optional(
		v.object({
			title: text,
			summary: text,
			parts: v.array(v.object({ label: text, bytes: v.number(), tone })),
		}),
	),
	folders: v.optional(v.object({ title: text, summary: text, root: folder })),
	layers: v.array(v.object({ label: text, size: text, share: v.number() })),
	layersTitle: text,
	warnings: v.array(warning),
	warningsTitle: text,
});

const push = v.object({
	kind: v.picklist(['server', 'registry']),
	state,
	progress: v.optional(progress),
	/** Rate and time that is left; or what was done. */
	detail: text,
	layers: v.array(v.object({ id: text, state: text, tone })),
	remedy: text,
	buttons: v.array(button),
});

/** Cards of a Dockerfile that are still there when a window is loaded again. */
export const keptCards = v.object({
	build: v.optional(build),
	/** With the image that it is about. */
	cost: v.optional(v.object({ image: text, card: cost })),
	pushes: v.array(push),
});

const detail = v.object({
	id: sourceId,
	targets: v.array(choice),
	platforms: v.array(choice),
	options,
	tagProblem: text,
	args: v.array(v.object({ name: text, value: text, placeholder: text })),
	context: v.optional(v.object({ label: text, hint: text, tone, parts: v.array(choice), buttons: v.array(button) })),
	buildButtons: v.array(button),
	build: v.optional(build),
	images: v.array(v.object({ id: text, name: text, facts: text, isSelected: v.boolean() })),
	costButtons: v.array(button),
	cost: v.optional(cost),
	servers: v.array(choice),
	server: text,
	pushButtons: v.array(button),
	pushes: v.array(push),
	nextButtons: v.array(button),
});

const snapshot = v.object({
	engine: v.object({ label: text, hint: text, tone, buttons: v.array(button) }),
	notice: v.optional(v.object({ text, tone, buttons: v.array(button) })),
	sources: v.array(v.object({ id: sourceId, name: text, place: text, state: v.optional(state) })),
	open: v.optional(detail),
	/** What a reader of the screen is told when it changes. */
	announcement: text,
});

/** From the extension to the page: what it shows. */
export const toPage = v.variant('type', [
	v.object({ type: v.literal('words'), words: v.record(text, text) }),
	v.object({ type: v.literal('snapshot'), snapshot }),
]);

export type ImagesToExtension = v.InferOutput<typeof toExtension>;
export type ImagesToPage = v.InferOutput<typeof toPage>;
export type ImagesSnapshot = v.InferOutput<typeof snapshot>;
export type SourceDetail = v.InferOutput<typeof detail>;
export type CostCard = v.InferOutput<typeof cost>;
export type BuildCard = v.InferOutput<typeof build>;
export type PushCard = v.InferOutput<typeof push>;
export type KeptCards = v.InferOutput<typeof keptCards>;
export type CardButton = v.InferOutput<typeof button>;
export type CardWarning = v.InferOutput<typeof warning>;
export type BuildOptions = v.InferOutput<typeof options>;
export type ImageAction = (typeof IMAGE_ACTIONS)[number];
export type { FolderBox };
