import * as vscode from 'vscode';

import { bestSuffix, contextPaths, copyRules } from './containerPaths.js';
import { widerPaths } from './logKinds.js';
import { type TracePlace, tracePlaces } from './stackTrace.js';

const TITLE = /^===== (.*) =====$/;
const LEFT_OUT = /^… .*\d.*$/;
/** Most places that are looked for in one document: each name costs a search in the workspace. */
const MOST_PLACES = 500;
const MOST_FILES = 50;

interface Part {
	readonly title: string;
	readonly range: vscode.Range;
}

function partsOf(document: vscode.TextDocument): Part[] {
	const starts: { title: string; line: number }[] = [];
	for (let line = 0; line < document.lineCount; line++) {
		const title = TITLE.exec(document.lineAt(line).text)?.[1];
		if (title !== undefined) {
			starts.push({ title, line });
		}
	}
	return starts.map(({ title, line }, at) => {
		let last = (starts[at + 1]?.line ?? document.lineCount) - 1;
		while (last > line && document.lineAt(last).isEmptyOrWhitespace) {
			last--;
		}
		return { title, range: new vscode.Range(line, 0, last, document.lineAt(last).text.length) };
	});
}

/** The parts of a log, to be folded. */
export const foldingRanges = (document: vscode.TextDocument): vscode.FoldingRange[] =>
	partsOf(document).map(({ range }) => new vscode.FoldingRange(range.start.line, range.end.line, vscode.FoldingRangeKind.Region));

/** The parts of a log, for the outline. */
export const symbols = (document: vscode.TextDocument): vscode.DocumentSymbol[] =>
	partsOf(document).map(
		({ title, range }) =>
			new vscode.DocumentSymbol(title, '', vscode.SymbolKind.Namespace, range, document.lineAt(range.start.line).range),
	);

/** Links from the places where a log is left out to more of it, and from stack traces to files of the workspace. */
export async function links(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<vscode.DocumentLink[]> {
	const found: vscode.DocumentLink[] = [];
	const places: { place: TracePlace; range: vscode.Range }[] = [];
	const wider = widerPaths(document.uri.path);
	const targets = wider ? [wider.more, wider.whole] : [];
	for (let line = 0; line < document.lineCount && places.length < MOST_PLACES; line++) {
		const { text, range } = document.lineAt(line);
		const [target] = LEFT_OUT.test(text) ? targets.splice(0, 1) : [];
		if (target !== undefined) {
			const link = new vscode.DocumentLink(range, document.uri.with({ path: target }));
			link.tooltip = target === wider?.whole ? vscode.l10n.t('Open the whole log') : vscode.l10n.t('Show more of the log');
			found.push(link);
		} else if (text.length < 5000) {
			places.push(...tracePlaces(text).map((place) => ({ place, range: new vscode.Range(line, place.start, line, place.end) })));
		}
	}
	const files = new WorkspaceFiles();
	for (const { place, range } of places) {
		if (token.isCancellationRequested) {
			break;
		}
		const uri = await files.find(place.path);
		if (uri) {
			const link = new vscode.DocumentLink(
				range,
				uri.with({ fragment: `L${place.line}${place.column === undefined ? '' : `,${place.column}`}` }),
			);
			link.tooltip = vscode.l10n.t('Open {0}', vscode.workspace.asRelativePath(uri));
			found.push(link);
		}
	}
	return found;
}

/** Finds files of the workspace by their paths in a container: as the Dockerfiles copy them, else by the end of the path. */
class WorkspaceFiles {
	readonly #found = new Map<string, Promise<vscode.Uri | undefined>>();
	#dockerfiles: Promise<{ folder: vscode.Uri; rules: ReturnType<typeof copyRules> }[]> | undefined;

	find(path: string): Promise<vscode.Uri | undefined> {
		const plain = path.replace(/\\/g, '/');
		const known = this.#found.get(plain) ?? this.#search(plain);
		this.#found.set(plain, known);
		return known;
	}

	async #search(path: string): Promise<vscode.Uri | undefined> {
		this.#dockerfiles ??= readDockerfiles();
		for (const { folder, rules } of await this.#dockerfiles) {
			for (const candidate of contextPaths(path, rules)) {
				const uri = vscode.Uri.joinPath(folder, candidate);
				const isInside = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
				if (isInside && (await isFile(uri))) {
					return uri;
				}
			}
		}
		const name = path.slice(path.lastIndexOf('/') + 1);
		const files = await vscode.workspace.findFiles(
			`**/${name.replace(/[[\]{}*?]/g, '?')}`,
			'**/{node_modules,.git}/**',
			MOST_FILES,
		);
		const best = bestSuffix(
			path,
			files.map((file) => file.path),
		);
		return files.find((file) => file.path === best);
	}
}

async function isFile(uri: vscode.Uri): Promise<boolean> {
	try {
		return (await vscode.workspace.fs.stat(uri)).type === vscode.FileType.File;
	} catch {
		return false;
	}
}

async function readDockerfiles(): Promise<{ folder: vscode.Uri; rules: ReturnType<typeof copyRules> }[]> {
	const pattern = '**/{Dockerfile,Containerfile,*.Dockerfile,Dockerfile.*}';
	const files = await vscode.workspace.findFiles(pattern, '**/{node_modules,.git}/**', 20);
	return Promise.all(
		files.map(async (file) => ({
			folder: vscode.Uri.joinPath(file, '..'),
			rules: copyRules(Buffer.from(await vscode.workspace.fs.readFile(file)).toString('utf8')),
		})),
	);
}
