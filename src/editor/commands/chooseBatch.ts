import * as vscode from 'vscode';

import { BoincError } from '../../common/errors.js';
import { formatSeconds } from '../../common/format.js';
import type { Batch } from '../../monitor/types.js';
import { isBatchReference } from '../panels/batch/batchReference.js';
import { pickOne } from '../quickInput/wizard.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { Services } from '../services.js';
import { BatchNode, describeBatch } from '../tree/batchNode.js';
import { chooseServer } from './chooseServer.js';

/** A batch and where it is. */
export interface BatchChoice {
	readonly model: ServerModel;
	readonly batch: Batch;
}

/** The batch that an argument of a command means, if it means one that exists. */
export function batchOf(services: Services, item: unknown): BatchChoice | undefined {
	const reference =
		item instanceof BatchNode ? { serverId: item.server.id, batchId: item.batchId } : isBatchReference(item) ? item : undefined;
	const model = reference && services.models.get(reference.serverId);
	const batch = model?.batches().find(({ id }) => id === reference?.batchId);
	return model && batch ? { model, batch } : undefined;
}

/** The batch of a tree row or a notification; else the person chooses among those that `usable` admits. */
export async function chooseBatch(
	services: Services,
	title: string,
	item: unknown,
	usable: (batch: Batch) => boolean,
): Promise<BatchChoice> {
	const given = batchOf(services, item);
	if (given) {
		return given;
	}
	const model = await chooseServer(services, title);
	await model.loadAgain();
	const batches = model.batches().filter(usable);
	if (batches.length === 0) {
		throw new BoincError('batch-missing', vscode.l10n.t('{0} has no batch that this could be done with.', model.server.name));
	}
	const batch = await pickOne<Batch>(title, {
		placeholder: vscode.l10n.t('Which batch?'),
		choices: batches.map((value) => ({
			label: value.name === '' ? vscode.l10n.t('Batch {0}', value.id) : value.name,
			description: `${describeBatch(value)} · ${ageOf(value)}`,
			value,
		})),
	});
	return { model, batch };
}

function ageOf({ createTime }: Batch): string {
	const seconds = Date.now() / 1000 - createTime;
	return seconds < 60 ? vscode.l10n.t('just now') : vscode.l10n.t('{0} ago', formatSeconds(Math.floor(seconds / 60) * 60));
}
