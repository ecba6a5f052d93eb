import { html, nothing, type TemplateResult } from 'lit';

import type { CardButton, ImageAction } from '../../protocol/imagesPage.js';
import type { ImagesWords } from '../../protocol/imagesWords.js';
import type { Tone } from '../../protocol/tones.js';
import { SHAPES } from '../kit/shapes.js';

/** What the parts of the page draw with. */
export interface Ports {
	readonly words: ImagesWords;
	readonly act: (action: ImageAction) => void;
	/** Whether a part that folds was unfolded by the person. */
	readonly isUnfolded: (part: string) => boolean;
}

/** The sign of a tone, for the eyes only. */
export const sign = (tone: Tone): TemplateResult =>
	html`<svg viewBox="0 0 16 16" class="shape ${tone}" aria-hidden="true"><path d=${SHAPES[tone]}></path></svg>`;

/** Buttons of a part; nothing when there are none. */
export function buttons(all: readonly CardButton[], { act }: Pick<Ports, 'act'>): TemplateResult | typeof nothing {
	return all.length === 0
		? nothing
		: html`<div class="buttons">
				${all.map(
					({ action, label, kind, hint }) =>
						html`<vscode-button
							data-action=${action}
							?secondary=${kind === 'secondary'}
							title=${hint ?? nothing}
							@click=${() => act(action)}
							>${label}</vscode-button
						>`,
				)}
			</div>`;
}

/** A bar with what is being done; without a share it only says that something goes on. */
export function progressBar({ label, share }: { readonly label: string; readonly share?: number | undefined }): TemplateResult {
	return html`<div class="progress">
		<span class="quiet">${label}</span>
		<vscode-progress-bar aria-label=${label} .value=${share === undefined ? undefined : share * 100}></vscode-progress-bar>
	</div>`;
}
