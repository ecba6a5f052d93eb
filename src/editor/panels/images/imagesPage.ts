import { readFile } from 'node:fs/promises';

import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../../common/disposable.js';
import { messageOf } from '../../../common/errors.js';
import type { CommandId } from '../../../common/ids.js';
import type { Problem } from '../../../common/problem.js';
import { type ImageAction, type ImagesToExtension, type ImagesToPage, toExtension } from '../../../protocol/imagesPage.js';
import { addDockerfiles } from '../../commands/image/add.js';
import type { ImagesModel } from '../../images/imagesModel.js';
import type { ImageSource } from '../../images/imageSource.js';
import type { Services } from '../../services.js';
import { WebviewChannel } from '../webviewChannel.js';
import { showPage } from '../webviewHtml.js';
import { CardMemory } from './keptCards.js';
import { imagesSnapshot } from './snapshot.js';
import type { WarningFacts } from './warnings.js';
import { imagesWords } from './words.js';

/** Fixed frame of the page; the page's program fills it. */
const BODY = '<main id="page"></main><div id="announcement" role="status" aria-live="polite"></div>';
/** Milliseconds between two snapshots: a build may print thousands of lines a second. */
const FRAME = 150;
/** Milliseconds between two snapshots while something runs, for the times. */
const TICK = 1000;
/** Milliseconds between two looks for an engine that does not run. */
const LOOK = 5000;

const COMMANDS: Readonly<Partial<Record<ImageAction, CommandId>>> = {
	build: 'boinc2docker.image.build',
	showCost: 'boinc2docker.image.showCost',
	push: 'boinc2docker.image.push',
	pushToRegistry: 'boinc2docker.image.pushToRegistry',
	addDockerfile: 'boinc2docker.image.add',
	refresh: 'boinc2docker.image.refresh',
	installApp: 'boinc2docker.app.install',
	addServer: 'boinc2docker.server.add',
	logIn: 'boinc2docker.image.logIn',
};

/** Commands that get the Dockerfile and its chosen image. */
const IMAGE_COMMANDS: Readonly<Partial<Record<ImageAction, CommandId>>> = {
	submit: 'boinc2docker.job.submit',
	runLocally: 'boinc2docker.job.runLocally',
};

/** The page of the view *Images*: shows the model while it is visible, and turns what the person wants into commands. */
export class ImagesPage implements Disposable {
	readonly #services: Services;
	readonly #model: ImagesModel;
	readonly #view: vscode.WebviewView;
	readonly #owned = new DisposableStore();
	readonly #cards: CardMemory;
	readonly #channel: WebviewChannel<ImagesToPage, typeof toExtension>;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#engineTimer: ReturnType<typeof setTimeout> | undefined;
	#problems: { readonly text: string; readonly problems: readonly Problem[] } | undefined;

	constructor(view: vscode.WebviewView, services: Services, model: ImagesModel) {
		this.#view = view;
		this.#services = services;
		this.#model = model;
		this.#cards = new CardMemory(services.workspaceState);
		this.#channel = this.#owned.add(
			new WebviewChannel<ImagesToPage, typeof toExtension>(view.webview, toExtension, services.log, (message) =>
				this.#receive(message),
			),
		);
		this.#owned.add(view.onDidChangeVisibility(() => this.#schedule(0)));
		this.#owned.add(model.onDidChange(() => this.#schedule(FRAME)));
		this.#owned.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.#schedule(0)));
		this.#owned.add(
			vscode.workspace.onDidChangeConfiguration((change) => {
				if (view.visible && change.affectsConfiguration('boinc2docker.engine.command')) {
					void model.refresh();
				}
			}),
		);
	}

	/** Loads the program of the page. */
	show(extensionUri: vscode.Uri): void {
		showPage(this.#view.webview, extensionUri, { name: 'images', title: this.#view.title ?? '', body: BODY });
	}

	dispose(): void {
		clearTimeout(this.#timer);
		clearTimeout(this.#engineTimer);
		this.#owned.dispose();
	}

	#schedule(ms: number): void {
		if (this.#view.visible && this.#timer === undefined) {
			this.#timer = setTimeout(() => void this.#render(), ms);
		}
	}

	async #render(): Promise<void> {
		const now = this.#services.clock.now();
		const facts = await this.#facts().catch((error: unknown) => {
			this.#services.log.warn(`Images: ${messageOf(error)}`);
			return { architectures: undefined, server: undefined, text: '', problems: [] };
		});
		this.#timer = undefined;
		// Before that the page says that it looks for them.
		if (this.#model.isLoaded) {
			const { open } = this.#model;
			const kept = open && this.#cards.of(open.id);
			const snapshot = imagesSnapshot(this.#model, { warnings: facts, kept, now });
			this.#channel.send({ type: 'snapshot', snapshot });
			if (snapshot.open) {
				this.#cards.keep(snapshot.open).catch((error: unknown) => this.#services.log.warn(`Images: ${messageOf(error)}`));
			}
		}
		if (this.#model.running().length > 0) {
			this.#schedule(TICK);
		}
		if (this.#model.engine.state.kind === 'missing') {
			this.#engineTimer ??= setTimeout(() => void this.#lookForEngine(), LOOK);
		}
	}

	/** Somebody who has started the engine sees that it is there, without asking for it. */
	async #lookForEngine(): Promise<void> {
		if (this.#view.visible && vscode.window.state.focused && this.#model.engine.state.kind === 'missing') {
			await this.#model.lookForEngine();
		}
		this.#engineTimer = undefined;
		this.#schedule(0);
	}

	/** What the warnings of the open image need; little is read before there is a cost to warn of. */
	async #facts(): Promise<WarningFacts> {
		const { open, server } = this.#model;
		const { architecturesOf, dockerfileProblems } = await this.#services.core();
		const architectures =
			server?.status.kind === 'ready'
				? [...new Set(server.apps().flatMap((app) => (app.deprecated ? [] : architecturesOf(app))))]
				: undefined;
		const text = open && this.#model.state(open).cost ? await readFile(open.dockerfile.fsPath, 'utf8').catch(() => '') : '';
		if (this.#problems?.text !== text) {
			this.#problems = { text, problems: dockerfileProblems(text) };
		}
		return { architectures, server: server?.server.name, text, problems: this.#problems.problems };
	}

	async #receive(message: ImagesToExtension): Promise<void> {
		switch (message.type) {
			case 'ready':
				this.#channel.send({ type: 'words', words: imagesWords() });
				this.#schedule(0);
				await this.#model.load();
				break;
			case 'action':
				await this.#act(message.action, message.source);
				break;
			case 'open':
				await this.#model.setOpen(message.source);
				break;
			case 'server':
				await this.#model.setServer(message.server);
				break;
			case 'drop':
				await addDockerfiles(this.#services, message.uris);
				break;
			default: {
				// An id that is unknown means that the file is gone since the page was drawn.
				const source = this.#model.source(message.source);
				if (source) {
					await this.#change(source, message);
				}
			}
		}
	}

	async #change(
		source: ImageSource,
		message: Extract<ImagesToExtension, { type: 'options' | 'step' | 'goTo' | 'image' }>,
	): Promise<void> {
		switch (message.type) {
			case 'options':
				await this.#model.setOptions(source, message.options);
				break;
			case 'step':
				this.#model.toggleStep(source, message.step, message.open);
				break;
			case 'image':
				await this.#model.select(source, message.image);
				break;
			case 'goTo':
				await openAt(source.dockerfile, message.line);
				break;
		}
	}

	async #act(action: ImageAction, id: string | undefined): Promise<void> {
		const command = COMMANDS[action];
		const imageCommand = IMAGE_COMMANDS[action];
		const source = id === undefined ? undefined : this.#model.source(id);
		if (command !== undefined) {
			await vscode.commands.executeCommand(command, ...(source ? [source.id] : []));
		} else if (imageCommand !== undefined && source) {
			await vscode.commands.executeCommand(imageCommand, source.dockerfile, this.#model.selected(source)?.id);
		} else if (action === 'manageTrust') {
			await vscode.commands.executeCommand('workbench.trust.manage');
		} else if (action === 'chooseEngine') {
			await vscode.commands.executeCommand('workbench.action.openSettings', 'boinc2docker.engine.command');
		} else if (source) {
			await this.#actOn(action, source);
		}
	}

	async #actOn(action: ImageAction, source: ImageSource): Promise<void> {
		const { build, count, cost, serverPush, registryPush } = this.#model.state(source);
		switch (action) {
			case 'openFile':
				await openAt(source.dockerfile, 1);
				break;
			case 'cancelBuild':
				build?.cancel();
				break;
			case 'cancelCount':
				count?.cancel();
				break;
			case 'cancelCost':
				cost?.cancel();
				break;
			case 'cancelPush':
				serverPush?.cancel();
				break;
			case 'cancelRegistryPush':
				registryPush?.cancel();
				break;
			default: // a command, which was run
				break;
		}
	}
}

async function openAt(file: vscode.Uri, line: number): Promise<void> {
	const at = new vscode.Position(Math.max(0, line - 1), 0);
	await vscode.window.showTextDocument(file, { selection: new vscode.Range(at, at) });
}
