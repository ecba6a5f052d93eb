import * as vscode from 'vscode';

import { messageOf } from '../../../common/errors.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { groupingWords } from '../../tree/optionWords.js';
import { type Grouping, GROUPINGS } from '../../tree/viewOptions.js';

/** The newest batches of each server, whose parameters are offered. */
const NEWEST = 5;

/** Asks what the jobs of a batch are put together by. */
export async function groupJobsBy(services: Services): Promise<void> {
	const title = vscode.l10n.t('Group Jobs By');
	const { group: before, parameter: known } = services.treeOptions.now;
	const group = await pickOne<Grouping>(title, {
		placeholder: vscode.l10n.t('What shall the jobs of a batch be put together by?'),
		choices: GROUPINGS.map((value) => ({ label: groupingWords(value), value })),
		selected: before,
	});
	const parameter = group === 'parameter' ? await chooseParameter(services, title, known) : known;
	await services.treeOptions.set({ group, parameter });
}

async function chooseParameter(services: Services, title: string, selected: string): Promise<string> {
	const labels = await services.operation(vscode.l10n.t('Reading parameters'), () => labelsOf(services));
	if (labels.length < 2) {
		return '';
	}
	return pickOne<string>(title, {
		placeholder: vscode.l10n.t('Which parameter?'),
		choices: [
			{ label: vscode.l10n.t('The one with fewest values'), value: '' },
			...labels.map((label) => ({ label, value: label })),
		],
		selected,
	});
}

/** What differs between the jobs of the newest batches. Batches whose parameters cannot be read any more say nothing. */
async function labelsOf(services: Services): Promise<string[]> {
	const newest = services.models.all().flatMap((model) =>
		model
			.batches()
			.slice(0, NEWEST)
			.map(({ id }) => model.parameters(id)),
	);
	const found = await Promise.allSettled(newest);
	found.forEach((one) => one.status === 'rejected' && services.log.debug(messageOf(one.reason)));
	return [...new Set(found.flatMap((one) => (one.status === 'fulfilled' ? one.value.labels : [])))];
}
