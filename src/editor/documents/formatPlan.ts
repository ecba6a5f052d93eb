import * as vscode from 'vscode';

import type { InstallPlan } from '../../project/install/plan.js';

/** A plan as a document in the language of diffs: the details begin at the margin, where that language looks for + and -. */
export function formatPlan(plan: Pick<InstallPlan, 'steps' | 'warnings'>): string {
	const steps = plan.steps.map(({ title, detail }, at) => `# ${at + 1}. ${title}\n${detail.trimEnd()}\n`);
	const notes = plan.warnings.map((warning) => `# ${vscode.l10n.t('Note: {0}', warning)}\n`);
	return [...notes, ...steps].join('\n');
}
