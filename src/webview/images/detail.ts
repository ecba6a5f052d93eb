import { html, nothing, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';

import type { BuildOptions, PushCard, SourceDetail } from '../../protocol/imagesPage.js';
import { buildPart, type BuildPorts } from './build.js';
import { costPart, type CostPorts } from './cost.js';
import { buttons, type Ports, progressBar, sign } from './parts.js';

export interface DetailPorts extends BuildPorts, CostPorts {
	readonly setOptions: (options: BuildOptions) => void;
	readonly select: (image: string) => void;
	readonly setServer: (server: string) => void;
}

/** Everything about one Dockerfile, in the order in which it is done: build, look, push, go on. */
export function detailPart(detail: SourceDetail, ports: DetailPorts): TemplateResult {
	const { words } = ports;
	return html`<div class="detail">
		<section class="build-section">
			${buttons(detail.buildButtons, ports)} ${context(detail, ports)} ${options(detail, ports)}
			${detail.build ? buildPart(detail.build, ports) : nothing}
		</section>
		<section>
			<h3>${words.images}</h3>
			${images(detail, ports)}
		</section>
		${
			detail.costButtons.length === 0 && !detail.cost
				? nothing
				: html`<section>
						<h3>${words.cost}</h3>
						${buttons(detail.costButtons, ports)} ${detail.cost ? costPart(detail.cost, ports) : nothing}
					</section>`
		}
		${
			detail.pushButtons.length === 0 && detail.pushes.length === 0
				? nothing
				: html`<section>
						<h3>${words.push}</h3>
						${detail.servers.length > 1 ? serverChoice(detail, ports) : nothing} ${buttons(detail.pushButtons, ports)}
						${detail.pushes.map((push) => pushPart(push, ports))}
					</section>`
		}
		${
			detail.nextButtons.length === 0
				? nothing
				: html`<section>
						<h3>${words.next}</h3>
						${buttons(detail.nextButtons, ports)}
					</section>`
		}
	</div>`;
}

function context({ context: row }: SourceDetail, ports: Ports): TemplateResult | typeof nothing {
	return row
		? html`<div class="context">
				<p class="quiet">${row.tone === 'neutral' ? nothing : sign(row.tone)}${row.label}</p>
				${row.hint === '' ? nothing : html`<p class="quiet small">${row.hint}</p>`}
				${
					row.parts.length === 0
						? nothing
						: html`<ul class="layers">
								${row.parts.map(
									({ label, value }) =>
										html`<li><span class="title">${label}</span><span class="quiet time">${value}</span></li>`,
								)}
							</ul>`
				}
				${buttons(row.buttons, ports)}
			</div>`
		: nothing;
}

const valueOf = ({ target }: Event): string =>
	target instanceof HTMLElement && 'value' in target && typeof target.value === 'string' ? target.value : '';

/** What is typed is not overwritten by what comes back of it. */
const unlessTyping = (id: string, value: string): unknown => {
	const active = document.activeElement;
	return active?.id === id && 'value' in active ? active.value : value;
};

function options(detail: SourceDetail, ports: DetailPorts): TemplateResult {
	const { words, setOptions } = ports;
	const current = detail.options;
	const set = (change: Partial<BuildOptions>): void => setOptions({ ...current, ...change });
	const setArgument = (name: string, value: string): void => {
		const others = Object.entries(current.args).filter(([other]) => other !== name);
		set({ args: Object.fromEntries(value === '' ? others : [...others, [name, value]]) });
	};
	return html`<details class="options" data-fold="options" ?open=${ports.isUnfolded('options')}>
		<summary>
			${words.options}<span class="quiet">${[current.tag, current.target].filter((word) => word !== '').join(' · ')}</span>
		</summary>
		<div class="fields">
			<label for="tag">${words.tag}</label>
			<div>
				<vscode-textfield
					id="tag"
					label=${words.tag}
					.value=${unlessTyping('tag', current.tag)}
					?invalid=${detail.tagProblem !== ''}
					@change=${(event: Event) => set({ tag: valueOf(event).trim() })}
				></vscode-textfield>
				${detail.tagProblem === '' ? nothing : html`<p class="small bad" role="alert">${detail.tagProblem}</p>`}
			</div>
			<label for="platform">${words.platform}</label>
			${select('platform', words.platform, detail.platforms, current.platform, (value) =>
				set({ platform: value as BuildOptions['platform'] }),
			)}
			${
				detail.targets.length > 1
					? html`<label for="target">${words.target}</label> ${select(
								'target',
								words.target,
								detail.targets,
								current.target,
								(value) => set({ target: value }),
							)}`
					: nothing
			}
		</div>
		${
			detail.args.length === 0
				? nothing
				: html`<fieldset class="fields">
						<legend>${words.args}</legend>
						${repeat(
							detail.args,
							({ name }) => name,
							({ name, value, placeholder }) =>
								html`<label for="arg-${name}" title=${name}>${name}</label>
									<vscode-textfield
										id="arg-${name}"
										label=${name}
										placeholder=${placeholder}
										.value=${unlessTyping(`arg-${name}`, value)}
										@change=${(event: Event) => setArgument(name, valueOf(event))}
									></vscode-textfield>`,
						)}
					</fieldset>`
		}
	</details>`;
}

function select(
	id: string,
	label: string,
	choices: SourceDetail['targets'],
	value: string,
	onChange: (value: string) => void,
): TemplateResult {
	// Not as elements: a select that is folded away would not find their labels. Anew only when they differ, for that closes its list.
	const all = guard([value, JSON.stringify(choices)], () =>
		choices.map((choice) => ({ ...choice, description: '', disabled: false, selected: choice.value === value })),
	);
	return html`<vscode-single-select
		id=${id}
		label=${label}
		aria-label=${label}
		.options=${all}
		.value=${value}
		@change=${(event: Event) => onChange(valueOf(event))}
	></vscode-single-select>`;
}

function images({ images: all }: SourceDetail, { words, select: choose }: DetailPorts): TemplateResult {
	return all.length === 0
		? html`<p class="quiet">${words.noImages}</p>`
		: html`<ul class="images" role="radiogroup" aria-label=${words.images}>
				${repeat(
					all,
					({ id }) => id,
					({ id, name, facts, isSelected }) =>
						html`<li role="presentation">
							<label class=${isSelected ? 'chosen' : ''}>
								<input type="radio" name="image" value=${id} .checked=${isSelected} @change=${() => choose(id)} />
								<span class="title" title=${name}>${name}</span><span class="quiet small">${facts}</span>
							</label>
						</li>`,
				)}
			</ul>`;
}

function serverChoice({ servers, server }: SourceDetail, { words, setServer }: DetailPorts): TemplateResult {
	return html`<div class="fields">
		<label for="server">${words.server}</label>${select('server', words.server, servers, server, setServer)}
	</div>`;
}

function pushPart({ state, progress, detail, layers, remedy, buttons: all }: PushCard, ports: Ports): TemplateResult {
	return html`<div class="push">
		<p class="state wrap">${sign(state.tone)}<span>${state.label}</span></p>
		${progress ? progressBar(progress) : nothing} ${detail === '' ? nothing : html`<p class="quiet wrap rate">${detail}</p>`}
		${remedy === '' ? nothing : html`<p class="wrap">${remedy}</p>`}
		${
			layers.length === 0
				? nothing
				: html`<ul class="layers">
						${layers.map(
							(layer) =>
								html`<li>
									${sign(layer.tone)}<span class="title">${layer.id}</span><span class="quiet time">${layer.state}</span>
								</li>`,
						)}
					</ul>`
		}
		${buttons(all, ports)}
	</div>`;
}
