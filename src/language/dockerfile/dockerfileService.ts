import { DockerfileParser } from 'dockerfile-ast';
import { type CompletionItem, CompletionItemKind, InsertTextFormat } from 'vscode-languageserver/node';

import { CONTRACT, type InstructionDoc, INSTRUCTIONS, JOB_VARIABLES } from './instructions.js';

/** What can be typed at an offset of a Dockerfile: instructions, stages, variables, folders of the job. */
export function completeDockerfile(text: string, offset: number): CompletionItem[] {
	const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
	const line = text.slice(lineStart, offset);
	const goesOn = /\\\r?\n$/.test(text.slice(0, lineStart));
	if (!goesOn && /^\s*[A-Za-z]*$/.test(line)) {
		return INSTRUCTIONS.map(instructionItem);
	}
	const variable = /\$\{?(\w*)$/.exec(line);
	if (variable) {
		return variableItems(text);
	}
	if (/--from=[\w.-]*$/.test(line)) {
		return stagesBefore(text, offset).map((label) => ({ label, kind: CompletionItemKind.Reference }));
	}
	if (/^\s*FROM\s+[\w.-]*$/i.test(line)) {
		return ['scratch', ...stagesBefore(text, offset)].map((label) => ({ label, kind: CompletionItemKind.Reference }));
	}
	const path = /(?:^|[\s"'=])(\/[\w/.-]*)$/.exec(line)?.[1];
	return path === undefined
		? []
		: Object.entries(CONTRACT)
				.filter(([folder]) => folder.startsWith(path))
				.map(([label, documentation]) => ({
					label,
					documentation,
					kind: CompletionItemKind.Folder,
					textEdit: { range: rangeBack(text, offset, path.length), newText: label },
				}));
}

function rangeBack(text: string, offset: number, length: number): { start: Position; end: Position } {
	const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
	const line = text.slice(0, lineStart).split('\n').length - 1;
	return { start: { line, character: offset - lineStart - length }, end: { line, character: offset - lineStart } };
}

interface Position {
	readonly line: number;
	readonly character: number;
}

function instructionItem(each: InstructionDoc, index: number): CompletionItem {
	return {
		label: each.name,
		kind: CompletionItemKind.Keyword,
		documentation: { kind: 'markdown', value: explain(each) },
		insertTextFormat: InsertTextFormat.Snippet,
		insertText: each.snippet,
		sortText: String(index).padStart(2, '0'),
	};
}

function variableItems(text: string): CompletionItem[] {
	const own = DockerfileParser.parse(text)
		.getInstructions()
		.filter((each) => ['ENV', 'ARG'].includes(each.getKeyword()))
		.flatMap((each) => /^([A-Za-z_]\w*)/.exec(each.getArgumentsContent() ?? '')?.[1] ?? []);
	return [
		...[...new Set(own)].map((label) => ({ label, kind: CompletionItemKind.Variable })),
		...Object.entries(JOB_VARIABLES).map(([label, documentation]) => ({
			label,
			documentation,
			kind: CompletionItemKind.Variable,
		})),
	];
}

function stagesBefore(text: string, offset: number): string[] {
	return DockerfileParser.parse(text.slice(0, offset))
		.getFROMs()
		.flatMap((from) => from.getBuildStage() ?? []);
}

const explain = ({ name, doc, trap }: InstructionDoc): string =>
	`**\`${name}\`** ${doc}${trap === undefined ? '' : `\n\n⚠ ${trap}`}`;

/** What is known of the instruction, the variable or the folder at an offset, as Markdown. */
export function hoverDockerfile(
	text: string,
	offset: number,
): { readonly text: string; readonly start: number; readonly end: number } | undefined {
	const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
	const lineEnd = text.indexOf('\n', offset);
	const line = text.slice(lineStart, lineEnd === -1 ? text.length : lineEnd);
	if (/^\s*#/.test(line)) {
		return undefined;
	}
	for (const match of line.matchAll(
		/^\s*([A-Za-z]+)(?=\s|$)|(B2D_[A-Z]+)|(\/root\/shared(?:\/(?:results|fraction_done)\b)?\/?)/g,
	)) {
		const [whole, keyword, variable, folder] = match;
		const start = lineStart + match.index + (keyword === undefined ? 0 : whole.length - keyword.length);
		const end = lineStart + match.index + whole.length;
		if (offset < start || offset > end) {
			continue;
		}
		const found = explanationOf(keyword, variable, folder);
		return found === undefined ? undefined : { text: found, start, end };
	}
	return undefined;
}

function explanationOf(keyword = '', variable = '', folder = ''): string | undefined {
	const instruction = INSTRUCTIONS.find(({ name }) => name === keyword.toUpperCase());
	if (instruction) {
		return explain(instruction);
	}
	if (Object.hasOwn(JOB_VARIABLES, variable)) {
		return `**\`${variable}\`** ${JOB_VARIABLES[variable] ?? ''}`;
	}
	const place = Object.entries(CONTRACT).find(([name]) => name.replace(/\/$/, '') === folder.replace(/\/$/, ''));
	return place && `**\`${place[0]}\`** ${place[1]}`;
}
