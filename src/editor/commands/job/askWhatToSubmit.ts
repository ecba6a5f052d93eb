import path from 'node:path';

import * as vscode from 'vscode';

import { splitCommandLine } from '../../../common/commandLine.js';
import { BoincError, messageOf } from '../../../common/errors.js';
import { STORAGE_KEYS } from '../../../common/ids.js';
import type { InstalledApp } from '../../../project/types.js';
import { type Asker, runWizard, type Step } from '../../quickInput/wizard.js';
import type { ServerModel } from '../../servers/serverModel.js';
import type { Services } from '../../services.js';
import type { NamedJobs } from './readJobFile.js';

/** Most jobs that are submitted at once from the editor. */
const MOST_JOBS = 10_000;

export interface Submission {
	readonly dockerfile: vscode.Uri;
	/** Of the batch: folder and file, as people recognise them. */
	readonly name: string;
	readonly model: ServerModel;
	readonly app: string;
	/** Absent: the image's own. */
	readonly command: readonly string[] | undefined;
	readonly count: number;
	/** What a job file says; command and count are its business. */
	readonly jobs: NamedJobs | undefined;
}

interface Place {
	readonly model: ServerModel;
	readonly app: InstalledApp;
}

/** Asks where to submit to (unless there is one place only), and for the command and the number of jobs. */
export async function askWhatToSubmit(services: Services, dockerfile: vscode.Uri, jobs?: NamedJobs): Promise<Submission> {
	const found = await findPlaces(services);
	const wanted = jobs?.request.app;
	const places = wanted === undefined ? found : found.filter(({ app }) => app.name === wanted);
	let [place] = places;
	let command = '';
	let count = jobs?.count ?? 1;
	const last = services.workspaceState.get(STORAGE_KEYS.lastCommand);
	const questions: Step[] = [
		async (ask) => {
			command = await askCommand(ask, command === '' && typeof last === 'string' ? last : command);
		},
		async (ask) => {
			count = await askCount(ask, count);
		},
	];
	const steps: Step[] = jobs ? [] : questions;
	if (places.length > 1) {
		steps.unshift(async (ask) => {
			place = await askPlace(ask, services, places);
		});
	}
	await runWizard(vscode.l10n.t('Submit as BOINC Job'), steps);
	if (!place) {
		throw new BoincError('app-missing', vscode.l10n.t('No server has the app for containers that is asked for.'));
	}
	if (!jobs) {
		await services.workspaceState.update(STORAGE_KEYS.lastCommand, command);
	}
	await services.workspaceState.update(STORAGE_KEYS.lastServer, place.model.server.id);
	const words = splitCommandLine(command);
	return {
		dockerfile,
		name: jobs?.request.name ?? batchName(dockerfile),
		model: place.model,
		app: place.app.name,
		command: words.length > 0 ? words : undefined,
		count,
		jobs,
	};
}

/** `analysis` for `analysis/Dockerfile`, `analysis/worker.Dockerfile` otherwise. */
export function batchName(dockerfile: vscode.Uri): string {
	const file = path.posix.basename(dockerfile.path);
	const folder = path.posix.basename(path.posix.dirname(dockerfile.path));
	return /^(Dockerfile|Containerfile|boinc2docker\.ya?ml)$/i.test(file) ? folder : `${folder}/${file}`;
}

/** All apps for containers on all servers. Rejects with why there is none. */
async function findPlaces(services: Services): Promise<readonly Place[]> {
	const models = services.models.all();
	await Promise.all(models.map((model) => model.loadAgain()));
	const places = models.flatMap((model) =>
		model
			.apps()
			.filter(({ deprecated, versions }) => !deprecated && versions.some(({ runtime }) => runtime !== undefined))
			.map((app) => ({ model, app })),
	);
	if (places.length > 0) {
		return places;
	}
	for (const { status } of models) {
		if (status.kind === 'trouble') {
			throw status.error;
		}
	}
	const names = models.map(({ server }) => server.name).join(', ');
	throw new BoincError('app-missing', vscode.l10n.t('{0} has no app for containers yet.', names));
}

function askPlace(ask: Asker, services: Services, places: readonly Place[]): Promise<Place> {
	const last = services.workspaceState.get(STORAGE_KEYS.lastServer);
	const selected = places.find(({ model }) => model.server.id === last);
	return ask.pick<Place>({
		placeholder: vscode.l10n.t('Where shall it run?'),
		choices: places.map((value) => ({
			label: value.model.server.name,
			description: value.app.friendlyName === '' ? value.app.name : value.app.friendlyName,
			detail: value.model.server.target,
			value,
		})),
		...(selected && { selected }),
	});
}

function askCommand(ask: Asker, value: string): Promise<string> {
	return ask.text({
		prompt: vscode.l10n.t("Command with its arguments. Empty: the image's own command."),
		placeholder: vscode.l10n.t("the image's own command"),
		value,
		validate: (text) => {
			try {
				splitCommandLine(text);
				return undefined;
			} catch (error) {
				return messageOf(error);
			}
		},
	});
}

async function askCount(ask: Asker, count: number): Promise<number> {
	const text = await ask.text({
		prompt: vscode.l10n.t('Number of jobs. Each knows its own by the environment variable B2D_INDEX, from 0.'),
		value: String(count),
		validate: (typed) =>
			/^[1-9]\d*$/.test(typed.trim()) && Number(typed) <= MOST_JOBS
				? undefined
				: vscode.l10n.t('A number from 1 to {0}', MOST_JOBS.toLocaleString(vscode.env.language)),
	});
	return Number(text);
}
