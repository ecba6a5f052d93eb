import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import {
	type CodeAction,
	type CodeLens,
	type CompletionItem,
	createConnection,
	type Diagnostic,
	type DocumentSymbol,
	type Hover,
	type Location,
	type WorkspaceEdit,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';

import { LanguageServer } from '../../../src/language/server.js';

/** A client of the protocol as an editor is one, over streams. */
class Client {
	readonly #connection;
	readonly #waiting = new Map<string, (all: Diagnostic[]) => void>();
	readonly #files = new Map<string, TextDocument>();

	constructor() {
		const [up, down] = [new PassThrough(), new PassThrough()];
		new LanguageServer(createConnection(up, down)).listen();
		this.#connection = createConnection(down, up);
		this.#connection.onNotification(
			'textDocument/publishDiagnostics',
			({ uri, diagnostics }: { uri: string; diagnostics: Diagnostic[] }) => this.#waiting.get(uri)?.(diagnostics),
		);
		this.#connection.listen();
	}

	start(): Promise<unknown> {
		const commands = ['boinc2docker.job.submit', 'boinc2docker.job.preview', 'boinc2docker.job.runLocally'];
		return this.ask('initialize', {
			processId: null,
			rootUri: null,
			capabilities: {},
			initializationOptions: { commands, reference: 'file:///reference.md' },
		});
	}

	stop(): void {
		this.#connection.dispose();
	}

	ask<T>(method: string, params: object): Promise<T> {
		return this.#connection.sendRequest<T>(method, params);
	}

	async open(uri: string, text: string): Promise<Diagnostic[]> {
		this.#files.set(uri, TextDocument.create(uri, 'x', 1, text));
		return this.#after(uri, () =>
			this.#connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'x', version: 1, text } }),
		);
	}

	/** Replaces the first `from` by `to`. */
	edit(uri: string, from: string, to: string): Promise<Diagnostic[]> {
		const file = this.#files.get(uri)!;
		const at = file.getText().indexOf(from);
		expect(at).toBeGreaterThanOrEqual(0);
		const change = { range: { start: file.positionAt(at), end: file.positionAt(at + from.length) }, text: to };
		const version = file.version + 1;
		this.#files.set(uri, TextDocument.update(file, [change], version));
		return this.#after(uri, () =>
			this.#connection.sendNotification('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [change] }),
		);
	}

	text(uri: string): string {
		return this.#files.get(uri)!.getText();
	}

	/** At the first `mark`, or `add` characters after its start. */
	at<T>(method: string, uri: string, mark: string, add = 0, more: object = {}): Promise<T> {
		const file = this.#files.get(uri)!;
		const at = file.getText().indexOf(mark);
		expect(at).toBeGreaterThanOrEqual(0);
		return this.ask(`textDocument/${method}`, { textDocument: { uri }, position: file.positionAt(at + add), ...more });
	}

	#after(uri: string, act: () => Promise<void>): Promise<Diagnostic[]> {
		return new Promise((resolve, reject) => {
			this.#waiting.set(uri, resolve);
			act().catch(reject);
		});
	}
}

let client: Client;
let dir: string;
const uriOf = (name: string): string => pathToFileURL(path.join(dir, name)).href;
const labels = (items: readonly CompletionItem[]): string[] => items.map(({ label }) => label);

beforeAll(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-lsp-'));
	client = new Client();
	await client.start();
});
afterAll(async () => {
	client.stop();
	await rm(dir, { recursive: true, force: true });
});

describe('boinc2docker.yml', () => {
	const uri = (): string => uriOf('boinc2docker.yml');
	const TEXT = `image: alpine:3.20
command: run {{alpha}} {{file}}
resources:
  memory: 2 GiB
  time: 90 min
sweep:
  grid:
    alpha: [1, 2, 3]
    file: [a, b]
`;

	it('has diagnostics with code, place, link and a quick fix, which follow edits', async () => {
		expect(await client.open(uri(), TEXT)).toEqual([]);
		const [found] = await client.edit(uri(), 'command', '# 😀 é\ncomand');
		expect(found).toMatchObject({
			...{ code: 'unknown-key', source: 'boinc2docker', severity: 1, codeDescription: { href: 'file:///reference.md' } },
			range: { start: { line: 2, character: 0 }, end: { line: 2, character: 6 } },
		});
		const actions = await client.ask<CodeAction[]>('textDocument/codeAction', {
			textDocument: { uri: uri() },
			range: found!.range,
			context: { diagnostics: [] },
		});
		expect(actions.map(({ title }) => title)).toEqual(['Change to “command”']);
		expect(actions[0]?.edit?.changes?.[uri()]).toEqual([{ range: found!.range, newText: 'command' }]);
		const lenses = await client.ask<CodeLens[]>('textDocument/codeLens', { textDocument: { uri: uri() } });
		expect(lenses.at(-1)?.command?.title).toBe('Preview: See What Is Wrong');
		expect(await client.edit(uri(), '# 😀 é\ncomand', 'command')).toEqual([]);
	});

	it('shows Submit, Run Locally and Preview N Jobs', async () => {
		const lenses = await client.ask<CodeLens[]>('textDocument/codeLens', { textDocument: { uri: uri() } });
		expect(lenses.map(({ command, range }) => [range.start.line, command?.title, command?.command, command?.arguments])).toEqual([
			[0, 'Submit', 'boinc2docker.job.submit', [uri()]],
			[0, 'Run Locally', 'boinc2docker.job.runLocally', [uri()]],
			[5, 'Preview 6 Jobs', 'boinc2docker.job.preview', [uri()]],
		]);
	});

	it('explains keys, and what a size is', async () => {
		const key = await client.at<Hover>('hover', uri(), 'memory');
		expect(JSON.stringify(key.contents)).toContain('Default: 1 GB.');
		const value = await client.at<Hover>('hover', uri(), '2 GiB', 1);
		expect(JSON.stringify(value.contents)).toContain('2,147,483,648 bytes');
		const time = await client.at<Hover>('hover', uri(), '90 min', 1);
		expect(JSON.stringify(time.contents)).toContain('1 h 30 min');
	});

	it('finds and renames parameters', async () => {
		const place = await client.at<Location>('definition', uri(), '{{alpha}}', 3);
		expect(place.range.start).toEqual({ line: 7, character: 4 });
		const edit = await client.at<WorkspaceEdit>('rename', uri(), '{{alpha}}', 3, { newName: 'beta' });
		expect(TextDocument.applyEdits(TextDocument.create('', '', 1, TEXT), edit.changes?.[uri()] ?? [])).toBe(
			TEXT.replaceAll('alpha', 'beta'),
		);
		expect(await client.at('prepareRename', uri(), 'resources', 2)).toBeNull();
	});

	it('has an outline, folds and semantic tokens', async () => {
		const symbols = await client.ask<DocumentSymbol[]>('textDocument/documentSymbol', { textDocument: { uri: uri() } });
		expect(symbols.map(({ name }) => name)).toEqual(['image', 'command', 'resources', 'sweep']);
		expect(symbols[3]?.children?.[0]?.children?.map(({ name }) => name)).toEqual(['alpha', 'file']);
		expect(await client.ask('textDocument/foldingRange', { textDocument: { uri: uri() } })).toContainEqual({
			startLine: 2,
			endLine: 4,
		});
		const { data } = await client.ask<{ data: number[] }>('textDocument/semanticTokens/full', { textDocument: { uri: uri() } });
		expect(data.slice(0, 10)).toEqual([1, 13, 9, 0, 0, 0, 10, 8, 0, 0]);
		expect(data.slice(10)).toEqual([2, 10, 5, 1, 0, 1, 8, 6, 1, 0]);
	});

	test.each<[string, string, string[], string[]]>([
		['', '', ['image', 'sweep', 'appname'], ['memory']],
		['resources:\n  ', '', ['memory', 'time'], ['image']],
		['resources:\n  memory: 1 GB\n  ', '', ['time'], ['memory', 'image']],
		['resources: { memory: 1 GB, ', '', ['time', 'disk'], ['image']],
		['network: ', '', ['none', 'bridge', 'host'], []],
		['boinc:\n  target:\n    ', '', ['host', 'user', 'team'], ['credit']],
		['sweep:\n  grid:\n    a:\n      ', '', ['from', 'to', 'step'], ['grid']],
		['sweep:\n  zip:\n    - ', '', ['grid', 'table'], ['name']],
		['sweep:\n  zip:\n    - glob: x\n      ', '', ['repeat'], ['glob', 'name']],
		['inputs:\n  - ', '', ['file', 'folder'], ['image']],
		['resources:\n  time: ', '', ['3 h'], []],
		['validator: ', '', ['bitwise', 'none'], []],
		['command: "x {{', '\nsweep: { grid: { alpha: [1] } }', ['index', 'repetition'], []],
	])('offers what fits after %j', async (before, after, offered, others) => {
		const name = uriOf(`complete${Math.random()}/boinc2docker.yml`);
		await client.open(name, `${before}@${after}`);
		await client.edit(name, '@', '');
		const file = TextDocument.create('', '', 1, before);
		const found = labels(
			await client.ask('textDocument/completion', { textDocument: { uri: name }, position: file.positionAt(before.length) }),
		);
		expect(found).toEqual(expect.arrayContaining(offered));
		expect(found.filter((label) => others.includes(label))).toEqual([]);
	});

	it('says which named files are not there', async () => {
		const name = uriOf('missing/boinc2docker.yml');
		const found = await client.open(
			name,
			'dockerfile: Dockerfile\ninputs: { a: gone.csv, b: "{{file}}" }\nsweep: { table: p.csv }\n',
		);
		expect(found.map(({ code, range }) => [code, range.start.line])).toEqual([
			['file-missing', 0],
			['file-missing', 2],
			['file-missing', 1],
		]);
	});
});

describe('BOINC’s files', () => {
	it('a template: completion, hover, definition, outline, formatting and rename', async () => {
		const uri = uriOf('templates/x_out');
		const text = `<output_template>
<file_info>
<name><OUTFILE_0/>.tgz</name>
<max_nbytes>1e8</max_nbytes>
<url><UPLOAD_URL/></url>
</file_info>
<result>
<file_ref>
<file_name><OUTFILE_0/>.tgz</file_name>
<open_name>out</open_name>
<copy_file/>
</file_ref>
</result>
</output_template>
`;
		expect(await client.open(uri, text)).toEqual([]);
		expect(JSON.stringify(await client.at('hover', uri, '<max_nbytes>', 3))).toContain('too big');
		expect((await client.at<Location>('definition', uri, '<open_name>', 12)).range.start.line).toBe(1);
		expect((await client.at<Location>('definition', uri, '<max_nbytes>', 13)).range.start.line).toBe(7);
		const rename = await client.at<WorkspaceEdit>('rename', uri, '.tgz', 2, { newName: '<OUTFILE_0/>.zip' });
		expect(rename.changes?.[uri]).toHaveLength(2);
		const tags = await client.at<WorkspaceEdit>('rename', uri, '<file_ref>', 3, { newName: 'x' });
		expect(tags.changes?.[uri]).toHaveLength(2);
		const symbols = await client.ask<DocumentSymbol[]>('textDocument/documentSymbol', { textDocument: { uri } });
		expect(symbols[0]?.children?.map(({ name, detail }) => `${name} ${detail ?? ''}`)).toEqual([
			'file_info <OUTFILE_0/>.tgz',
			'result ',
		]);
		const edits = await client.ask<[]>('textDocument/formatting', {
			textDocument: { uri },
			options: { tabSize: 2, insertSpaces: true },
		});
		const formatted = TextDocument.applyEdits(TextDocument.create('', '', 1, text), edits);
		expect(formatted).toContain('\n    <file_ref>\n      <file_name><OUTFILE_0/>.tgz</file_name>\n');
		expect(formatted.replace(/\n +/g, '\n')).toBe(text);

		// Half-typed, in the middle of it.
		const broken = await client.edit(uri, '<copy_file/>', '<copy_file/>\n<op');
		expect(broken.map(({ code }) => code)).toContain('xml-tag');
		expect(labels(await client.at('completion', uri, '<op', 3))).toEqual(expect.arrayContaining(['optional', 'no_validate']));
		expect(await client.edit(uri, '\n<op\n', '\n')).toEqual([]);
	});

	test.each<[string, string, string[]]>([
		[
			'templates/a_in',
			'<input_template>\n<file_info>\n@</file_info>\n<workunit></workunit></input_template>',
			['physical_name', 'no_delete'],
		],
		['config.xml', '<boinc>\n<daemons>\n<daemon>\n<@\n</daemon></daemons></boinc>', ['cmd', 'pid_file']],
		['plan_class_spec.xml', '<plan_classes><plan_class><gpu_type>@</gpu_type></plan_class></plan_classes>', ['nvidia']],
		['vbox_job.xml', '<vbox_job>\n@\n</vbox_job>', ['memory_size_mb', 'boot_iso']],
		['version.xml', '<version><file></@</file></version>', ['/file>']],
		['job.toml', '@', ['workdir', 'use_gpu']],
	])('%s: completion', async (name, text, offered) => {
		const uri = uriOf(`completion/${name}`);
		const at = text.indexOf('@');
		await client.open(uri, text);
		await client.edit(uri, '@', '');
		const position = TextDocument.create('', '', 1, text).positionAt(at);
		expect(labels(await client.ask('textDocument/completion', { textDocument: { uri }, position }))).toEqual(
			expect.arrayContaining(offered),
		);
	});

	it('version.xml leads to its files and to its plan class, config.xml to the app', async () => {
		const folder = path.join(dir, 'proj/apps/a/1.00/windows_x86_64__docker');
		await mkdir(folder, { recursive: true });
		await writeFile(path.join(folder, 'w_22.exe'), '');
		await writeFile(
			path.join(dir, 'proj/plan_class_spec.xml'),
			'<plan_classes>\n<plan_class><name>docker</name></plan_class></plan_classes>',
		);
		await writeFile(path.join(dir, 'proj/project.xml'), '<boinc>\n\n<app><name>pi</name></app></boinc>');
		const uri = uriOf('proj/apps/a/1.00/windows_x86_64__docker/version.xml');
		const found = await client.open(
			uri,
			'<version>\n<file><physical_name>w_22.exe</physical_name><main_program/></file><file><physical_name>gone_1</physical_name><copy_file/></file></version>',
		);
		expect(found.map(({ code }) => code)).toEqual(['file-missing']);
		expect((await client.at<Location>('definition', uri, 'w_22')).uri).toMatch(/w_22\.exe$/);
		expect(await client.at<Location>('definition', uri, '\n')).toMatchObject({
			uri: expect.stringMatching(/plan_class_spec\.xml$/),
			range: { start: { line: 1, character: 18 } },
		});
		// The file takes the place of BOINC's own classes.
		const other = uriOf('proj/apps/a/1.00/windows_x86_64__mt/version.xml');
		const missing = await client.open(other, '<version>\n</version>');
		expect(missing).toMatchObject([
			{
				code: 'version-plan-class',
				message: expect.stringContaining('no plan class mt'),
				range: { start: { line: 0, character: 0 } },
			},
		]);
		const config = uriOf('proj/config.xml');
		await client.open(config, '<boinc><daemons><daemon><cmd>x_validator --app pi</cmd></daemon></daemons></boinc>');
		expect(await client.at<Location>('definition', config, 'x_validator')).toMatchObject({
			uri: expect.stringMatching(/project\.xml$/),
			range: { start: { line: 2 } },
		});
	});

	test.each([
		['config.xml', '<configuration><x/></configuration>'],
		['project.xml', '<project><modelVersion/></project>'],
		['version.xml', '<Version>1</Version>'],
		['sub/Dockerfile', 'FROM x\nEXPOSE 80\n'],
		['sign_in', 'hello <file_inf'],
	])('a foreign %s is left alone', async (name, text) => {
		const uri = uriOf(`foreign/deep/${name}`);
		expect(await client.open(uri, text)).toEqual([]);
		expect(await client.ask('textDocument/documentSymbol', { textDocument: { uri } })).toEqual([]);
	});

	it('a Dockerfile beside a job file is for volunteers, and one that says so', async () => {
		await writeFile(path.join(dir, 'boinc2docker.yml'), '');
		expect((await client.open(uriOf('Dockerfile'), 'FROM x\nEXPOSE 80\n')).map(({ code }) => code)).toContain('docker-expose');
		expect(
			(await client.open(uriOf('foreign/deep/x.Dockerfile'), '# boinc2docker\nFROM x\nEXPOSE 80\n')).map(({ code }) => code),
		).toContain('docker-latest');
		const lenses = await client.ask<CodeLens[]>('textDocument/codeLens', { textDocument: { uri: uriOf('Dockerfile') } });
		expect(lenses.map(({ command }) => command?.title)).toEqual(['Submit']);
	});
});
