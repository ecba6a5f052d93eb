import * as vscode from 'vscode';

import { formatSeconds } from '../../../common/format.js';
import { lazily } from '../../../common/lazily.js';
import type { Histogram } from '../../../monitor/batchPage/histogram.js';
import type { HostKind } from '../../../monitor/batchPage/hostKinds.js';
import type { BatchSummary } from '../../../monitor/batchPage/summary.js';
import type { Timeline } from '../../../monitor/batchPage/timeline.js';
import type { Batch, BatchState, JobState } from '../../../monitor/types.js';
import type { BarChart, BatchSnapshot, LineChart, PageAction } from '../../../protocol/batchPage.js';
import type { Tone } from '../../../protocol/tones.js';
import { batchLook, jobLook } from '../../tree/stateLook.js';

const { t } = vscode.l10n;

/** How a state is drawn on the page. */
export const TONES: Readonly<Record<JobState, Tone>> = {
	done: 'good',
	collecting: 'active',
	validating: 'active',
	running: 'active',
	retrying: 'warning',
	queued: 'waiting',
	created: 'waiting',
	failed: 'bad',
	cancelling: 'warning',
	cancelled: 'neutral',
};
const BATCH_TONES: Readonly<Record<BatchState, Tone>> = {
	preparing: 'waiting',
	running: 'active',
	done: 'good',
	failed: 'bad',
	cancelled: 'neutral',
	retired: 'neutral',
};

const whole = lazily(() => new Intl.NumberFormat());
const dateTime = lazily(() => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }));
const clock = lazily(() => new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' }));
const exactClock = lazily(() => new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' }));
const day = lazily(() => new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' }));

/** What the page shows, worded in the user's language. Pure. */
export function batchSnapshot(summary: BatchSummary, server: string): BatchSnapshot {
	const { batch, failures, now } = summary;
	const allFailures = failures.reduce((sum, { instances }) => sum + instances, 0);
	return {
		title: batch.name === '' ? t('Batch {0}', batch.id) : batch.name,
		subtitle: t('Batch {0} on {1}, submitted {2}', batch.id, server, dateTime().format(batch.createTime * 1000)),
		state: { label: batchLook(batch.state).words, tone: BATCH_TONES[batch.state] },
		reading: summary.extent === 'counts',
		parts: (Object.entries(TONES) as [JobState, Tone][])
			.filter(([state]) => batch.counts[state] > 0)
			.map(([state, tone]) => ({ label: jobLook(state).words, count: batch.counts[state], tone })),
		figures: figures(summary),
		...(summary.timeline && {
			progress: progressChart(summary.timeline, batch, now, summary.eta?.p50, summary.eta?.p90),
			throughput: throughputChart(summary.timeline),
		}),
		histograms: [...histogramChart(t('Run Time'), summary.runTime), ...histogramChart(t('Turnaround'), summary.turnaround)],
		failures: failures.map(({ what, remedy, instances, jobs, hosts, examples }) => ({
			sentence: t(
				'{0} of {1} on {2}: {3}',
				count(instances, t('instance'), t('instances')),
				count(jobs, t('job'), t('jobs')),
				count(hosts, t('host'), t('hosts')),
				what,
			),
			remedy: remedy ?? '',
			count: instances,
			share: instances / Math.max(1, allFailures),
			examples: examples.map(({ instanceId, name, hostId, line }) => ({
				instanceId,
				name,
				host: hostId > 0 ? t('on host {0}', hostId) : '',
				line,
			})),
		})),
		hosts: hostTable(summary.hosts),
		actions: actionsOf(batch),
	};
}

const count = (n: number, one: string, many: string): string => `${whole().format(n)} ${n === 1 ? one : many}`;

function actionsOf({ state, counts }: Batch): PageAction[] {
	const open = state === 'running' || state === 'preparing';
	return [
		...(counts.done > 0 ? (['fetchResults'] as const) : []),
		...(open ? (['explainWaiting'] as const) : []),
		...(counts.failed > 0 || counts.retrying > 0 ? (['explainFailure'] as const) : []),
		'refresh',
		...(open ? (['cancel'] as const) : []),
	];
}

function figures({ batch, eta, timeline, runTime, turnaround, now }: BatchSummary): BatchSnapshot['figures'] {
	const rate = timeline && throughput(timeline, now);
	return [
		progressFigure(batch),
		...(rate === undefined
			? []
			: [
					{
						label: t('Throughput'),
						value: t('{0}/h', new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 }).format(rate.perHour)),
						hint: t('results in the last {0}', formatSeconds(rate.seconds)),
					},
				]),
		...(eta
			? [
					{
						label: t('Expected End'),
						value: relative(eta.p50 - now),
						hint:
							t('{0}; with 90 % certainty by {1}', when(eta.p50, now), when(eta.p90, now)) +
							{
								history: '',
								earlier: ` (${t('from earlier jobs like these')})`,
								records: ` (${t('from the hosts’ records')})`,
							}[eta.basis],
					},
				]
			: []),
		...(runTime
			? [
					{
						label: t('Run Time'),
						value: formatSeconds(runTime.median),
						hint: t('median; 90 % below {0}', formatSeconds(runTime.p90)),
					},
				]
			: []),
		...(turnaround
			? [{ label: t('Turnaround'), value: formatSeconds(turnaround.median), hint: t('median from sending to report') }]
			: []),
	];
}

/** How many jobs are over; at the end how many of them were of use. */
function progressFigure({ counts, total }: Batch): BatchSnapshot['figures'][number] {
	const over = counts.done + counts.failed + counts.cancelled;
	const isOver = total > 0 && over === total;
	const share = (isOver ? counts.done : over) / Math.max(1, total);
	const losses = (['failed', 'cancelled'] as const)
		.filter((state) => counts[state] > 0)
		.map((state) => `${whole().format(counts[state])} ${jobLook(state).words}`);
	return {
		label: isOver ? t('Succeeded') : t('Over'),
		value: new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: share === 1 ? 0 : 1 }).format(share),
		hint: [t('{0} of {1} jobs are over', whole().format(over), whole().format(total)), ...losses].join(', '),
	};
}

const relative = (seconds: number): string => t('in {0}', formatSeconds(Math.max(60, Math.round(seconds / 60) * 60)));
const when = (time: number, now: number): string => (time - now < 86_400 / 2 ? clock : dateTime)().format(time * 1000);

/** Successes an hour over the last quarter of the timeline's whole steps; `undefined` when there are too few. */
function throughput(
	{ succeeded, step, start }: Timeline,
	now: number,
): { readonly perHour: number; readonly seconds: number } | undefined {
	const last = Math.min(succeeded.length, Math.floor((now - start) / step));
	const steps = Math.max(1, Math.floor(last / 4));
	const sum = succeeded.slice(Math.max(0, last - steps), Math.max(1, last)).reduce((all, n) => all + n, 0);
	return sum === 0 ? undefined : { perHour: (sum / (steps * step)) * 3600, seconds: steps * step };
}

/** Jobs over time up to now, and the expected end as marks on the rest of the axis. */
function progressChart(timeline: Timeline, batch: Batch, now: number, p50 = 0, p90 = 0): LineChart {
	const { start, step, succeeded, failed, running } = timeline;
	const sums = (counts: readonly number[]): number[] => {
		let sum = 0;
		return [0, ...counts.map((n) => (sum += n))];
	};
	const known = Math.max(1, succeeded.length * step);
	// The future may take two thirds of the picture at most, so that the past can still be read.
	const end = Math.min(Math.max(known, p90 - start), known * 3);
	const reach = known / end;
	const [good, bad] = [sums(succeeded), sums(failed)];
	const times = good.map((_, i) => start + i * step);
	const marks = [
		{ at: (p50 - start) / end, label: t('expected end, {0}', when(p50, now)) },
		{ at: (p90 - start) / end, label: t('with 90 % certainty, {0}', when(p90, now)) },
	].filter(({ at }) => at > reach - 0.02 && at <= 1.0001);
	return {
		title: t('Progress'),
		summary: [
			t(
				'{0} successes and {1} failures since {2}; at most {3} instances on hosts at a time.',
				whole().format(good.at(-1) ?? 0),
				whole().format(bad.at(-1) ?? 0),
				dateTime().format(start * 1000),
				whole().format(Math.max(0, ...running)),
			),
			...(p50 > now ? [expectedEnd(marks.length > 0, when(p50, now), when(p90, now))] : []),
		].join(' '),
		times,
		most: Math.max(batch.total, good.at(-1) ?? 0, bad.at(-1) ?? 0, ...running),
		series: [
			{ name: t('succeeded'), tone: 'good', values: good },
			{ name: t('on hosts'), tone: 'active', values: [0, ...running] },
			{ name: t('failed'), tone: 'bad', values: bad },
		],
		ticks: timeTicks(start, end, reach),
		marks: reach < 0.999 || marks.length > 0 ? marks : [],
		reach,
	};
}

/** The end may be far beyond the picture. */
const expectedEnd = (isDrawn: boolean, p50: string, p90: string): string =>
	isDrawn
		? t('Dashed: expected end {0}, with 90 % certainty by {1}.', p50, p90)
		: t('Expected end {0}, with 90 % certainty by {1}.', p50, p90);

/** Below so many seconds a time without its seconds says little. */
const SHORT = 300;

function timeTicks(start: number, length: number, reach: number): { at: number; label: string }[] {
	const format = (length > 2 * 86_400 ? day : length < SHORT ? exactClock : clock)();
	const label = (at: number): string => format.format((start + at * length) * 1000);
	return reach < 0.9
		? [0, reach, 1].map((at) => ({ at, label: at === reach ? t('now') : label(at) }))
		: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: label(at) })).filter((tick, i, all) => tick.label !== all[i - 1]?.label); // a day may have two
}

function throughputChart({ start, step, succeeded, failed }: Timeline): BarChart {
	const length = step * succeeded.length;
	const format = (step >= 43_200 ? day : length > 2 * 86_400 ? dateTime : length < SHORT ? exactClock : clock)();
	const at = (index: number): string => format.format((start + index * step) * 1000);
	return {
		title: t('Results per {0}', formatSeconds(step)),
		summary: t('At most {0} in {1}.', whole().format(Math.max(0, ...succeeded)), formatSeconds(step)),
		labels: [at(0), at(Math.floor(succeeded.length / 2)), at(succeeded.length)],
		bars: succeeded.map((n, i) => ({
			label: t('{0}: {1} succeeded, {2} failed', at(i), whole().format(n), whole().format(failed[i] ?? 0)),
			counts: [n, failed[i] ?? 0],
		})),
		series: [
			{ name: t('succeeded'), tone: 'good' },
			{ name: t('failed'), tone: 'bad' },
		],
	};
}

function histogramChart(title: string, histogram: Histogram | undefined): BarChart[] {
	if (!histogram) {
		return [];
	}
	const { edges, counts, median, p90 } = histogram;
	const edge = (index: number): string => formatSeconds(edges[index] ?? 0);
	return [
		{
			title,
			summary: t('Median {0}; 90 % take less than {1}.', formatSeconds(median), formatSeconds(p90)),
			labels:
				counts.length < 3 ? [edge(0), edge(counts.length)] : [edge(0), edge(Math.round(counts.length / 2)), edge(counts.length)],
			bars: counts.map((n, i) => ({ label: t('{0} to {1}: {2}', edge(i), edge(i + 1), whole().format(n)), counts: [n] })),
			series: [{ name: t('instances'), tone: 'active' }],
		},
	];
}

const OS: Readonly<Record<HostKind['os'], string>> = { linux: 'Linux', windows: 'Windows', mac: 'macOS', other: '?' };
const ARCHITECTURES: Readonly<Record<HostKind['architecture'], string>> = { amd64: 'x86-64', arm64: 'ARM64' };

/** The first row is the heading. */
function hostTable(kinds: readonly HostKind[]): BatchSnapshot['hosts'] {
	const runtimes: Readonly<Record<HostKind['runtime'], string>> = {
		container: t('containers'),
		machine: t('virtual machine'),
		none: t('unknown engine'),
	};
	return [
		{ kind: t('Kind'), cells: [t('Hosts'), t('Processors'), t('Running'), t('Succeeded'), t('Failed'), t('Mean Run Time')] },
		...kinds.map((kind) => ({
			kind: `${OS[kind.os]} · ${ARCHITECTURES[kind.architecture]} · ${runtimes[kind.runtime]}`,
			cells: [
				...[kind.hosts, kind.processors, kind.running, kind.succeeded, kind.failed].map((n) => whole().format(n)),
				kind.succeeded === 0 ? '–' : formatSeconds(kind.meanSeconds),
			],
		})),
	];
}
