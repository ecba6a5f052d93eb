import * as vscode from 'vscode';

import { abortError, BoincError, isAbort, messageOf } from '../../../common/errors.js';
import type { OperationContext } from '../../../common/ports.js';
import { formatTarget, parseTarget, type Target } from '../../../connection/target.js';
import type { FoundProject } from '../../../project/findProjects.js';
import { askText, pickOne } from '../../quickInput/wizard.js';
import { type Server, serverId } from '../../servers/server.js';
import { untilAborted } from '../../servers/untilAborted.js';
import type { Services } from '../../services.js';
import { chooseKeyFile } from './chooseKeyFile.js';

interface Found {
	readonly projects: readonly FoundProject[];
	readonly identityFile: string | undefined;
}

/** Asks for an address, connects, lets the person choose among the projects there, and remembers the server. */
export async function addServer(services: Services): Promise<Server> {
	const title = vscode.l10n.t('Add Server');
	const address = await askText(title, {
		prompt: vscode.l10n.t('Address of the BOINC server. The path of the project may be left out: it is looked for.'),
		placeholder: 'ssh://boincadm@example.org:22/home/boincadm/projects/myproject',
		validate: (text) => (text.trim() === '' ? vscode.l10n.t('For example ssh://boincadm@example.org') : complaint(text)),
	});
	const target = parseTarget(address.trim());
	const { projects, identityFile } = await findWithKeys(services, title, target);
	const project = await chooseProject(title, target, projects);
	const full: Target = { ...target, path: project.root };
	const server: Server = {
		id: serverId(full),
		name: project.longName === '' ? formatTarget(full) : project.longName,
		target: formatTarget(full),
		...(identityFile !== undefined && { identityFile }),
	};
	await services.servers.put(server);
	await vscode.commands.executeCommand('boinc2docker.views.jobs.focus');
	await services.models.get(server.id)?.load();
	return server;
}

function complaint(text: string): string | undefined {
	try {
		parseTarget(text.trim());
		return undefined;
	} catch (error) {
		return [messageOf(error), BoincError.is(error) ? error.remedy : undefined].filter(Boolean).join(' ');
	}
}

/** Tries until the server lets us in, each time with the key file that the person chose. */
async function findWithKeys(services: Services, title: string, target: Target): Promise<Found> {
	for (let identityFile: string | undefined; ;) {
		try {
			const projects = await services.operation(vscode.l10n.t('Connecting to {0}', nameOf(target)), (ctx) =>
				find(services, target, identityFile, ctx),
			);
			return { projects, identityFile };
		} catch (error) {
			if (isAbort(error) || !BoincError.is(error, 'authentication-failed')) {
				throw error;
			}
			services.log.warn(messageOf(error));
			identityFile = await askForKey(error);
		}
	}
}

async function find(
	services: Services,
	target: Target,
	key: string | undefined,
	ctx: OperationContext,
): Promise<readonly FoundProject[]> {
	const { findProjects, openProject } = await services.core();
	const lease = await untilAborted(services.access.acquire(target, key), ctx.signal);
	try {
		if (target.path === undefined) {
			return await findProjects(lease.connection, undefined, ctx.signal);
		}
		const project = await openProject(lease.connection, target.path, ctx);
		const { longName, masterUrl } = project.config;
		project.dispose();
		return [{ root: target.path, longName, masterUrl }];
	} finally {
		lease.release();
	}
}

/** A dialog, for a list would cut the reason off. */
async function askForKey(error: BoincError): Promise<string | undefined> {
	const [file, again] = [vscode.l10n.t('Choose a Private Key…'), vscode.l10n.t('Try Again')];
	const options = { modal: true, detail: error.remedy ?? '' };
	const choice = await vscode.window.showErrorMessage(error.message, options, file, again);
	if (choice === undefined) {
		throw abortError();
	}
	return choice === file ? chooseKeyFile() : undefined;
}

async function chooseProject(title: string, target: Target, projects: readonly FoundProject[]): Promise<FoundProject> {
	const [first] = projects;
	if (!first) {
		throw new BoincError('project-not-found', vscode.l10n.t('No BOINC project was found on {0}.', nameOf(target)), {
			remedy: vscode.l10n.t('Add the path of the project to the address.'),
		});
	}
	return projects.length === 1
		? first
		: pickOne<FoundProject>(title, {
				placeholder: vscode.l10n.t('Which project?'),
				choices: projects.map((value) => ({ label: value.longName, description: value.root, value })),
			});
}

const nameOf = (target: Target): string => (target.kind === 'local' ? vscode.l10n.t('this computer') : target.host);
