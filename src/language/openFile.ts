import { fileURLToPath } from 'node:url';

import type { TextDocumentContentChangeEvent } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';

import type { Problem } from '../common/problem.js';
import { TextPositions } from '../common/textPositions.js';
import { checkFile } from '../job/schema/checkFile.js';
import type { YamlTree } from '../project/yaml/yamlTree.js';
import { dockerfileProblems } from './dockerfile/dockerfileRules.js';
import { isForVolunteers, missingFiles } from './fileSystem.js';
import { type Format, formatOf, isXmlFormat } from './formats/identify.js';
import { YamlCache } from './jobFile/yamlCache.js';
import { xmlProblems } from './rules/xmlProblems.js';
import { tomlProblems } from './toml/jobToml.js';
import { updateXmlTree } from './xml/updateTree.js';
import { parseXmlTree, type XmlTree } from './xml/xmlTree.js';

/** A file that an editor has open, with what was read of it. What is asked for is worked out once for each version. */
export class OpenFile {
	readonly path: string;
	#document: TextDocument;
	#xml: XmlTree | undefined;
	#yaml: Promise<YamlTree> | undefined;
	#positions: TextPositions | undefined;
	readonly #cache = new YamlCache();
	problems: readonly Problem[] = [];

	constructor(uri: string, languageId: string, version: number, content: string) {
		this.#document = TextDocument.create(uri, languageId, version, content);
		this.path = uri.startsWith('file:') ? fileURLToPath(uri).replaceAll('\\', '/') : uri;
	}

	get uri(): string {
		return this.#document.uri;
	}

	get version(): number {
		return this.#document.version;
	}

	get text(): string {
		return this.#document.getText();
	}

	get document(): TextDocument {
		return this.#document;
	}

	get format(): Format | undefined {
		return formatOf(this.path, this.text);
	}

	get positions(): TextPositions {
		this.#positions ??= new TextPositions(this.text);
		return this.#positions;
	}

	/** Applies what the editor says was changed, in its order. */
	update(changes: readonly TextDocumentContentChangeEvent[], version: number): void {
		for (const change of changes) {
			if (this.#xml && 'range' in change) {
				const [start, end] = [this.#document.offsetAt(change.range.start), this.#document.offsetAt(change.range.end)];
				this.#document = TextDocument.update(this.#document, [change], version);
				this.#xml = updateXmlTree(this.#xml, this.text, { start, end, length: change.text.length });
			} else {
				this.#document = TextDocument.update(this.#document, [change], version);
				this.#xml = undefined;
			}
		}
		this.#yaml = undefined;
		this.#positions = undefined;
	}

	/** The file as XML. */
	xml(): XmlTree {
		this.#xml ??= parseXmlTree(this.text);
		return this.#xml;
	}

	/** The file as YAML. Valid until the next edit. */
	yaml(): Promise<YamlTree> {
		this.#yaml ??= this.#cache.read(this.text);
		return this.#yaml;
	}

	/** Everything that is wrong with the file; empty for files that are not ours. */
	async check(): Promise<readonly Problem[]> {
		const { format } = this;
		this.problems = format ? await this.#find(format) : [];
		return this.problems;
	}

	async #find(format: Format): Promise<readonly Problem[]> {
		if (isXmlFormat(format)) {
			const found = xmlProblems(this.xml(), format, this.path);
			return format === 'version' ? [...found, ...(await missingFiles.ofVersion(this.xml(), this.path))] : found;
		}
		switch (format) {
			case 'job-file': {
				const tree = await this.yaml();
				return [...checkFile(tree), ...(await missingFiles.ofJobFile(tree, this.path))];
			}
			case 'job-toml':
				return tomlProblems(this.text);
			case 'dockerfile':
				return (await isForVolunteers(this.path, this.text)) ? dockerfileProblems(this.text) : [];
		}
	}
}
