import { pathToFileURL } from 'node:url';

import {
	type CodeAction,
	CodeActionKind,
	type CompletionItem,
	type Connection,
	type Diagnostic,
	DiagnosticSeverity,
	type DocumentSymbol,
	type FoldingRange,
	type Hover,
	type InitializeResult,
	type Location,
	type Range,
	TextDocuments,
	TextDocumentSyncKind,
	type TextEdit,
	type WorkspaceEdit,
} from 'vscode-languageserver/node';

import { messageOf } from '../common/errors.js';
import type { Problem } from '../common/problem.js';
import { TextPositions } from '../common/textPositions.js';
import type { LanguageServerOptions } from '../protocol/lsp.js';
import { completeDockerfile, hoverDockerfile } from './dockerfile/dockerfileService.js';
import { definitionElsewhere, isForVolunteers } from './fileSystem.js';
import { isXmlFormat } from './formats/identify.js';
import { completeJobFile } from './jobFile/completeJobFile.js';
import { foldsJobFile, hoverJobFile, symbolsJobFile, TOKEN_TYPES, tokensJobFile } from './jobFile/jobFileService.js';
import { parameterPlaces } from './jobFile/parameterPlaces.js';
import { lensesOf } from './lenses.js';
import { OpenFile } from './openFile.js';
import { rangeOf } from './ranges.js';
import { completeToml, hoverToml } from './toml/tomlService.js';
import { completeXml, definitionXml, foldsXml, formatXml, hoverXml, renameXml, symbolsXml } from './xml/xmlService.js';

const SEVERITIES = {
	error: DiagnosticSeverity.Error,
	warning: DiagnosticSeverity.Warning,
	hint: DiagnosticSeverity.Information,
} as const;
const MAX_DIAGNOSTICS = 500;

/** Answers what an editor asks about files of BOINC. Knows no server and no network. */
export class LanguageServer {
	readonly #connection: Connection;
	readonly #files: TextDocuments<OpenFile>;
	#options: LanguageServerOptions = { commands: [], reference: '' };

	constructor(connection: Connection) {
		this.#connection = connection;
		this.#files = new TextDocuments<OpenFile>({
			create: (uri, languageId, version, content) => new OpenFile(uri, languageId, version, content),
			update: (file, changes, version) => {
				file.update(changes, version);
				return file;
			},
		});
		connection.onInitialize(({ initializationOptions }) => this.#initialize(initializationOptions));
		this.#files.onDidChangeContent(({ document }) => void this.#publish(document));
		this.#files.onDidClose(({ document }) => void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] }));
		connection.onDidChangeWatchedFiles(() => this.#files.all().forEach((file) => void this.#publish(file)));
		connection.onCompletion(({ textDocument, position }) =>
			this.#at(textDocument.uri, (file) => this.complete(file, file.document.offsetAt(position)), []),
		);
		connection.onHover(({ textDocument, position }) =>
			this.#at(textDocument.uri, (file) => this.#hover(file, file.document.offsetAt(position)), null),
		);
		connection.onDocumentSymbol(({ textDocument }) => this.#at(textDocument.uri, (file) => this.#symbols(file), []));
		connection.onFoldingRanges(({ textDocument }) => this.#at(textDocument.uri, (file) => this.#folds(file), []));
		connection.onDefinition(({ textDocument, position }) =>
			this.#at(textDocument.uri, (file) => this.#definition(file, file.document.offsetAt(position)), null),
		);
		connection.onPrepareRename(({ textDocument, position }) =>
			this.#at(textDocument.uri, (file) => this.#renameRange(file, file.document.offsetAt(position)), null),
		);
		connection.onRenameRequest(({ textDocument, position, newName }) =>
			this.#at(textDocument.uri, (file) => this.#rename(file, file.document.offsetAt(position), newName), null),
		);
		connection.onCodeAction(({ textDocument, range }) => this.#at(textDocument.uri, (file) => this.#fixes(file, range), []));
		connection.onCodeLens(({ textDocument }) => this.#at(textDocument.uri, (file) => lensesOf(file, this.#options.commands), []));
		connection.onDocumentFormatting(({ textDocument, options }) =>
			this.#at(textDocument.uri, (file) => this.#format(file, options.insertSpaces ? ' '.repeat(options.tabSize) : '\t'), []),
		);
		connection.languages.semanticTokens.on(({ textDocument }) =>
			this.#at(
				textDocument.uri,
				(file) => ({ data: file.format === 'job-file' ? tokensJobFile(file.text, file.positions) : [] }),
				{ data: [] },
			),
		);
	}

	listen(): void {
		this.#files.listen(this.#connection);
		this.#connection.listen();
	}

	#initialize(options: unknown): InitializeResult {
		if (typeof options === 'object' && options !== null && 'commands' in options && Array.isArray(options.commands)) {
			const reference = 'reference' in options && typeof options.reference === 'string' ? options.reference : '';
			this.#options = { commands: options.commands.filter((id): id is string => typeof id === 'string'), reference };
		}
		return {
			capabilities: {
				textDocumentSync: TextDocumentSyncKind.Incremental,
				completionProvider: { triggerCharacters: ['<', '/', ' ', '{', '>', '$', '='] },
				hoverProvider: true,
				documentSymbolProvider: true,
				foldingRangeProvider: true,
				definitionProvider: true,
				renameProvider: { prepareProvider: true },
				codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
				codeLensProvider: {},
				documentFormattingProvider: true,
				semanticTokensProvider: { legend: { tokenTypes: [...TOKEN_TYPES], tokenModifiers: [] }, full: true },
			},
		};
	}

	async #at<T>(uri: string, answer: (file: OpenFile) => T | Promise<T>, otherwise: T): Promise<T> {
		const file = this.#files.get(uri);
		try {
			return file?.format ? await answer(file) : otherwise;
		} catch (error) {
			this.#connection.console.error(messageOf(error));
			return otherwise;
		}
	}

	async #publish(file: OpenFile): Promise<void> {
		const { uri, version } = file;
		try {
			const problems = await file.check();
			if (this.#files.get(uri)?.version === version) {
				const diagnostics = problems.slice(0, MAX_DIAGNOSTICS).map((problem) => this.#diagnostic(file, problem));
				await this.#connection.sendDiagnostics({ uri, version, diagnostics });
			}
		} catch (error) {
			this.#connection.console.error(messageOf(error));
		}
	}

	#diagnostic(file: OpenFile, problem: Problem): Diagnostic {
		const href = problem.link ?? (file.format === 'job-file' ? this.#options.reference : '');
		return {
			range: rangeOf(file.positions, problem),
			severity: SEVERITIES[problem.severity],
			source: 'boinc2docker',
			code: problem.code,
			message: problem.remedy === undefined ? problem.message : `${problem.message} ${problem.remedy}`,
			...(href !== '' && { codeDescription: { href } }),
		};
	}

	/** What can be typed at an offset. */
	async complete(file: OpenFile, offset: number): Promise<CompletionItem[]> {
		const { format } = file;
		if (format && isXmlFormat(format)) {
			return completeXml(file.xml(), format, offset);
		}
		if (format === 'job-file') {
			const isParameter = /\{\{\s*\w*$/.test(file.text.slice(Math.max(0, offset - 80), offset));
			return completeJobFile(file.text, offset, isParameter ? await file.yaml() : undefined);
		}
		if (format === 'dockerfile') {
			return (await isForVolunteers(file.path, file.text)) ? completeDockerfile(file.text, offset) : [];
		}
		return format === 'job-toml' ? completeToml() : [];
	}

	async #hover(file: OpenFile, offset: number): Promise<Hover | null> {
		const found = await this.#explanation(file, offset);
		return found ? { contents: { kind: 'markdown', value: found.text }, range: rangeOf(file.positions, found) } : null;
	}

	async #explanation(file: OpenFile, offset: number): Promise<ReturnType<typeof hoverDockerfile>> {
		const { format, text } = file;
		switch (format) {
			case undefined:
				return undefined;
			case 'job-file':
				return hoverJobFile(await file.yaml(), offset);
			case 'job-toml':
				return hoverToml(text, offset);
			case 'dockerfile':
				return (await isForVolunteers(file.path, text)) ? hoverDockerfile(text, offset) : undefined;
			default:
				return hoverXml(file.xml(), format, offset);
		}
	}

	async #symbols(file: OpenFile): Promise<DocumentSymbol[]> {
		const { format } = file;
		return format && isXmlFormat(format)
			? symbolsXml(file.xml(), file.positions)
			: format === 'job-file'
				? symbolsJobFile(await file.yaml(), file.positions)
				: [];
	}

	async #folds(file: OpenFile): Promise<FoldingRange[]> {
		const { format } = file;
		return format && isXmlFormat(format)
			? foldsXml(file.xml(), file.positions)
			: format === 'job-file'
				? foldsJobFile(await file.yaml(), file.positions)
				: [];
	}

	async #definition(file: OpenFile, offset: number): Promise<Location | null> {
		const { format } = file;
		if (format === 'job-file') {
			const definition = parameterPlaces(file.text, await file.yaml(), offset)?.definition;
			return definition ? { uri: file.uri, range: rangeOf(file.positions, definition) } : null;
		}
		if (!format || !isXmlFormat(format)) {
			return null;
		}
		const node = definitionXml(file.xml(), format, offset);
		if (node) {
			return { uri: file.uri, range: rangeOf(file.positions, { start: node.start, end: node.contentStart }) };
		}
		const place = await definitionElsewhere(file.xml(), offset, file.path);
		return place ? { uri: pathToFileURL(place.file).href, range: rangeOf(new TextPositions(place.text), place) } : null;
	}

	async #places(file: OpenFile, offset: number): Promise<readonly { readonly start: number; readonly end: number }[]> {
		const { format } = file;
		if (format === 'job-file') {
			return parameterPlaces(file.text, await file.yaml(), offset)?.places ?? [];
		}
		return format && isXmlFormat(format) ? renameXml(file.xml(), format, offset) : [];
	}

	async #renameRange(file: OpenFile, offset: number): Promise<Range | null> {
		const place = (await this.#places(file, offset)).find(({ start, end }) => start <= offset && offset <= end);
		return place ? rangeOf(file.positions, place) : null;
	}

	async #rename(file: OpenFile, offset: number, newName: string): Promise<WorkspaceEdit | null> {
		const places = await this.#places(file, offset);
		return places.length === 0
			? null
			: { changes: { [file.uri]: places.map((place) => ({ range: rangeOf(file.positions, place), newText: newName })) } };
	}

	#fixes(file: OpenFile, range: Range): CodeAction[] {
		const [from, to] = [file.document.offsetAt(range.start), file.document.offsetAt(range.end)];
		return file.problems
			.filter(({ start, end }) => start <= to && from <= end)
			.flatMap((problem) =>
				(problem.fixes ?? []).map(({ title, edits }) => ({
					title,
					kind: CodeActionKind.QuickFix,
					diagnostics: [this.#diagnostic(file, problem)],
					isPreferred: true,
					edit: { changes: { [file.uri]: edits.map((edit) => ({ range: rangeOf(file.positions, edit), newText: edit.text })) } },
				})),
			);
	}

	#format(file: OpenFile, step: string): TextEdit[] {
		const { format } = file;
		return format && isXmlFormat(format)
			? formatXml(file.xml(), step).map((edit) => ({ range: rangeOf(file.positions, edit), newText: edit.text }))
			: [];
	}
}
