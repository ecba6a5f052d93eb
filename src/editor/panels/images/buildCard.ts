import * as vscode from 'vscode';

import { BoincError, messageOf } from '../../../common/errors.js';
import { formatBytes, formatSeconds } from '../../../common/format.js';
import type { BuildStep } from '../../../image/build/buildLog.js';
import type { ContextSize } from '../../../image/build/contextSize.js';
import type { BuildCard, SourceDetail } from '../../../protocol/imagesPage.js';
import type { Tone } from '../../../protocol/tones.js';
import { lineOf } from '../../images/buildDiagnostics.js';
import type { BuildRun } from '../../images/buildRun.js';
import type { Run } from '../../images/run.js';

const { t } = vscode.l10n;

/** A context from here on is worth a look: it is read and sent at every build. */
const LARGE_CONTEXT = 100_000_000;
const MANY_FILES = 100_000;

export const RUN_TONES: Readonly<Record<Run<unknown>['state'], Tone>> = {
	running: 'active',
	done: 'good',
	failed: 'bad',
	cancelled: 'neutral',
};

const STEP_TONES: Readonly<Record<BuildStep['state'], Tone>> = { ...RUN_TONES, cached: 'good' };

const stepWord = (state: BuildStep['state']): string =>
	({ running: t('running'), cached: t('from the cache'), done: t('done'), failed: t('failed'), cancelled: t('cancelled') })[
		state
	];

/** A build with its steps; the logs of those that are unfolded, and of the one that failed. */
export function buildCard(run: BuildRun, openSteps: ReadonlySet<string>, now: number): BuildCard {
	const { steps } = run;
	const failure = run.state === 'failed' ? failureOf(run.error) : undefined;
	return {
		state: { label: label(run), tone: RUN_TONES[run.state] },
		time: formatSeconds(((run.endedAt ?? now) - run.startedAt) / 1000),
		steps: steps.map((step) => stepRow(step, openSteps.has(step.id), now)),
		...(failure && { failure }),
	};
}

function label({ state, steps }: BuildRun): string {
	const cached = steps.filter((step) => step.state === 'cached').length;
	switch (state) {
		case 'running':
			return steps.length === 0 ? t('Reading the build context…') : t('Building…');
		case 'done':
			return cached > 0 ? t('Built, {0} of {1} steps from the cache', cached, steps.length) : t('Built');
		case 'failed':
			return t('The build failed');
		case 'cancelled':
			return t('Build cancelled');
	}
}

function stepRow(step: BuildStep, isOpen: boolean, now: number): BuildCard['steps'][number] {
	const seconds = ((step.endedAt ?? now) - step.startedAt) / 1000;
	return {
		id: step.id,
		title: step.title,
		state: stepWord(step.state),
		tone: STEP_TONES[step.state],
		time: step.state === 'cached' ? t('cached') : seconds < 10 ? t('{0} s', seconds.toFixed(1)) : formatSeconds(seconds),
		isOpen,
		lines: isOpen ? [...step.lines] : [],
		dropped:
			isOpen && step.dropped > 0 ? t('{0} earlier lines are not kept.', step.dropped.toLocaleString(vscode.env.language)) : '',
	};
}

function failureOf(error: unknown): BuildCard['failure'] {
	const line = lineOf(error);
	const reason = BoincError.is(error) && typeof error.detail.reason === 'string' ? error.detail.reason : messageOf(error);
	const { output = '', advice } = detailOf(error);
	return {
		text: advice === undefined ? reason : `${reason}. ${advice}`,
		// Of a failed build the last lines say more than any advice.
		remedy: output === '' && BoincError.is(error) ? (error.remedy ?? '') : output,
		...(line !== undefined && { link: { label: t('Line {0} of the Dockerfile', line), line } }),
	};
}

/** The last lines of a failed build, and what to do about it if that is known. */
function detailOf(error: unknown): { readonly output?: string; readonly advice?: string } {
	if (!BoincError.is(error, 'build-failed')) {
		return {};
	}
	const { output, advice } = error.detail;
	return { ...(typeof output === 'string' && { output }), ...(typeof advice === 'string' && { advice }) };
}

/** What the builder will be given, as far as it is counted. */
export function contextRow(
	{ bytes, files, isWhole, largest, ignoreFile }: ContextSize,
	state: Run<unknown>['state'],
): Omit<NonNullable<SourceDetail['context']>, 'buttons'> {
	const isCounting = state === 'running' && !isWhole;
	const isLarge = bytes > LARGE_CONTEXT || files > MANY_FILES;
	const amount =
		files === 1
			? t('{0} in one file', formatBytes(bytes))
			: t('{0} in {1} files', formatBytes(bytes), files.toLocaleString(vscode.env.language));
	const label = isWhole ? amount : isCounting ? t('{0} so far…', amount) : t('more than {0}', amount);
	const hint = isLarge
		? ignoreFile === undefined
			? t('Builders are given all of it each time. Write a .dockerignore that leaves out what the image does not need.')
			: t('Builders are given all of it each time, without what {0} leaves out. Let it leave out more.', ignoreFile)
		: ignoreFile === undefined
			? ''
			: t('Without what {0} leaves out.', ignoreFile);
	return {
		label,
		hint,
		tone: isLarge || (!isWhole && !isCounting) ? 'warning' : 'neutral',
		parts: isLarge ? largest.map(({ name, bytes: size }) => ({ value: formatBytes(size), label: name })) : [],
	};
}
