import { spawn } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import {
	createProtocolConnection,
	type ProtocolConnection,
	StreamMessageReader,
	StreamMessageWriter,
} from 'vscode-languageserver/node';

/** A language server that is started as a process, as an editor does. */
export interface ServerProcess {
	readonly script: string;
	readonly settings?: Readonly<Record<string, unknown>>;
}

/** Milliseconds as an editor waits for them: with the server's own delays, and through a pipe. */
export interface EditorTimes {
	readonly openMs: number;
	readonly diagnosticsMs: number;
	readonly completionMs: number;
}

const TIMEOUT_MS = 120_000;
const FILE = 'boinc2docker.yml';

/** Red Hat's server with our schema for our file. */
export const redHatSettings = (root: string): Readonly<Record<string, unknown>> => ({
	yaml: {
		validate: true,
		completion: true,
		hover: true,
		schemas: { [pathToFileURL(path.join(root, 'syntaxes/boinc2docker.schema.json')).href]: [FILE] },
		schemaStore: { enable: false },
	},
});

/** Opens a job file, types a digit behind `mark` in its middle and takes it back again, and asks what may stand at its end. */
export async function measureProcess(server: ServerProcess, text: string, mark: string, edits: number): Promise<EditorTimes> {
	const child = spawn(process.execPath, [server.script, '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
	const connection = createProtocolConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
	try {
		return await new Editor(connection, server.settings ?? {}).measure(text, mark, edits);
	} finally {
		connection.dispose();
		child.kill();
	}
}

class Editor {
	readonly #uri = `file:///bench/${FILE}`;
	#version = 1;
	#published: (count: number) => void = () => undefined;

	constructor(
		readonly connection: ProtocolConnection,
		readonly settings: Readonly<Record<string, unknown>>,
	) {
		connection.onRequest('workspace/configuration', ({ items }: { items: readonly { section?: string }[] }) =>
			items.map(({ section = '' }) => settings[section] ?? null),
		);
		connection.onRequest('client/registerCapability', () => null);
		connection.onNotification('textDocument/publishDiagnostics', ({ diagnostics }: { diagnostics: readonly unknown[] }) =>
			this.#published(diagnostics.length),
		);
		connection.listen();
	}

	async measure(text: string, mark: string, edits: number): Promise<EditorTimes> {
		const { connection } = this;
		await connection.sendRequest('initialize', {
			processId: process.pid,
			rootUri: null,
			capabilities: { workspace: { configuration: true, didChangeConfiguration: { dynamicRegistration: true } } },
		});
		await connection.sendNotification('initialized', {});
		await connection.sendNotification('workspace/didChangeConfiguration', { settings: this.settings });
		const opened = performance.now();
		await this.#diagnosed(() =>
			connection.sendNotification('textDocument/didOpen', {
				textDocument: { uri: this.#uri, languageId: 'yaml', version: this.#version, text },
			}),
		);
		const openMs = performance.now() - opened;
		const before = text.slice(0, text.indexOf(mark, text.length >> 1) + mark.length).split('\n');
		const start = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
		const end = { ...start, character: start.character + 1 };
		const last = { line: text.split('\n').length - 1, character: 0 };
		const times: { edit: number[]; complete: number[] } = { edit: [], complete: [] };
		for (let k = 0; k < 2 * edits; k++) {
			const changed = performance.now();
			const contentChanges = [k % 2 === 0 ? { range: { start, end: start }, text: '7' } : { range: { start, end }, text: '' }];
			await this.#diagnosed(() =>
				connection.sendNotification('textDocument/didChange', {
					textDocument: { uri: this.#uri, version: ++this.#version },
					contentChanges,
				}),
			);
			times.edit.push(performance.now() - changed);
			const asked = performance.now();
			const offered: unknown = await connection.sendRequest('textDocument/completion', {
				textDocument: { uri: this.#uri },
				position: last,
			});
			times.complete.push(performance.now() - asked);
			if (!JSON.stringify(offered).includes('"priority"')) {
				throw new Error('the keys of the file were not offered');
			}
		}
		return { openMs, diagnosticsMs: median(times.edit), completionMs: median(times.complete) };
	}

	/** Resolves when diagnostics are there that say something; the file has a mistake. */
	async #diagnosed(change: () => Promise<void>): Promise<void> {
		let timer: NodeJS.Timeout | undefined;
		const published = new Promise<void>((resolve, reject) => {
			timer = setTimeout(() => reject(new Error('no diagnostics came')), TIMEOUT_MS);
			this.#published = (count) => {
				if (count > 0) {
					resolve();
				}
			};
		});
		await change();
		await published.finally(() => clearTimeout(timer));
	}
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
