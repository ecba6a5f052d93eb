import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '../kit/base.css';
import './page.css';

import {
	type BatchSnapshot,
	FILTERS,
	type TableRow,
	type TableView,
	type ToExtension,
	type ToPage,
	toPage,
} from '../../protocol/batchPage.js';
import { BATCH_WORDS, type Words } from '../../protocol/words.js';
import { byId, h } from '../kit/dom.js';
import { Messages } from '../kit/messages.js';
import { shape } from '../kit/shapes.js';
import { barChart, lineChart } from './charts.js';
import { failureList } from './failures.js';
import { JobTable } from './jobTable.js';

/** The page of a batch: renders what the extension sends and sends back what the person wants. */
let words: Words = BATCH_WORDS;
let view: TableView = { filter: 'all', text: '', order: 'ascending' };

const messages = new Messages<ToExtension, typeof toPage>(toPage, receive);
const send = (message: ToExtension): void => messages.send(message);

const table = new JobTable({
	words: () => words,
	ask: (version, from, to) => send({ type: 'rows', version, from, to }),
	open: ({ instanceId }) => instanceId > 0 && send({ type: 'openLog', instanceId }),
	explain: explainJob,
});

function explainJob({ jobId, tone }: TableRow): void {
	const isOver = tone === 'good' || tone === 'bad' || tone === 'neutral';
	send({ type: 'explainJob', jobId, question: isOver ? 'failure' : 'waiting' });
}

function receive(message: ToPage): void {
	switch (message.type) {
		case 'words':
			words = { ...words, ...message.words };
			messages.state = message.keep;
			toolbar();
			break;
		case 'snapshot':
			render(message.snapshot);
			break;
		case 'table':
			view = message.view;
			table.setTable(message);
			byId('count').textContent = message.total.toLocaleString();
			break;
		case 'rows':
			table.setRows(message);
			break;
		case 'trouble':
			trouble(message.text);
			break;
	}
}

function trouble(text: string): void {
	const box = byId('trouble');
	box.hidden = text === '';
	box.replaceChildren(...(text === '' ? [] : [shape('warning'), h('span', {}, `${text} ${words.stale}`)]));
}

function render(snapshot: BatchSnapshot): void {
	byId('loading').hidden = true;
	byId('content').hidden = false;
	byId('content').setAttribute('aria-busy', String(snapshot.reading));
	byId('failures-section').hidden = byId('hosts-section').hidden = snapshot.reading;
	byId('title').textContent = snapshot.title;
	byId('subtitle').textContent = snapshot.subtitle;
	byId('state').replaceChildren(shape(snapshot.state.tone), snapshot.state.label);
	byId('state').className = `state ${snapshot.state.tone}`;
	parts(snapshot);
	byId('figures').replaceChildren(
		...snapshot.figures.map(({ label, value, hint }) =>
			h(
				'div',
				{ class: 'figure', title: hint },
				h('dt', {}, label),
				h('dd', {}, h('span', { class: 'value' }, value), h('small', {}, hint)),
			),
		),
	);
	byId('charts').replaceChildren(
		...(snapshot.reading ? [h('p', { class: 'quiet', role: 'status' }, words.loading)] : []),
		...(snapshot.progress ? [lineChart(snapshot.progress)] : []),
		...(snapshot.throughput ? [barChart(snapshot.throughput)] : []),
		...snapshot.histograms.map(barChart),
	);
	// What went wrong comes first, and the absence of it last. Moved only when that changes: what has the focus would lose it.
	const [charts, failures] = [byId('charts'), byId('failures-section')];
	const isFirst = charts.previousElementSibling === failures;
	if (isFirst !== snapshot.failures.length > 0) {
		charts[isFirst ? 'after' : 'before'](failures);
	}
	failureList(byId('failures'), snapshot, words, (instanceId) => send({ type: 'openLog', instanceId }));
	hosts(snapshot);
	actions(snapshot);
}

function parts({ parts: all }: BatchSnapshot): void {
	const total = Math.max(
		1,
		all.reduce((sum, { count }) => sum + count, 0),
	);
	const bar = byId('bar');
	bar.setAttribute('aria-label', all.map(({ label, count }) => `${String(count)} ${label}`).join(', '));
	bar.replaceChildren(
		...all.map(({ label, count, tone }) => {
			const part = h('span', { class: `part ${tone}`, title: `${count.toLocaleString()} ${label}` });
			part.style.flexGrow = String(count / total);
			return part;
		}),
	);
	byId('parts').replaceChildren(
		...all.map(({ label, count, tone }) => h('li', {}, shape(tone), h('b', {}, count.toLocaleString()), ` ${label}`)),
	);
}

function hosts({ hosts: kinds }: BatchSnapshot): void {
	const [head, ...rows] = kinds;
	byId('hosts').replaceChildren(
		...(rows.length === 0 || !head
			? [h('p', { class: 'quiet' }, words.noHosts)]
			: [
					h(
						'table',
						{},
						h(
							'thead',
							{},
							h(
								'tr',
								{},
								h('th', { scope: 'col' }, head.kind),
								...head.cells.map((cell) => h('th', { scope: 'col', class: 'number' }, cell)),
							),
						),
						h(
							'tbody',
							{},
							...rows.map(({ kind, cells }) =>
								h('tr', {}, h('th', { scope: 'row' }, kind), ...cells.map((cell) => h('td', { class: 'number' }, cell))),
							),
						),
					),
				]),
	);
}

let shownActions = '';
/** Drawn again only when they change, so that the focus stays where it is. */
function actions({ actions: all }: BatchSnapshot): void {
	if (shownActions === all.join()) {
		return;
	}
	shownActions = all.join();
	byId('actions').replaceChildren(
		...all.map((action, i) => {
			const button = h('vscode-button', { secondary: i > 0 }, words[action]);
			button.addEventListener('click', () => send({ type: 'action', action }));
			return button;
		}),
	);
}

/** The heads of the parts, and what chooses the rows of the table. */
function toolbar(): void {
	for (const name of ['failures', 'hosts', 'jobs'] as const) {
		byId(`${name}-title`).textContent = words[name];
	}
	byId('loading').textContent = words.loading;
	const search = h('vscode-textfield', {
		placeholder: words.search,
		label: words.search,
		'aria-label': words.search,
		value: view.text,
	});
	const filter = h(
		'vscode-single-select',
		{ 'aria-label': words.filter, label: words.filter },
		...FILTERS.map((value) => h('vscode-option', { value, selected: value === view.filter }, words[value])),
	);
	const order = h('vscode-button', { secondary: true, title: words.turn, 'aria-label': words.turn }, `↑↓ ${words.order}`);
	const log = h('vscode-button', { secondary: true }, words.openLog);
	const why = h('vscode-button', { secondary: true }, words.explainJob);
	const change = (next: Partial<TableView>): void => {
		view = { ...view, ...next };
		send({ type: 'view', view });
	};
	let typing: ReturnType<typeof setTimeout> | undefined;
	search.addEventListener('input', () => {
		clearTimeout(typing);
		typing = setTimeout(() => change({ text: valueOf(search).slice(0, 200) }), 300);
	});
	filter.addEventListener('change', () => change({ filter: FILTERS.find((one) => one === valueOf(filter)) ?? 'all' }));
	order.addEventListener('click', () => change({ order: view.order === 'ascending' ? 'descending' : 'ascending' }));
	log.addEventListener(
		'click',
		() => table.active && table.active.instanceId > 0 && send({ type: 'openLog', instanceId: table.active.instanceId }),
	);
	why.addEventListener('click', () => table.active && explainJob(table.active));
	const exports = (['exportCsv', 'exportJson'] as const).map((action) => {
		const button = h('vscode-button', { secondary: true }, words[action]);
		button.addEventListener('click', () => send({ type: 'action', action }));
		return button;
	});
	byId('tools').replaceChildren(search, filter, order, h('span', { class: 'grow' }), log, why, ...exports);
}

const valueOf = (element: HTMLElement): string => ('value' in element && typeof element.value === 'string' ? element.value : '');

byId('table').append(table.element);
toolbar();
send({ type: 'ready' });
