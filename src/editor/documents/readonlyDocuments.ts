import * as vscode from 'vscode';

import type { Disposable } from '../../common/disposable.js';
import { BoincError, messageOf } from '../../common/errors.js';
import { DOCUMENT_SCHEME } from '../../common/ids.js';

interface Entry {
	readonly bytes: Uint8Array;
	readonly time: number;
}

/** Reads the document with this path, such as `/log/<server>/<instance>/<name>`; `undefined` when there is none of that kind. */
export type ReadDocument = (path: string) => Promise<Uint8Array | undefined>;

/** Most that is remembered of what was read, in bytes; a document that is open keeps its own text. */
const REMEMBERED = 64 * 2 ** 20;

/**
 * What is on servers as read-only files: logs, descriptions and results are fetched when they are opened, also after a restart. Plans
 * live as long as the window.
 */
export class ReadonlyDocuments implements vscode.FileSystemProvider, Disposable {
	readonly #read: ReadDocument;
	readonly #entries = new Map<string, Entry>();
	readonly #pending = new Map<string, Promise<Entry>>();
	readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
	readonly #registration: vscode.Disposable;
	#plans = 0;

	constructor(read: ReadDocument) {
		this.#read = read;
		this.#registration = vscode.workspace.registerFileSystemProvider(DOCUMENT_SCHEME, this, {
			isReadonly: true,
			isCaseSensitive: true,
		});
	}

	readonly onDidChangeFile = (listener: (events: vscode.FileChangeEvent[]) => void): vscode.Disposable =>
		this.#changed.event(listener);

	/** Opens what is on a server as a document, in the editor that suits its name; reads it again when it is open already. */
	async open(path: string): Promise<void> {
		const uri = vscode.Uri.from({ scheme: DOCUMENT_SCHEME, path });
		this.#entries.delete(uri.path);
		await this.#entry(uri); // errors reach the command, not the editor
		this.#changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
		await vscode.commands.executeCommand('vscode.open', uri, { preview: true });
	}

	/** Opens a text that exists only here. `name` is the title of its tab. Returns its address, for `close`. */
	async openText(name: string, text: string): Promise<vscode.Uri> {
		const uri = vscode.Uri.from({ scheme: DOCUMENT_SCHEME, path: `/plan/${++this.#plans}/${fileName(name)}.diff` });
		this.#entries.set(uri.path, { bytes: Buffer.from(text, 'utf8'), time: Date.now() });
		const document = await vscode.workspace.openTextDocument(uri);
		await vscode.languages.setTextDocumentLanguage(document, 'diff');
		await vscode.window.showTextDocument(document, { preview: true });
		return uri;
	}

	/** Closes the tabs of a document. */
	async close(uri: vscode.Uri): Promise<void> {
		const tabs = vscode.window.tabGroups.all
			.flatMap((group) => group.tabs)
			.filter((tab) => tab.input instanceof vscode.TabInputText && tab.input.uri.toString() === uri.toString());
		await vscode.window.tabGroups.close(tabs, true);
	}

	watch(): vscode.Disposable {
		return new vscode.Disposable(() => undefined);
	}

	async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
		const { bytes, time } = await this.#entry(uri);
		return {
			type: vscode.FileType.File,
			ctime: time,
			mtime: time,
			size: bytes.length,
			permissions: vscode.FilePermission.Readonly,
		};
	}

	async readFile(uri: vscode.Uri): Promise<Uint8Array> {
		return (await this.#entry(uri)).bytes;
	}

	readDirectory(): [string, vscode.FileType][] {
		return [];
	}

	createDirectory(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}

	writeFile(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}

	delete(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}

	rename(uri: vscode.Uri): never {
		throw vscode.FileSystemError.NoPermissions(uri);
	}

	dispose(): void {
		this.#registration.dispose();
		this.#changed.dispose();
		this.#entries.clear();
	}

	#entry(uri: vscode.Uri): Promise<Entry> {
		const known = this.#entries.get(uri.path);
		if (known) {
			return Promise.resolve(known);
		}
		const pending = this.#pending.get(uri.path) ?? this.#fetch(uri).finally(() => this.#pending.delete(uri.path));
		this.#pending.set(uri.path, pending);
		return pending;
	}

	async #fetch(uri: vscode.Uri): Promise<Entry> {
		let bytes: Uint8Array | undefined;
		try {
			bytes = await this.#read(uri.path);
		} catch (error) {
			throw BoincError.is(error) ? error : vscode.FileSystemError.Unavailable(messageOf(error));
		}
		if (!bytes) {
			throw vscode.FileSystemError.FileNotFound(uri);
		}
		const entry = { bytes, time: Date.now() };
		this.#entries.set(uri.path, entry);
		this.#forget();
		return entry;
	}

	/** Drops what was read first, but no plan: nobody could read that again. */
	#forget(): void {
		let sum = [...this.#entries.values()].reduce((bytes, entry) => bytes + entry.bytes.length, 0);
		for (const [path, entry] of this.#entries) {
			if (sum <= REMEMBERED || path === [...this.#entries.keys()].at(-1)) {
				return;
			}
			if (!path.startsWith('/plan/')) {
				this.#entries.delete(path);
				sum -= entry.bytes.length;
			}
		}
	}
}

/** A name without separators, for the last part of a path. */
export function fileName(name: string): string {
	return name.replace(/[/\\]/g, '-');
}
