import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import type { Disposable } from '../../common/disposable.js';
import { messageOf } from '../../common/errors.js';
import type { Log } from '../../common/ports.js';

const FILES = '**/boinc2docker.{yml,yaml}';

/** Starts the language server, a process of its own, when the first of our files is opened; ends it with the extension. */
export class LanguageServer implements Disposable {
	readonly #program: string;
	readonly #log: Log;
	readonly #opened: vscode.Disposable;
	#client: Promise<LanguageClient> | undefined;

	/** @param program path of the server's bundle */
	constructor(program: string, log: Log) {
		this.#program = program;
		this.#log = log;
		this.#opened = vscode.workspace.onDidOpenTextDocument((document) => this.#startFor(document));
		vscode.workspace.textDocuments.forEach((document) => this.#startFor(document));
	}

	dispose(): void {
		this.#opened.dispose();
		this.#client?.then((client) => client.dispose()).catch(() => undefined);
	}

	#startFor(document: vscode.TextDocument): void {
		if (this.#client || vscode.languages.match({ scheme: 'file', pattern: FILES }, document) === 0) {
			return;
		}
		this.#client = this.#start();
		this.#client.catch((error: unknown) => this.#log.error(`The language server did not start: ${messageOf(error)}`));
	}

	async #start(): Promise<LanguageClient> {
		const { LanguageClient, TransportKind } = await import('vscode-languageclient/node');
		const client = new LanguageClient(
			'boinc2docker.language',
			vscode.l10n.t('BOINC Language Server'),
			{ module: this.#program, transport: TransportKind.ipc },
			{ documentSelector: [{ scheme: 'file', pattern: FILES }] },
		);
		await client.start();
		return client;
	}
}
