import * as vscode from 'vscode';

import type { PlanCard } from '../../../monitor/planCard.js';

/** What a person said to a plan. */
export type PlanAnswer = 'submit' | 'canary' | undefined;

/** Jobs from which on it is worth to try some first. */
const CANARY_LEAST = 20;

/** Shows what a submission will do, once, before anything is sent. */
export async function confirmPlan({ plan, lines, warnings }: PlanCard, server: string): Promise<PlanAnswer> {
	const count = plan.jobs.toLocaleString(vscode.env.language);
	const submit =
		plan.jobs === 1 ? vscode.l10n.t('Submit 1 Job to {0}', server) : vscode.l10n.t('Submit {0} Jobs to {1}', count, server);
	const canary = vscode.l10n.t('Try 1, Then 10 First');
	// Long lines are wrapped: the dots show where each begins.
	const detail = [...lines.map(({ label, value }) => `• ${label}: ${value}`), ...warnings.map((text) => `⚠ ${text}`)].join('\n');
	const title =
		plan.jobs === 1
			? vscode.l10n.t('Submit “{0}” as 1 job?', plan.name)
			: vscode.l10n.t('Submit “{0}” as {1} jobs?', plan.name, count);
	const buttons = plan.jobs < CANARY_LEAST ? [submit] : [submit, canary];
	const answer = await vscode.window.showInformationMessage(title, { modal: true, detail }, ...buttons);
	return answer === submit ? 'submit' : answer === canary ? 'canary' : undefined;
}
