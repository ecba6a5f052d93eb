import { DockerfileParser, type From, type Instruction } from 'dockerfile-ast';

import type { Problem, Replacement } from '../../common/problem.js';

/** What a rule found. */
export interface Finding {
	readonly code: string;
	readonly severity: Problem['severity'];
	readonly message: string;
	/** The instruction, or a part of the file. */
	readonly at: Instruction | { readonly start: number; readonly end: number };
	readonly fix?: { readonly title: string; readonly edits: readonly Replacement[] };
}

/** A Dockerfile as the rules look at it. */
export class DockerfileText {
	readonly text: string;
	readonly all: readonly Instruction[];
	readonly froms: readonly From[];
	/** Instructions of the last stage, which becomes the image. */
	readonly last: readonly Instruction[];
	readonly #lineStarts: number[] = [0];

	constructor(text: string) {
		this.text = text;
		const file = DockerfileParser.parse(text);
		for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
			this.#lineStarts.push(at + 1);
		}
		this.all = file.getInstructions();
		this.froms = file.getFROMs();
		const start = this.froms.at(-1)?.getRange().start.line ?? 0;
		this.last = this.all.filter((each) => each.getRange().start.line >= start);
	}

	/** All arguments of an instruction in one line. */
	words(instruction: Instruction): string {
		return instruction.getRawArgumentsContent()?.replace(/\\\r?\n/g, ' ') ?? '';
	}

	/** Offsets of an instruction. */
	span(instruction: Instruction): { start: number; end: number } {
		const { start, end } = instruction.getRange();
		return { start: this.#offset(start), end: this.#offset(end) };
	}

	#offset({ line, character }: { line: number; character: number }): number {
		return (this.#lineStarts[line] ?? this.text.length) + character;
	}

	/** Offset of the end of a line. */
	lineEnd(line: number): number {
		return (this.#lineStarts[line + 1] ?? this.text.length + 1) - 1;
	}

	/** The fix that removes an instruction with its lines. */
	removal(instruction: Instruction): { title: string; edits: Replacement[] } {
		const { start, end } = instruction.getRange();
		const from = this.#offset({ line: start.line, character: 0 });
		return {
			title: `Remove ${instruction.getKeyword()}`,
			edits: [{ start: from, end: Math.min(this.text.length, this.lineEnd(end.line) + 1), text: '' }],
		};
	}
}
