import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';

import type { BuildCard } from '../../protocol/imagesPage.js';
import { type Ports, sign } from './parts.js';

export interface BuildPorts extends Ports {
	readonly toggleStep: (step: string, open: boolean) => void;
	readonly goTo: (line: number) => void;
}

/** A build: how it stands, why it failed with a link to the line, and its steps with their logs folded. */
export function buildPart({ state, time, steps, failure }: BuildCard, ports: BuildPorts): TemplateResult {
	return html`<div class="build">
		<p class="state">${sign(state.tone)}<span>${state.label}</span><span class="quiet time">${time}</span></p>
		${
			failure
				? html`<div class="trouble bad" role="alert">
						<p class="wrap">${failure.text}</p>
						${
							failure.link
								? html`<button class="link" data-line=${failure.link.line} @click=${() => ports.goTo(failure.link?.line ?? 1)}>
										${failure.link.label}
									</button>`
								: nothing
						}
						${failure.remedy === '' ? nothing : html`<pre class="output" tabindex="0">${failure.remedy}</pre>`}
					</div>`
				: nothing
		}
		<ol class="steps" aria-label=${ports.words.steps}>
			${repeat(
				steps,
				({ id }) => id,
				(step) => stepRow(step, ports),
			)}
		</ol>
	</div>`;
}

function stepRow(step: BuildCard['steps'][number], { toggleStep }: BuildPorts): TemplateResult {
	const toggled = (event: Event): void => {
		const { target } = event;
		if (target instanceof HTMLDetailsElement && target.open !== step.isOpen) {
			toggleStep(step.id, target.open);
		}
	};
	return html`<li>
		<details ?open=${step.isOpen} @toggle=${toggled}>
			<summary title=${step.title}>
				${sign(step.tone)}<span class="title">${step.title}</span><span class="hidden-text">${step.state}</span
				><span class="quiet time">${step.time}</span>
			</summary>
			${
				step.isOpen
					? html`${step.dropped === '' ? nothing : html`<p class="quiet">${step.dropped}</p>`}
							<pre class="log" tabindex="0" role="log" aria-live="off" aria-label=${step.title}>${step.lines.join('\n')}</pre>`
					: nothing
			}
		</details>
	</li>`;
}
