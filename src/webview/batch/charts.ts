import type { BarChart, LineChart } from '../../protocol/batchPage.js';
import { h, svg } from '../kit/dom.js';

const WIDTH = 600;
const HEIGHT = 150;

/** A frame around a picture: title, legend, and the same in words for those who do not see it. */
function frame(
	{ title, summary }: { readonly title: string; readonly summary: string },
	series: readonly { readonly name: string; readonly tone: string }[],
	picture: SVGElement,
	{ most, axis }: { readonly most: number; readonly axis: HTMLElement },
): HTMLElement {
	picture.setAttribute('role', 'img');
	picture.setAttribute('aria-label', `${title}. ${summary}`);
	return h(
		'figure',
		{ class: 'card' },
		h(
			'figcaption',
			{},
			h('h3', {}, title),
			h('span', { class: 'legend' }, ...series.map(({ name, tone }) => h('span', {}, h('i', { class: `swatch ${tone}` }), name))),
		),
		withScale(most, h('div', { class: 'plot' }, picture), axis),
		h('p', { class: 'summary' }, summary),
	);
}

/** How high a value stands: the largest a little below the edge. */
const heightOf = (value: number, most: number): number => (value / Math.max(1, most)) * (HEIGHT - 6);

/** A picture with numbers at its side: none, about half of the most, and the most. */
function withScale(most: number, plot: HTMLElement, axis: HTMLElement): HTMLElement {
	const numbers = [...new Set([0, Math.round(most / 2), Math.round(most)])];
	for (const number of numbers) {
		const label = h('span', { class: 'level', 'aria-hidden': 'true' }, number.toLocaleString());
		label.style.insetBlockEnd = `${String((heightOf(number, most) / HEIGHT) * 100)}%`;
		plot.append(label);
	}
	const picture = h('div', { class: 'picture' }, plot, axis);
	picture.style.paddingInlineStart = `${String(Math.round(most).toLocaleString().length + 1)}ch`;
	return picture;
}

function axisOf(ticks: readonly { readonly at: number; readonly label: string }[]): HTMLElement {
	const axis = h('div', { class: 'axis', 'aria-hidden': 'true' });
	for (const { at, label } of ticks) {
		const tick = h('span', {}, label);
		tick.style.insetInlineStart = `${String(at * 100)}%`;
		tick.style.transform = `translateX(-${String(Math.round(at * 100))}%)`;
		axis.append(tick);
	}
	return axis;
}

/** Areas over time, the first series at the bottom; a dashed line at each mark. */
export function lineChart(chart: LineChart): HTMLElement {
	const [first = 0, last = 1] = [chart.times[0], chart.times.at(-1)];
	const x = (time: number): number => ((time - first) / Math.max(1, last - first)) * WIDTH * chart.reach;
	const y = (value: number): number => HEIGHT - heightOf(value, chart.most);
	const picture = svg('svg', { viewBox: `0 0 ${String(WIDTH)} ${String(HEIGHT)}`, preserveAspectRatio: 'none' });
	for (const quarter of [0.25, 0.5, 0.75, 1]) {
		picture.append(svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(chart.most * quarter), y2: y(chart.most * quarter) }));
	}
	for (const { tone, values } of chart.series) {
		const points = chart.times.map((time, i) => `${x(time).toFixed(1)},${y(values[i] ?? 0).toFixed(1)}`);
		const end = x(last).toFixed(1);
		picture.append(
			svg('polygon', { class: `area ${tone}`, points: `0,${String(HEIGHT)} ${points.join(' ')} ${end},${String(HEIGHT)}` }),
			svg('polyline', { class: `line ${tone}`, points: points.join(' ') }),
		);
	}
	for (const { at, label } of chart.marks) {
		const line = svg('line', { class: 'mark', x1: at * WIDTH, x2: at * WIDTH, y1: 0, y2: HEIGHT }, svg('title', {}, label));
		picture.append(line);
	}
	return frame(chart, chart.series, picture, { most: chart.most, axis: axisOf(chart.ticks) });
}

/** Bars with what they count in their tooltips, stacked where there are several series. */
export function barChart(chart: BarChart): HTMLElement {
	const most = Math.max(1, ...chart.bars.map(({ counts }) => counts.reduce((sum, n) => sum + n, 0)));
	const slot = WIDTH / Math.max(1, chart.bars.length);
	const picture = svg('svg', { viewBox: `0 0 ${String(WIDTH)} ${String(HEIGHT)}`, preserveAspectRatio: 'none' });
	picture.append(svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }));
	chart.bars.forEach(({ label, counts }, index) => {
		let bottom = HEIGHT;
		const group = svg('g', {}, svg('title', {}, label));
		// The whole height takes the pointer, not only the bar.
		group.append(svg('rect', { class: 'hit', x: index * slot, y: 0, width: slot, height: HEIGHT }));
		counts.forEach((n, series) => {
			const height = n === 0 ? 0 : Math.max(2, heightOf(n, most));
			bottom -= height;
			group.append(
				svg('rect', {
					class: `bar ${chart.series[series]?.tone ?? 'neutral'}`,
					x: (index * slot + slot * 0.08).toFixed(2),
					y: bottom.toFixed(2),
					width: (slot * 0.84).toFixed(2),
					height: height.toFixed(2),
				}),
			);
		});
		picture.append(group);
	});
	const last = Math.max(1, chart.labels.length - 1);
	return frame(chart, chart.series.length > 1 ? chart.series : [], picture, {
		most,
		axis: axisOf(chart.labels.map((label, i) => ({ at: i / last, label }))),
	});
}
