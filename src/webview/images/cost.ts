import { html, nothing, type TemplateResult } from 'lit';
import { styleMap } from 'lit/directives/style-map.js';

import type { CardWarning, CostCard, FolderBox } from '../../protocol/imagesPage.js';
import { type Ports, progressBar, sign } from './parts.js';
import { treemap } from './treemap.js';

export interface CostPorts extends Ports {
	readonly goTo: (line: number) => void;
	/** Words on the link to a line of the Dockerfile. */
	readonly openFile: string;
}

/** Colours of the parts of the picture; each part has its name on it, too. */
const COLOURS = 6;
const ASPECT = 1.9;

/** What an image costs: figures, pictures and warnings. */
export function costPart(cost: CostCard, ports: CostPorts): TemplateResult {
	return html`<div class="cost">
		${cost.progress ? progressBar(cost.progress) : nothing}
		${
			cost.trouble
				? html`<div class="trouble bad" role="alert">
						<p class="wrap">${cost.trouble.text}</p>
						<p class="quiet wrap">${cost.trouble.remedy}</p>
					</div>`
				: nothing
		}
		${cost.summary === '' ? nothing : html`<p class="summary">${cost.summary}</p>`}
		${
			cost.figures.length === 0
				? nothing
				: html`<dl class="figures">
						${cost.figures.map(
							({ label, value, hint }) =>
								html`<div class="figure">
									<dt>${label}</dt>
									<dd><span class="value">${value}</span><small>${hint}</small></dd>
								</div>`,
						)}
					</dl>`
		}
		${cost.warningsTitle === '' ? nothing : warnings(cost, ports)} ${cost.folders ? folders(cost.folders) : nothing}
		${cost.packs ? packs(cost.packs) : nothing} ${cost.layers.length > 0 ? layers(cost) : nothing}
	</div>`;
}

function warnings({ warnings: all, warningsTitle }: CostCard, ports: CostPorts): TemplateResult {
	return html`<h4>${warningsTitle}</h4>
		<ul class="warnings">
			${all.map((warning) => warningRow(warning, ports))}
		</ul>`;
}

function warningRow({ tone, text, remedy, names, line }: CardWarning, ports: CostPorts): TemplateResult {
	return html`<li>
		<details data-fold=${text} ?open=${ports.isUnfolded(text)}>
			<summary>${sign(tone)}<span class="title wrap">${text}</span></summary>
			<p class="wrap">${remedy}</p>
			${
				names.length === 0
					? nothing
					: html`<ul class="names">
							${names.map((name) => html`<li><code>${name}</code></li>`)}
						</ul>`
			}
			${
				line === undefined
					? nothing
					: html`<button class="link" data-line=${line} @click=${() => ports.goTo(line)}>${ports.openFile}: ${line}</button>`
			}
		</details>
	</li>`;
}

const percent = (share: number): string => `${(share * 100).toFixed(3)}%`;

function folders({ title, summary, root }: NonNullable<CostCard['folders']>): TemplateResult {
	return html`<h4>${title}</h4>
		<div class="map" role="img" aria-label="${title}: ${summary}">
			${treemap(root.children, ASPECT).map(({ item, x, y, width, height }, index) => {
				const aspect = (width / Math.max(height, 1e-6)) * ASPECT;
				return html`<div
					class="box colour${index % COLOURS}"
					style=${styleMap({ left: percent(x), top: percent(y), width: percent(width), height: percent(height) })}
					title="/${item.name}: ${item.size}"
				>
					${width * height > 0.02 ? html`<span class="name">${item.name} <small>${item.size}</small></span>` : nothing}
					<div class="inner">${inner(item, `/${item.name}`, aspect)}</div>
				</div>`;
			})}
		</div>`;
}

function inner(folder: FolderBox, path: string, aspect: number): TemplateResult[] {
	return treemap(folder.children, aspect).map(({ item, x, y, width, height }) => {
		const own = `${path}/${item.name}`;
		return html`<div
			class="box inside"
			style=${styleMap({ left: percent(x), top: percent(y), width: percent(width), height: percent(height) })}
			title="${own}: ${item.size}"
		></div>`;
	});
}

function packs({ title, summary, parts }: NonNullable<CostCard['packs']>): TemplateResult {
	const total = Math.max(
		1,
		parts.reduce((sum, { bytes }) => sum + bytes, 0),
	);
	return html`<h4>${title}</h4>
		<div class="bar" role="img" aria-label="${title}: ${summary}">
			${parts.map(
				({ label, bytes, tone }) =>
					html`<span class="part ${tone}" title=${label} style=${styleMap({ flexGrow: String(bytes / total) })}></span>`,
			)}
		</div>
		<p class="quiet">${summary}</p>`;
}

function layers({ layers: all, layersTitle }: CostCard): TemplateResult {
	return html`<h4>${layersTitle}</h4>
		<ul class="layers">
			${all.map(
				({ label, size, share }) =>
					html`<li title=${label}>
						<span class="fill" style=${styleMap({ width: percent(share) })}></span>
						<span class="title">${label}</span><span class="quiet time">${size}</span>
					</li>`,
			)}
		</ul>`;
}
