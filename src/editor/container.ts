import * as vscode from 'vscode';

import { DisposableStore } from '../common/disposable.js';
import { systemClock } from '../common/ports.js';
import { CommandManager } from './commandManager.js';
import { registerCommands } from './commands/registerCommands.js';
import { ContextManager } from './contextManager.js';
import { LogLanguage } from './documents/logLanguage.js';
import { type ReadDocument, ReadonlyDocuments } from './documents/readonlyDocuments.js';
import { ErrorPresenter } from './errorPresenter.js';
import { ExplanationDocuments } from './explanations/explanationDocuments.js';
import { helpHandlers } from './helpHandlers.js';
import type { ImagesModel } from './images/imagesModel.js';
import { LanguageServer } from './language/languageServer.js';
import { BatchPanels } from './panels/batch/batchPanels.js';
import { SeenBatches } from './panels/batch/seenBatches.js';
import { ImagesView } from './panels/images/imagesView.js';
import { EditorLog } from './ports/editorLog.js';
import { withOperation } from './ports/editorProgress.js';
import { EditorPrompts } from './ports/editorPrompts.js';
import { editorSecrets } from './ports/editorSecrets.js';
import { BatchFetcher } from './results/batchFetcher.js';
import { ResultStreamer } from './results/resultStreamer.js';
import { ServerAccess } from './servers/serverAccess.js';
import { ServerModels } from './servers/serverModels.js';
import { ServerStore } from './servers/serverStore.js';
import type { Core, Services } from './services.js';
import { BatchNotifier } from './status/batchNotifier.js';
import { StatusItem } from './status/statusItem.js';
import { ToldOnce } from './status/toldOnce.js';
import { WatchedBatches } from './status/watchedBatches.js';
import { Decorations } from './tree/decorations.js';
import { JobsTree } from './tree/jobsTree.js';
import { JobsView } from './tree/jobsView.js';
import { ViewOptions } from './tree/viewOptions.js';

/** Builds all objects of the extension, once. What it returns ends everything. */
export function createContainer(context: vscode.ExtensionContext): DisposableStore {
	const owned = new DisposableStore();
	const log = owned.add(new EditorLog());
	const clock = systemClock;
	const core = (): Promise<Core> => import('./core.js');
	const prompts = new EditorPrompts();
	const servers = owned.add(new ServerStore(context.globalState));
	owned.add(vscode.window.onDidChangeWindowState(({ focused }) => focused && servers.look()));
	const told = new ToldOnce(vscode.Uri.joinPath(context.globalStorageUri, 'told').fsPath);
	const watched = owned.add(new WatchedBatches(context.globalState, told));
	const trustFile = vscode.Uri.joinPath(context.globalStorageUri, 'known_hosts').fsPath;
	const access = owned.add(new ServerAccess({ log, clock, prompts, secrets: editorSecrets(context.secrets), trustFile, core }));
	const models = owned.add(
		new ServerModels(servers, {
			log,
			clock,
			open: (server) => access.open(server),
			monitor: async (database) => new (await core()).ProjectMonitor({ log, clock, database }),
			apps: async (project) => (await core()).installedApps(project),
			parameters: async (project, batch) => (await core()).differingParameters(project, batch),
		}),
	);
	const treeOptions = owned.add(new ViewOptions(context.workspaceState));
	const tree = owned.add(new JobsTree(models, treeOptions, new ContextManager(log), log));
	const seenBatches = owned.add(new SeenBatches());
	const view = owned.add(new JobsView(tree, models, { watched, pages: seenBatches, options: treeOptions }));
	owned.add(new Decorations());
	let reader: Promise<ReadDocument> | undefined;
	const readDocument = (): Promise<ReadDocument> =>
		(reader ??= import('./onDemand.js').then(({ documentReader }) => documentReader(models, core)));
	const documents = owned.add(new ReadonlyDocuments(async (file) => (await readDocument())(file)));
	owned.add(new LogLanguage());
	const results = owned.add(new BatchFetcher(core));
	// Before the notifier, which stops watching what has ended.
	owned.add(new ResultStreamer(models, watched, results, log, clock));
	owned.add(new StatusItem(models));
	const reveal = (serverId: string, batchId: number): Promise<void> => view.reveal(serverId, batchId);
	owned.add(new BatchNotifier(models, watched, { log, clock, told, reveal }));
	const cacheDir = vscode.Uri.joinPath(context.globalStorageUri, 'cache').fsPath;
	let images: Promise<ImagesModel> | undefined;
	const loadImages = async (): Promise<ImagesModel> => {
		const { ImagesModel } = await import('./onDemand.js');
		return owned.add(new ImagesModel({ log, clock, storage: context.workspaceState, models, cacheDir, core }));
	};
	const services: Services = {
		version: packageVersion(context),
		log,
		clock,
		prompts,
		globalState: context.globalState,
		workspaceState: context.workspaceState,
		pinFile: vscode.Uri.joinPath(context.globalStorageUri, 'programs.json').fsPath,
		cacheDir,
		builtIso: vscode.Uri.joinPath(context.extensionUri, 'dist', 'iso', 'boinc2docker.iso').fsPath,
		servers,
		access,
		models,
		watched,
		tree,
		view,
		treeOptions,
		documents,
		explanations: owned.add(new ExplanationDocuments()),
		batchPanels: () => batchPanels,
		seenBatches,
		images: () => (images ??= loadImages()),
		imagesView: () => imagesView,
		results,
		operation: (title, task) => withOperation(title, log, task),
		core,
	};
	const batchPanels = owned.add(new BatchPanels(services, context.extensionUri));
	const imagesView = owned.add(new ImagesView(services, context.extensionUri));
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
