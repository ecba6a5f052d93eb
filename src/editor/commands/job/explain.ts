import * as vscode from 'vscode';

import { type Explanation, formatExplanations, type Subject, wrapLines } from '../../../monitor/explain/explanation.js';
import type { ServerModel } from '../../servers/serverModel.js';
import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';
import { JobNode } from '../../tree/jobNode.js';
import { chooseBatch } from '../chooseBatch.js';

/** What is explained, where it is, and how it is called. */
interface Asked {
	readonly model: ServerModel;
	readonly subject: Subject;
	readonly name: string;
}

/** *Why Is This Not Running?* for a batch, a job or an instance. */
export async function explainWaitingOf(services: Services, item?: unknown): Promise<void> {
	const title = vscode.l10n.t('Why Is This Not Running?');
	const { model, subject, name } = await whatIsAsked(services, title, item);
	const found = await services.operation(vscode.l10n.t('Looking at “{0}”', name), async (ctx) => {
		const { explainWaiting } = await services.core();
		return explainWaiting(await model.project(ctx.signal), subject, ctx.signal);
	});
	await show(services, title, name, found);
}

/** *Why Did It Fail?* for a batch, a job or an instance. */
export async function explainFailureOf(services: Services, item?: unknown): Promise<void> {
	const title = vscode.l10n.t('Why Did It Fail?');
	const { model, subject, name } = await whatIsAsked(services, title, item);
	const found = await services.operation(vscode.l10n.t('Looking at “{0}”', name), async (ctx) => {
		const { explainFailure } = await services.core();
		return explainFailure(await (await model.project(ctx.signal)).database(), subject);
	});
	await show(services, title, name, found);
}

async function whatIsAsked(services: Services, title: string, item: unknown): Promise<Asked> {
	const model = (serverId: string): ServerModel | undefined => services.models.get(serverId);
	if (item instanceof JobNode || item instanceof InstanceNode) {
		const own = model(item.server.id);
		if (own) {
			return item instanceof JobNode
				? { model: own, subject: { kind: 'job', id: item.job.id }, name: item.job.name }
				: { model: own, subject: { kind: 'instance', id: item.instance.id }, name: item.instance.name };
		}
	}
	if (isJobReference(item)) {
		const own = model(item.serverId);
		if (own) {
			return { model: own, subject: { kind: 'job', id: item.jobId }, name: vscode.l10n.t('job {0}', item.jobId) };
		}
	}
	const chosen = await chooseBatch(services, title, item, () => true);
	return { model: chosen.model, subject: { kind: 'batch', id: chosen.batch.id }, name: chosen.batch.name };
}

/** A job named by its ids: what the page of a batch passes. */
function isJobReference(value: unknown): value is { serverId: string; jobId: number } {
	return (
		typeof value === 'object' &&
		value !== null &&
		'serverId' in value &&
		typeof value.serverId === 'string' &&
		'jobId' in value &&
		typeof value.jobId === 'number'
	);
}

/** One good word is a message; anything else a document that can be read and copied. */
async function show(services: Services, title: string, name: string, found: readonly Explanation[]): Promise<void> {
	const [only] = found;
	if (found.length === 1 && only?.level === 'info' && (only.details ?? []).length === 0 && (only.examples ?? []).length === 0) {
		void vscode.window.showInformationMessage(only.sentence);
		return;
	}
	await services.explanations.open(
		`${title} ${name}`,
		`${title} — ${name}\n\n${wrapLines(formatExplanations(found)).join('\n')}\n`,
	);
}
