import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-progress-bar/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import '../kit/base.css';
import './page.css';

import { html, nothing, render, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';

import { type ImagesSnapshot, type ImagesToExtension, type ImagesToPage, toPage } from '../../protocol/imagesPage.js';
import { IMAGES_WORDS, type ImagesWords } from '../../protocol/imagesWords.js';
import { byId } from '../kit/dom.js';
import { Messages } from '../kit/messages.js';
import { detailPart, type DetailPorts } from './detail.js';
import { PageState } from './pageState.js';
import { buttons, sign } from './parts.js';

/** The side panel of images: renders what the extension sends and sends back what the person wants. */
let words: ImagesWords = IMAGES_WORDS;
let snapshot: ImagesSnapshot | undefined;
/** The Dockerfile whose first build was asked for here. */
let wanted: string | undefined;

const messages = new Messages<ImagesToExtension, typeof toPage>(toPage, receive);
const pageState = new PageState(messages);
const send = (message: ImagesToExtension): void => messages.send(message);

function receive(message: ImagesToPage): void {
	switch (message.type) {
		case 'words':
			words = { ...words, ...message.words };
			break;
		case 'snapshot':
			snapshot = message.snapshot;
			break;
	}
	draw();
}

function draw(): void {
	// A log whose end is seen goes on to show its end, and so does one that was not there: the end says how it stands.
	const elsewhere = new Set(
		[...document.querySelectorAll('.log')].filter((log) => log.scrollTop + log.clientHeight < log.scrollHeight - 20),
	);
	render(page(), byId('page'));
	for (const log of document.querySelectorAll('.log')) {
		if (!elsewhere.has(log)) {
			log.scrollTop = log.scrollHeight;
		}
	}
	if (snapshot) {
		pageState.restoreScroll();
		showBuild(snapshot);
	}
	const said = byId('announcement');
	if (snapshot && said.textContent !== snapshot.announcement) {
		said.textContent = snapshot.announcement;
	}
}

/** Brings the first build into sight when it begins: a low view ends above it. Later nothing moves by itself. */
function showBuild({ open }: ImagesSnapshot): void {
	if (wanted !== undefined && open?.id === wanted && open.build) {
		wanted = undefined;
		toBuild();
	}
}

/** Scrolls to the build, if there is one. */
function toBuild(): boolean {
	const card = document.querySelector('.build');
	card?.scrollIntoView({ block: 'start' });
	return card !== null;
}

function page(): TemplateResult {
	if (!snapshot) {
		return html`<p class="quiet loading">${words.loading}</p>`;
	}
	const { engine, notice, sources, open } = snapshot;
	const act: DetailPorts['act'] = (action) => send({ type: 'action', action });
	return html`<div class="engine ${engine.tone}">
			<p class="state wrap">${sign(engine.tone)}<span>${engine.label}</span><span class="quiet">${engine.hint}</span></p>
			${buttons(engine.buttons, { act })}
		</div>
		${
			notice
				? html`<div class="trouble warning">
						<p class="wrap">${sign(notice.tone)}${notice.text}</p>
						${buttons(notice.buttons, { act })}
					</div>`
				: nothing
		}
		${
			sources.length === 0
				? html`<div class="empty">
						<h2>${words.empty}</h2>
						<p class="quiet">${words.emptyHint}</p>
						${buttons([{ action: 'addDockerfile', label: words.add, kind: 'primary' }], { act })}
					</div>`
				: html`<ul class="sources">
						${repeat(
							sources,
							({ id }) => id,
							(source) => sourceRow(source, open?.id === source.id ? open : undefined),
						)}
					</ul>`
		}`;
}

function sourceRow({ id, name, place, state }: ImagesSnapshot['sources'][number], open: ImagesSnapshot['open']): TemplateResult {
	const isOpen = open !== undefined;
	const toggle = (): void => send(isOpen ? { type: 'open' } : { type: 'open', source: id });
	return html`<li class=${isOpen ? 'source is-open' : 'source'}>
		<h2>
			<button class="head" aria-expanded=${isOpen} @click=${toggle}>
				<svg viewBox="0 0 16 16" class="twistie" aria-hidden="true"><path d="M6 4l4 4-4 4"></path></svg>
				<span class="title">${place}</span><span class="quiet file">${name}</span>
				${state ? html`<span class="badge" title=${state.label}>${sign(state.tone)}<span>${state.label}</span></span>` : nothing}
			</button>
		</h2>
		${open ? detailPart(open, portsOf(id)) : nothing}
	</li>`;
}

const portsOf = (source: string): DetailPorts => ({
	words,
	openFile: words.openFile,
	act: (action) => {
		wanted = action === 'build' && !toBuild() ? source : undefined;
		send({ type: 'action', action, source });
	},
	isUnfolded: (part) => pageState.isUnfolded(part),
	toggleStep: (step, open) => send({ type: 'step', source, step, open }),
	goTo: (line) => send({ type: 'goTo', source, line }),
	setOptions: (options) => send({ type: 'options', source, options }),
	select: (image) => send({ type: 'image', source, image }),
	setServer: (server) => send({ type: 'server', server }),
});

/** Files can be dropped anywhere (VS Code wants the Shift key for it). */
function acceptDrops(): void {
	const mark = (isOver: boolean): void => void document.body.classList.toggle('dropping', isOver);
	window.addEventListener('dragover', (event) => {
		event.preventDefault();
		mark(true);
	});
	window.addEventListener('dragleave', (event) => event.relatedTarget === null && mark(false));
	window.addEventListener('drop', (event) => {
		event.preventDefault();
		mark(false);
		const data = event.dataTransfer;
		const list = data?.getData('application/vnd.code.uri-list') ?? '';
		const uris = (list === '' ? (data?.getData('text/uri-list') ?? '') : list)
			.split(/\r?\n/)
			.filter((uri) => uri !== '' && !uri.startsWith('#'));
		if (uris.length > 0) {
			send({ type: 'drop', uris: uris.slice(0, 20) });
		}
	});
}

/** The arrow keys go from one Dockerfile to the next, as in a tree. */
function moveByArrows(event: KeyboardEvent): void {
	const heads = [...document.querySelectorAll<HTMLElement>('.head')];
	const at = heads.findIndex((head) => head === document.activeElement);
	const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
	const next = at < 0 || step === 0 ? undefined : heads[at + step];
	if (next) {
		next.focus();
		event.preventDefault();
	}
}

acceptDrops();
window.addEventListener('keydown', moveByArrows);
draw();
send({ type: 'ready' });
