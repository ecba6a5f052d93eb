import * as vscode from 'vscode';

import { excerpt, readable, textOf } from '../../common/readableText.js';
import type { ArchivedResult } from '../../monitor/results/archivedResult.js';
import type { Project } from '../../project/project.js';
import type { ServerModels } from '../servers/serverModels.js';
import type { Core } from '../services.js';
import { formatHost } from './formatHost.js';
import { formatLog } from './formatLog.js';
import { shownKind } from './logKinds.js';
import type { ReadDocument } from './readonlyDocuments.js';

/** Characters of the head and of the tail of a long log. */
const SHOWN = 256 * 1024;
/** Results whose contents are remembered while a person goes through their files. */
const RECENT = 4;

/**
 * Reads the documents of servers by path:
 * `/jobfile/SERVER/BATCH/…`, `/log/SERVER/INSTANCE/…`, `/input/…` and `/output/…` alike, `/host/SERVER/HOST/…`, and of a result that stays on the server
 * `/result/SERVER/BATCH/JOB/PATH`, as it is, and `/excerpt-0/…` with head and tail of a long log; `/fulllog/SERVER/INSTANCE/…` and
 * `/fulllog-0/…` alike for what an instance's host uploaded. A larger number shows more.
 */
export function documentReader(models: ServerModels, core: () => Promise<Core>): ReadDocument {
	const recent = new Map<string, Promise<ArchivedResult>>();
	const projectOf = async (serverId: string): Promise<Project> => {
		const model = models.get(serverId);
		if (!model) {
			throw new Error(vscode.l10n.t('The server of this document is no longer in the list.'));
		}
		return model.project();
	};
	const resultOf = (serverId: string, batchId: number, job: string): Promise<ArchivedResult> => {
		const key = `${serverId}/${batchId}/${job}`;
		const reading = recent.get(key) ?? readResult(core, projectOf(serverId), batchId, job);
		recent.delete(key);
		recent.set(key, reading);
		reading.catch(() => recent.delete(key));
		for (const old of [...recent.keys()].slice(0, -RECENT)) {
			recent.delete(old);
		}
		return reading;
	};
	return async (path) => {
		const [, kind = '', serverId = '', id = '', ...rest] = path.split('/');
		if (!/^[0-9a-f]+$/.test(serverId) || !/^\d+$/.test(id) || rest.length === 0) {
			return undefined;
		}
		const number = Number(id);
		const [log, steps] = shownKind(kind);
		if (log === 'result') {
			const [job = '', ...inside] = rest;
			const bytes = (await resultOf(serverId, number, job)).files.get(inside.join('/'));
			return bytes && steps !== undefined ? shortened(bytes, steps) : bytes;
		}
		if (log === 'fulllog') {
			const bytes = await (await core()).fullLog(await projectOf(serverId), number);
			return shortened(bytes, steps ?? Infinity);
		}
		const text = await rowText(kind, await projectOf(serverId), number, await core());
		return text === undefined ? undefined : Buffer.from(text, 'utf8');
	};
}

async function rowText(kind: string, project: Project, id: number, core: Core): Promise<string | undefined> {
	const database = await project.database();
	switch (kind) {
		case 'jobfile':
			return (await core.keptJobFile(project, id)) ?? `# ${vscode.l10n.t('Batch {0} was submitted without a job file.', id)}\n`;
		case 'log':
			return formatLog(await core.instanceLog(database, id));
		case 'input':
			return readable(await core.inputXml(database, id));
		case 'output':
			return readable(await core.outputXml(database, id));
		case 'host':
			return formatHost(await core.hostFacts(database, id));
		default:
			return undefined;
	}
}

/** Lines that links are put on, to more of the log and to the whole of it; see `LogLanguage`. */
const leftOutLines = (bytes: number): string =>
	`${vscode.l10n.t('… {0} bytes left out, show more', bytes)}\n${vscode.l10n.t('… {0} bytes left out, open whole', bytes)}`;

/** Head and tail of a log, each four times as long with each step. */
function shortened(bytes: Uint8Array, steps: number): Uint8Array {
	return Buffer.from(excerpt(readable(textOf(bytes)), SHOWN * 4 ** steps, leftOutLines), 'utf8');
}

async function readResult(
	core: () => Promise<Core>,
	opening: Promise<Project>,
	batchId: number,
	job: string,
): Promise<ArchivedResult> {
	const { archivedResult, resultsDirectory } = await core();
	const project = await opening;
	const database = await project.database();
	const [row] = await database.select<{ app_id: number }>('SELECT app_id FROM batch WHERE id = ?', [batchId]);
	const resultsDir = await resultsDirectory(project, row?.app_id ?? 0);
	return archivedResult(project.connection, { resultsDir, batchId, job });
}
