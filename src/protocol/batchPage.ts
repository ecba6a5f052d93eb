import * as v from 'valibot';

import { count, figure, ready, state, text } from './rules.js';
import { tone } from './tones.js';

/** Which jobs the table of the batch page shows. */
export const FILTERS = ['all', 'open', 'done', 'failed', 'cancelled'] as const;

/** What the page can ask to be done; each is a command too. */
export const ACTIONS = [
	'refresh',
	'exportCsv',
	'exportJson',
	'fetchResults',
	'cancel',
	'explainWaiting',
	'explainFailure',
] as const;

const view = v.object({
	filter: v.picklist(FILTERS),
	/** Part of a job's name. */
	text: v.pipe(v.string(), v.maxLength(200)),
	order: v.picklist(['ascending', 'descending']),
});

/** From the page to the extension: intents. */
export const toExtension = v.variant('type', [
	ready,
	v.object({ type: v.literal('action'), action: v.picklist(ACTIONS) }),
	v.object({ type: v.literal('view'), view }),
	v.object({ type: v.literal('rows'), version: count, from: count, to: count }),
	v.object({ type: v.literal('openLog'), instanceId: count }),
	v.object({ type: v.literal('explainJob'), jobId: count, question: v.picklist(['waiting', 'failure']) }),
]);

const bars = v.object({
	title: text,
	/** For readers of the screen: what the chart says in a sentence. */
	summary: text,
	/** Words under the two ends of the axis. */
	labels: v.array(text),
	/** Height and tooltip of each bar, `counts` stacked from the bottom. */
	bars: v.array(v.object({ label: text, counts: v.array(v.number()) })),
	/** What each part of a stack is. */
	series: v.array(v.object({ name: text, tone })),
});

const lines = v.object({
	title: text,
	summary: text,
	/** UNIX seconds of the points. */
	times: v.array(v.number()),
	series: v.array(v.object({ name: text, tone, values: v.array(v.number()) })),
	/** The largest value of the axis. */
	most: v.number(),
	/** Words along the axis of time, with their place from 0 to 1. */
	ticks: v.array(v.object({ at: v.number(), label: text })),
	/** Expected end, from 0 to 1 along the axis. */
	marks: v.array(v.object({ at: v.number(), label: text })),
	/** How far the points reach along the axis; the rest is the future. */
	reach: v.number(),
});

const snapshot = v.object({
	title: text,
	subtitle: text,
	state,
	/** While only the counts are known, and the rest is being read. */
	reading: v.boolean(),
	/** Shares of the bar at the top, and their legend. */
	parts: v.array(v.object({ label: text, count, tone })),
	/** Figures: progress, throughput, end, … */
	figures: v.array(figure),
	progress: v.optional(lines),
	throughput: v.optional(bars),
	histograms: v.array(bars),
	failures: v.array(
		v.object({
			sentence: text,
			remedy: text,
			count,
			share: v.number(),
			examples: v.array(v.object({ instanceId: count, name: text, host: text, line: text })),
		}),
	),
	hosts: v.array(v.object({ kind: text, cells: v.array(text) })),
	actions: v.array(v.picklist(ACTIONS)),
});

const row = v.object({
	jobId: count,
	instanceId: count,
	name: text,
	state: text,
	tone,
	/** In the order of `columns`. */
	cells: v.array(text),
});

/** From the extension to the page: what it shows. */
export const toPage = v.variant('type', [
	/** First: words in the user's language, and what the page shall keep for a reload of the window. */
	v.object({ type: v.literal('words'), words: v.record(text, text), keep: v.object({ serverId: text, batchId: count }) }),
	v.object({ type: v.literal('snapshot'), snapshot }),
	/** How many rows the table has now. Ranges are asked for with this version. */
	v.object({
		type: v.literal('table'),
		version: count,
		total: count,
		columns: v.array(v.object({ title: text, kind: v.picklist(['text', 'number']) })),
		view,
	}),
	v.object({ type: v.literal('rows'), version: count, from: count, rows: v.array(row) }),
	/** Empty when all is well; otherwise what is shown is the last known. */
	v.object({ type: v.literal('trouble'), text }),
]);

export type ToExtension = v.InferOutput<typeof toExtension>;
export type ToPage = v.InferOutput<typeof toPage>;
export type BatchSnapshot = v.InferOutput<typeof snapshot>;
export type BarChart = v.InferOutput<typeof bars>;
export type LineChart = v.InferOutput<typeof lines>;
export type TableRow = v.InferOutput<typeof row>;
export type TableView = v.InferOutput<typeof view>;
export type PageAction = (typeof ACTIONS)[number];
