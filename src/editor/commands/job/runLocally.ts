import path from 'node:path';

import * as vscode from 'vscode';

import type { LocalJobReport, LocalRunRequest } from '../../../job/localRun/runLocally.js';
import { askText } from '../../quickInput/wizard.js';
import { JobTerminal, sayReport } from '../../results/jobTerminal.js';
import { keepResult } from '../../results/keepResult.js';
import type { Services } from '../../services.js';
import { settings } from '../../settings.js';
import { batchName } from './askWhatToSubmit.js';
import { chooseDockerfile, isJobFile } from './chooseDockerfile.js';
import { readJobFile } from './readJobFile.js';

/**
 * Runs one job of a job file or a Dockerfile on this computer, in a terminal, and offers to write what it took into the job file.
 * `built` is the id of an image of the engine to run instead of building the Dockerfile.
 */
export async function runJobLocally(services: Services, uri?: unknown, built?: unknown): Promise<void> {
	const file = await chooseDockerfile(uri);
	const wanted = await requestOf(services, file, typeof built === 'string' ? built : undefined);
	let measured: LocalJobReport | undefined;
	const pty = new JobTerminal(services, async (output, ctx) => {
		const { findEngine, runLocally } = await services.core();
		const command = settings.engineCommand();
		const engine = await findEngine(ctx, command === undefined ? {} : { command });
		output.say(vscode.l10n.t('Running with {0}; Ctrl+C ends it', `${engine.command} ${engine.version}`));
		const request: LocalRunRequest = {
			...wanted,
			onOutput: (chunk) => output.write(chunk),
			onLog: (line) => output.write(Buffer.from(`${line}\n`)),
		};
		await runLocally(
			request,
			{ engine, cacheDir: services.cacheDir },
			async (report) => {
				sayReport(output, report);
				await keepResult(services, report, { folder: 'local', job: report.job }, output);
				measured = report.exitCode === 0 ? report : undefined;
			},
			ctx,
		);
	});
	const terminal = vscode.window.createTerminal({
		name: vscode.l10n.t('Run {0} Locally', wanted.name),
		pty,
		iconPath: new vscode.ThemeIcon('play'),
	});
	terminal.show();
	await pty.ended;
	if (measured && isJobFile(file)) {
		await offer(services, file, measured);
	}
}

async function requestOf(
	services: Services,
	file: vscode.Uri,
	built: string | undefined,
): Promise<Omit<LocalRunRequest, 'onOutput'>> {
	if (!isJobFile(file)) {
		const { dir, base } = path.parse(file.fsPath);
		const image: LocalRunRequest['image'] =
			built === undefined ? { kind: 'dockerfile', contextDir: dir, dockerfile: base } : { kind: 'reference', reference: built };
		return { name: batchName(file), image, index: 0 };
	}
	const { request, image, jobs, count } = await readJobFile(services, file);
	const index = count === 1 ? 0 : await askIndex(count);
	return { ...request, name: request.name ?? batchName(file), image, ...(jobs && { jobs }), index };
}

async function askIndex(count: number): Promise<number> {
	const last = (count - 1).toLocaleString(vscode.env.language);
	const text = await askText(vscode.l10n.t('Run Locally'), {
		prompt: vscode.l10n.t('Which of the jobs? From 0 to {0}.', last),
		value: '0',
		validate: (typed) =>
			/^\d+$/.test(typed.trim()) && Number(typed) < count ? undefined : vscode.l10n.t('A number from 0 to {0}', last),
	});
	return Number(text);
}

/** Puts what was measured, and a margin, into the job file; the person sees it there and may undo it. */
async function offer(services: Services, file: vscode.Uri, report: LocalJobReport): Promise<void> {
	const { editSection, measuredResources } = await services.core();
	const values = Object.entries<string>({ ...measuredResources(report) });
	const words = values.map(([name, value]) => `${name}: ${value}`).join(', ');
	const write = vscode.l10n.t('Write into {0}', path.basename(file.fsPath));
	const message = vscode.l10n.t('With half as much again as this run took, a job needs {0}.', words);
	if ((await vscode.window.showInformationMessage(message, write)) !== write) {
		return;
	}
	const document = await vscode.workspace.openTextDocument(file);
	const edit = new vscode.WorkspaceEdit();
	for (const { start, end, text } of await editSection(document.getText(), 'resources', Object.fromEntries(values))) {
		edit.replace(file, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
	}
	await vscode.workspace.applyEdit(edit);
	await vscode.window.showTextDocument(document);
}
