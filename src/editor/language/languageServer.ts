import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';

import type { Disposable } from '../../common/disposable.js';
import { messageOf } from '../../common/errors.js';
import { COMMANDS } from '../../common/ids.js';
import type { Log } from '../../common/ports.js';
import type { LanguageServerOptions } from '../../protocol/lsp.js';

/** Names of the files that the server reads; what they hold decides whether they are ours. */
const PATTERNS = [
	'**/boinc2docker.{yml,yaml}',
	'**/{config,project,version}.xml',
	'**/plan_class_spec*.xml',
	'**/vbox_job*.xml',
	'**/*_{in,out}',
	'**/*_{in,out}.xml',
	'**/*template_{in,out}*',
	'**/*{input,output}_template*',
	'**/job.toml',
	'**/{Dockerfile,Containerfile}*',
	'**/*.{Dockerfile,Containerfile}',
];
const SELECTOR = PATTERNS.map((pattern) => ({ scheme: 'file', pattern }));
/** The beginning of a file that is ours, where its name does not say it. */
const OURS = /<(boinc|version|plan_classes|vbox_job|input_template|output_template|file_info|workunit)[\s>/]/;

/** Starts the language server, a process of its own, when the first of our files is opened; ends it with the extension. */
export class LanguageServer implements Disposable {
	readonly #program: string;
	readonly #reference: string;
	readonly #log: Log;
	readonly #opened: vscode.Disposable;
	#client: Promise<LanguageClient> | undefined;

	/** @param program path of the server's bundle @param reference address of the reference page of the job file */
	constructor(program: string, reference: string, log: Log) {
		this.#program = program;
		this.#reference = reference;
		this.#log = log;
		this.#opened = vscode.workspace.onDidOpenTextDocument((document) => this.#startFor(document));
		vscode.workspace.textDocuments.forEach((document) => this.#startFor(document));
	}

	dispose(): void {
		this.#opened.dispose();
		this.#client?.then((client) => client.dispose()).catch(() => undefined);
	}

	#startFor(document: vscode.TextDocument): void {
		if (this.#client || vscode.languages.match(SELECTOR, document) === 0) {
			return;
		}
		mayBeOurs(document).then(
			(isOurs) => isOurs && this.#startOnce(),
			(error: unknown) => this.#log.error(messageOf(error)),
		);
	}

	#startOnce(): void {
		if (this.#client) {
			return;
		}
		this.#client = this.#start();
		this.#client.catch((error: unknown) => this.#log.error(`The language server did not start: ${messageOf(error)}`));
	}

	async #start(): Promise<LanguageClient> {
		const { LanguageClient, TransportKind } = await import('vscode-languageclient/node');
		const options: LanguageServerOptions = { commands: COMMANDS, reference: this.#reference };
		const client = new LanguageClient(
			'boinc2docker.language',
			vscode.l10n.t('BOINC Language Server'),
			{ module: this.#program, transport: TransportKind.ipc },
			{ documentSelector: SELECTOR, initializationOptions: options },
		);
		await client.start();
		return client;
	}
}

/** Names such as config.xml and Dockerfile are everybody's: their content decides whether a process is started for them. */
async function mayBeOurs(document: vscode.TextDocument): Promise<boolean> {
	const { path } = document.uri;
	if (/\/(boinc2docker\.ya?ml|job\.toml|plan_class_spec[^/]*\.xml|vbox_job[^/]*\.xml)$/.test(path)) {
		return true;
	}
	const head = document.getText(new vscode.Range(0, 0, 200, 0));
	if (!/(docker|container)file[^/]*$/i.test(path)) {
		return OURS.test(head);
	}
	const folder = vscode.Uri.joinPath(document.uri, '..');
	if (/^#\s*boinc2docker\b/m.test(head)) {
		return true;
	}
	for (const place of [folder, vscode.Uri.joinPath(folder, '..')]) {
		const pattern = new vscode.RelativePattern(place, 'boinc2docker.{yml,yaml}');
		if ((await vscode.workspace.findFiles(pattern, null, 1)).length > 0) {
			return true;
		}
	}
	return false;
}
