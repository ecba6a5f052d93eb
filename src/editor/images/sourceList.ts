import { stat } from 'node:fs/promises';

import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { Emitter, type Event } from '../../common/event.js';
import { STORAGE_KEYS } from '../../common/ids.js';
import { DOCKERFILE_GLOB, isDockerfile } from '../commands/job/chooseDockerfile.js';
import type { Storage } from '../servers/serverStore.js';
import type { Core } from '../services.js';
import { dockerfileOf, type ImageSource, sourceOfDockerfile, sourceOfService } from './imageSource.js';

const COMPOSE_GLOB = '**/{compose,docker-compose,podman-compose}*.{yml,yaml}';
/** Files that say what of a context is left out. */
const RULES_GLOB = '**/{.dockerignore,.containerignore,*.dockerignore}';
const IGNORED = '**/{node_modules,.git,.venv,boinc-results}/**';
const MOST_FILES = 1000;
/** A file with more is no Dockerfile, whatever it is called. */
const MOST_BYTES = 1_000_000;
const DEBOUNCE = 300;

/** The Dockerfiles and compose builds of the workspace, and those that were added by hand; kept as files come and go. */
export class SourceList implements Disposable {
	readonly #storage: Storage;
	readonly #core: () => Promise<Core>;
	readonly #owned = new DisposableStore();
	readonly #changed = new Emitter<void>();
	readonly #rulesChanged = new Emitter<void>();
	#sources: readonly ImageSource[] = [];
	#loading: Promise<void> | undefined;
	#isLoaded = false;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(storage: Storage, core: () => Promise<Core>) {
		this.#storage = storage;
		this.#core = core;
	}

	readonly onDidChange: Event<void> = this.#changed.event;

	/** Another part of the contexts is left out. */
	readonly onDidChangeRules: Event<void> = this.#rulesChanged.event;

	/** In order of the folders. */
	all(): readonly ImageSource[] {
		return this.#sources;
	}

	get isLoaded(): boolean {
		return this.#isLoaded;
	}

	/** Looks once, and watches from then on. */
	load(): Promise<void> {
		if (!this.#isLoaded && !this.#loading) {
			this.#watch();
		}
		return this.#isLoaded ? Promise.resolve() : this.refresh();
	}

	/** Looks again. */
	refresh(): Promise<void> {
		this.#loading ??= this.#read().finally(() => (this.#loading = undefined));
		return this.#loading;
	}

	/** Adds a Dockerfile that may lie outside of the workspace; resolves to its source, or `undefined` when it cannot be read. */
	async add(file: vscode.Uri): Promise<ImageSource | undefined> {
		const others = this.#added().filter((known) => known !== file.toString());
		await this.#storage.update(STORAGE_KEYS.addedDockerfiles, [...others, file.toString()].slice(-20));
		await this.#loading;
		await this.refresh();
		return this.#sources.find(({ id }) => id === file.toString());
	}

	dispose(): void {
		clearTimeout(this.#timer);
		this.#owned.dispose();
		this.#changed.dispose();
		this.#rulesChanged.dispose();
	}

	#added(): string[] {
		const stored = this.#storage.get(STORAGE_KEYS.addedDockerfiles);
		return Array.isArray(stored) ? stored.filter((one) => typeof one === 'string') : [];
	}

	#watch(): void {
		const later = (): void => {
			clearTimeout(this.#timer);
			this.#timer = setTimeout(() => void this.refresh(), DEBOUNCE);
		};
		const rules = (): void => this.#rulesChanged.fire();
		for (const [glob, react] of [
			[DOCKERFILE_GLOB, later],
			[COMPOSE_GLOB, later],
			[RULES_GLOB, rules],
		] as const) {
			const watcher = this.#owned.add(vscode.workspace.createFileSystemWatcher(glob));
			this.#owned.add(watcher.onDidCreate(react));
			this.#owned.add(watcher.onDidChange(react));
			this.#owned.add(watcher.onDidDelete(react));
		}
		this.#owned.add(vscode.workspace.onDidChangeWorkspaceFolders(later));
	}

	async #read(): Promise<void> {
		const { composeBuilds, dockerfileOutline } = await this.#core();
		const found = await vscode.workspace.findFiles(DOCKERFILE_GLOB, IGNORED, MOST_FILES);
		const added = this.#added().map((address) => vscode.Uri.parse(address));
		const sources = new Map<string, ImageSource>();
		for (const file of [...found, ...added]) {
			const text = file.scheme === 'file' ? await textOf(file) : undefined;
			if (text !== undefined) {
				sources.set(file.toString(), sourceOfDockerfile(file, dockerfileOutline(text)));
			}
		}
		for (const compose of await vscode.workspace.findFiles(COMPOSE_GLOB, IGNORED, MOST_FILES)) {
			for (const build of await composeBuilds((await textOf(compose)) ?? '')) {
				const text = await textOf(dockerfileOf(compose, build));
				if (text !== undefined) {
					const source = sourceOfService(compose, build, dockerfileOutline(text));
					sources.set(source.id, source);
				}
			}
		}
		this.#sources = [...sources.values()].sort((a, b) => a.place.localeCompare(b.place) || a.name.localeCompare(b.name));
		this.#isLoaded = true;
		this.#changed.fire();
	}
}

/** Whether a file that was dropped can be added: a Dockerfile by its name, or any small text that begins like one. */
export async function looksLikeDockerfile(file: vscode.Uri): Promise<boolean> {
	const text = file.scheme === 'file' ? await textOf(file) : undefined;
	return text !== undefined && (isDockerfile(file) || /^\s*(FROM|ARG|#)\b/im.test(text.slice(0, 2000)));
}

async function textOf(file: vscode.Uri): Promise<string | undefined> {
	try {
		const facts = await stat(file.fsPath);
		return facts.isFile() && facts.size <= MOST_BYTES
			? new TextDecoder().decode(await vscode.workspace.fs.readFile(file))
			: undefined;
	} catch {
		return undefined; // gone, or not to be read
	}
}
