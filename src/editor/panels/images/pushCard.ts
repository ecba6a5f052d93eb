import * as vscode from 'vscode';

import { BoincError, messageOf } from '../../../common/errors.js';
import { formatBytes, formatSeconds } from '../../../common/format.js';
import type { ProgressUpdate } from '../../../common/ports.js';
import type { PushedLayer } from '../../../image/engine/registryPush.js';
import type { CardButton, PushCard } from '../../../protocol/imagesPage.js';
import type { Tone } from '../../../protocol/tones.js';
import type { PushRun } from '../../images/pushRun.js';
import { formatProgress } from '../../ports/editorProgress.js';
import { RUN_TONES } from './buildCard.js';

const { t } = vscode.l10n;

const LAYER_TONES: Readonly<Record<PushedLayer['state'], Tone>> = {
	waiting: 'waiting',
	sending: 'active',
	done: 'good',
	there: 'neutral',
};
const layerWord = (state: PushedLayer['state']): string =>
	({ waiting: t('waiting'), sending: t('sending'), done: t('sent'), there: t('there already') })[state];

/** How far something is; `fallback` says what is done while it has said nothing itself. */
export function progressOf(update: ProgressUpdate | undefined, fallback: string): NonNullable<PushCard['progress']> {
	const { current, total } = update ?? {};
	return {
		label: update ? formatProgress(update) : fallback,
		...(current !== undefined && total !== undefined && total > 0 && { share: Math.min(1, current / total) }),
	};
}

/** A push, as far as it has come. */
export function pushCard(run: PushRun): PushCard {
	const { place, kind, state, layers, error } = run;
	const action = kind === 'server' ? 'cancelPush' : 'cancelRegistryPush';
	const cancel: CardButton = { action, label: t('Cancel'), kind: 'secondary', hint: t('Cancel the push to {0}', place) };
	const failed = state === 'failed' && BoincError.is(error);
	return {
		kind,
		state: { label: label(run), tone: RUN_TONES[state] },
		...(state === 'running' && { progress: progressOf(kind === 'registry' ? ofLayers(layers) : run.progress, t('Connecting')) }),
		detail: state === 'running' ? rateOf(run) : state === 'failed' ? messageOf(error) : '',
		layers: layers.map((layer) => ({ id: layer.id, state: layerWord(layer.state), tone: LAYER_TONES[layer.state] })),
		remedy: failed ? (error.remedy ?? '') : '',
		buttons:
			state === 'running'
				? [cancel]
				: failed && error.detail.reason === 'login'
					? [{ action: 'logIn', label: t('Log In to {0}', place.split('/')[0] ?? ''), kind: 'secondary' }]
					: [],
	};
}

function label({ place, kind, state, value }: PushRun): string {
	switch (state) {
		case 'running':
			return t('Pushing to {0}…', place);
		case 'done':
			return kind === 'registry'
				? t('Pushed as {0}', place)
				: value?.bytesSent === 0
					? t('{0} had all of it: nothing was sent', place)
					: t('Pushed to {0}: {1} sent', place, formatBytes(value?.bytesSent ?? 0));
		case 'failed':
			return t('The push to {0} failed', place);
		case 'cancelled':
			return kind === 'server' ? t('Push cancelled. What has arrived is not sent again.') : t('Push cancelled');
	}
}

function ofLayers(layers: readonly PushedLayer[]): ProgressUpdate | undefined {
	const current = layers.filter(({ state }) => state === 'done' || state === 'there').length;
	return layers.length === 0 ? undefined : { message: t('Layers'), current, total: layers.length, unit: 'items' };
}

/** `3.1 MB/s, 12 s left`. */
function rateOf({ rate, progress }: PushRun): string {
	const { bytesPerSecond } = rate;
	if (bytesPerSecond === undefined || progress?.total === undefined || progress.unit !== 'bytes') {
		return '';
	}
	const left = rate.secondsLeft(progress.total);
	const speed = t('{0}/s', formatBytes(bytesPerSecond));
	return left === undefined ? speed : t('{0}, {1} left', speed, formatSeconds(left));
}
