import * as vscode from 'vscode';

import { formatBytes, formatSeconds } from '../../common/format.js';
import { readable } from '../../common/readableText.js';
import type { HostFacts } from '../../monitor/instanceFiles.js';

/** A host as a document. What its client told of Docker and the like follows as it is. */
export function formatHost(facts: HostFacts): string {
	const number = (name: keyof HostFacts): number => Number(facts[name]);
	const time = (name: keyof HostFacts): string => (number(name) === 0 ? '' : new Date(number(name) * 1000).toLocaleString());
	const size = (name: keyof HostFacts): string => (number(name) <= 0 ? '' : formatBytes(number(name)));
	const lines: readonly (readonly [title: string, value: string])[] = [
		[vscode.l10n.t('Host'), String(facts.id)],
		[vscode.l10n.t('Volunteer'), String(facts.userid)],
		[vscode.l10n.t('Operating system'), `${facts.os_name} ${facts.os_version}`.trim()],
		[vscode.l10n.t('Processor'), `${facts.p_vendor} ${facts.p_model}`.trim()],
		[vscode.l10n.t('Cores'), String(facts.p_ncpus)],
		[vscode.l10n.t('Speed of a core'), number('p_fpops') > 0 ? `${(number('p_fpops') / 1e9).toFixed(1)} GFLOPS` : ''],
		[vscode.l10n.t('Memory'), size('m_nbytes')],
		[vscode.l10n.t('Swap space'), size('m_swap')],
		[vscode.l10n.t('Disk'), number('d_total') > 0 ? vscode.l10n.t('{0}, {1} free', size('d_total'), size('d_free')) : ''],
		[vscode.l10n.t('Download'), number('n_bwdown') > 0 ? `${size('n_bwdown')}/s` : ''],
		[vscode.l10n.t('Upload'), number('n_bwup') > 0 ? `${size('n_bwup')}/s` : ''],
		[vscode.l10n.t('First contact'), time('create_time')],
		[vscode.l10n.t('Last contact'), time('rpc_time')],
		[
			vscode.l10n.t('Average time from sending to result'),
			number('avg_turnaround') > 0 ? formatSeconds(number('avg_turnaround')) : '',
		],
		[vscode.l10n.t('Product'), String(facts.product_name)],
	];
	const shown = lines.filter(([, value]) => value !== '' && value !== '0');
	const width = Math.max(...shown.map(([title]) => title.length));
	const text = shown.map(([title, value]) => `${`${title}:`.padEnd(width + 2)}${readable(value)}\n`).join('');
	const misc = facts.misc.trim();
	return misc === ''
		? text
		: `${text}\n${vscode.l10n.t('What its client says of containers and virtual machines:')}\n${readable(pretty(misc))}\n`;
}

function pretty(json: string): string {
	try {
		return JSON.stringify(JSON.parse(json), undefined, 2);
	} catch {
		return json;
	}
}
