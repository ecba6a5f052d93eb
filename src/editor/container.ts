import * as vscode from 'vscode';

import { DisposableStore } from '../common/disposable.js';
import { systemClock } from '../common/ports.js';
import { CommandManager } from './commandManager.js';
import { registerCommands } from './commands/registerCommands.js';
import { ContextManager } from './contextManager.js';
import { formatLog } from './documents/formatLog.js';
import { ReadonlyDocuments } from './documents/readonlyDocuments.js';
import { ErrorPresenter } from './errorPresenter.js';
import { helpHandlers } from './helpHandlers.js';
import { LanguageServer } from './language/languageServer.js';
import { EditorLog } from './ports/editorLog.js';
import { withOperation } from './ports/editorProgress.js';
import { EditorPrompts } from './ports/editorPrompts.js';
import { editorSecrets } from './ports/editorSecrets.js';
import { ServerAccess } from './servers/serverAccess.js';
import { ServerModels } from './servers/serverModels.js';
import { ServerStore } from './servers/serverStore.js';
import type { Core, Services } from './services.js';
import { BatchNotifier } from './status/batchNotifier.js';
import { StatusItem } from './status/statusItem.js';
import { WatchedBatches } from './status/watchedBatches.js';
import { JobsTree } from './tree/jobsTree.js';
import { JobsView } from './tree/jobsView.js';

/** Builds all objects of the extension, once. What it returns ends everything. */
export function createContainer(context: vscode.ExtensionContext): DisposableStore {
	const owned = new DisposableStore();
	const log = owned.add(new EditorLog());
	const clock = systemClock;
	const core = (): Promise<Core> => import('./core.js');
	const prompts = new EditorPrompts();
	const servers = owned.add(new ServerStore(context.globalState));
	const watched = owned.add(new WatchedBatches(context.globalState));
	const trustFile = vscode.Uri.joinPath(context.globalStorageUri, 'known_hosts').fsPath;
	const access = owned.add(new ServerAccess({ log, clock, prompts, secrets: editorSecrets(context.secrets), trustFile, core }));
	const models = owned.add(
		new ServerModels(servers, {
			log,
			clock,
			open: (server) => access.open(server),
			monitor: async (database) => new (await core()).ProjectMonitor({ log, clock, database }),
			apps: async (project) => (await core()).installedApps(project),
		}),
	);
	const tree = owned.add(new JobsTree(models, new ContextManager(log), log));
	const view = owned.add(new JobsView(tree, models, watched));
	const documents = owned.add(new ReadonlyDocuments(readLogWith(models, core)));
	owned.add(new StatusItem(models));
	owned.add(new BatchNotifier(models, watched, log));
	const services: Services = {
		version: packageVersion(context),
		log,
		clock,
		prompts,
		globalState: context.globalState,
		workspaceState: context.workspaceState,
		pinFile: vscode.Uri.joinPath(context.globalStorageUri, 'programs.json').fsPath,
		cacheDir: vscode.Uri.joinPath(context.globalStorageUri, 'packs').fsPath,
		builtIso: vscode.Uri.joinPath(context.extensionUri, 'dist', 'iso', 'boinc2docker.iso').fsPath,
		servers,
		access,
		models,
		watched,
		tree,
		view,
		documents,
		operation: (title, task) => withOperation(title, log, task),
		core,
	};
	const errors = new ErrorPresenter(log, clock, helpHandlers(services));
	const commands = owned.add(
		new CommandManager(services, { log, clock: () => clock.now(), showError: (error, retry) => errors.show(error, retry) }),
	);
	registerCommands(commands);
	owned.add(
		new LanguageServer(
			context.asAbsolutePath('dist/language.js'),
			vscode.Uri.joinPath(context.extensionUri, 'syntaxes/boinc2docker.md').toString(),
			log,
		),
	);
	return owned;
}

function packageVersion(context: vscode.ExtensionContext): string {
	const manifest: unknown = context.extension.packageJSON;
	return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}

function readLogWith(models: ServerModels, core: () => Promise<Core>): (serverId: string, instanceId: number) => Promise<string> {
	return async (serverId, instanceId) => {
		const model = models.get(serverId);
		if (!model) {
			throw new Error(vscode.l10n.t('The server of this log is no longer in the list.'));
		}
		const database = await (await model.project()).database();
		return formatLog(await (await core()).instanceLog(database, instanceId));
	};
}
