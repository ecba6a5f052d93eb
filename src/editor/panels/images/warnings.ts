import * as vscode from 'vscode';

import { formatBytes } from '../../../common/format.js';
import type { Problem } from '../../../common/problem.js';
import { TextPositions } from '../../../common/textPositions.js';
import type { FindingCode, ImageFinding } from '../../../image/cost/findings.js';
import type { ImageCost } from '../../../job/imageCost.js';
import type { CardWarning } from '../../../protocol/imagesPage.js';
import type { Tone } from '../../../protocol/tones.js';

const { t } = vscode.l10n;

/** What warnings need besides the image. */
export interface WarningFacts {
	/** Architectures that the apps of the server run; `undefined` when that is not known. */
	readonly architectures: readonly string[] | undefined;
	readonly server: string | undefined;
	/** Text of the Dockerfile, and what its rules say of it. */
	readonly text: string;
	readonly problems: readonly Problem[];
}

const FINDINGS: Readonly<Record<FindingCode, (finding: ImageFinding) => Pick<CardWarning, 'tone' | 'text' | 'remedy'>>> = {
	'secret-file': ({ count }) => ({
		tone: 'bad',
		text: count === 1 ? t('A file looks like a key or a password') : t('{0} files look like keys or passwords', count),
		remedy: t(
			'Every volunteer can read it. Leave it out of the image: name it in .dockerignore, and use RUN --mount=type=secret.',
		),
	}),
	'secret-variable': ({ count }) => ({
		tone: 'bad',
		text: count === 1 ? t('A variable looks like a password') : t('{0} variables look like passwords', count),
		remedy: t('Every volunteer can read it. Remove it from ENV and ARG.'),
	}),
	'root-user': () => ({
		tone: 'neutral',
		text: t('The program runs as root of the container'),
		remedy: t('It has few of root’s powers; a user of its own (USER 1000) is safer for volunteers.'),
	}),
	'large-file': ({ count, bytes }) => ({
		tone: 'warning',
		text:
			count === 1 ? t('A very large file, {0}', formatBytes(bytes)) : t('{0} very large files, {1}', count, formatBytes(bytes)),
		remedy: t('Each change of it is downloaded again as a whole. If only some jobs need it, make it an input of these jobs.'),
	}),
	'dangling-link': ({ count }) => ({
		tone: 'warning',
		text:
			count === 1
				? t('An absolute link leads to nothing in the image')
				: t('{0} absolute links lead to nothing in the image', count),
		remedy: t(
			'They lead to files of the computer where they were made. Copy the files themselves, or make relative links (ln -sr).',
		),
	}),
};

/** Rules of Dockerfiles about what an image costs or needs; the others are the business of the editor. */
const RULES =
	/^docker-(network|secret|secret-file|copy-all|apt-lists|apk-cache|pip-cache|conda-cache|build-tools|hidden|results|daemon|expose|volume|architecture|windows|path)$/;
const SEVERITIES: Readonly<Record<Problem['severity'], Tone>> = { error: 'bad', warning: 'warning', hint: 'neutral' };
const RANK: Readonly<Record<Tone, number>> = { bad: 0, warning: 1, active: 2, waiting: 2, neutral: 3, good: 4 };

/** Everything that somebody should know before volunteers get the image, the worst first, each with what to do. */
export function warningsOf(
	{ facts, findings }: ImageCost,
	{ architectures, server, text, problems }: WarningFacts,
): CardWarning[] {
	const found: CardWarning[] = findings.map((finding) => ({ ...FINDINGS[finding.code](finding), names: [...finding.names] }));
	const { architecture } = facts.config;
	if (architectures && !architectures.includes(architecture)) {
		found.push({
			tone: 'bad',
			text: t('No app of {0} runs images for {1}', server ?? '', architecture),
			remedy:
				architectures.length === 0
					? t('Install the app first.')
					: t(
							'Build it for {0}, or install app versions for {1}.',
							architectures.map((each) => `linux/${each}`).join(', '),
							architecture,
						),
			names: [],
		});
	}
	for (const sentence of facts.warnings) {
		const colon = sentence.indexOf(': ');
		const [what, why] = colon < 0 ? [sentence, ''] : [sentence.slice(0, colon), sentence.slice(colon + 2)];
		found.push({ tone: 'warning', text: what, remedy: why, names: [] });
	}
	const positions = new TextPositions(text);
	for (const problem of problems.filter(({ code }) => RULES.test(code))) {
		const [first = '', ...rest] = problem.message.split(/(?<=[.:]) /);
		found.push({
			tone: SEVERITIES[problem.severity],
			text: first.replace(/[.:]$/, ''),
			remedy: problem.remedy ?? rest.join(' '),
			names: [],
			line: positions.at(problem.start).line + 1,
		});
	}
	return found.toSorted((a, b) => RANK[a.tone] - RANK[b.tone]);
}
