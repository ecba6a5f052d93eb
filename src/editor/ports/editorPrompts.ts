import * as vscode from 'vscode';

import type { Prompts, Question } from '../../common/ports.js';

const input = (question: Question, password: boolean): Promise<string | undefined> =>
	Promise.resolve(
		vscode.window.showInputBox({
			title: question.title,
			prompt: [question.message, question.detail].filter(Boolean).join('\n'),
			password,
			ignoreFocusOut: true,
		}),
	);

/** Questions as input boxes and modal dialogs; one on the screen at a time. */
export class EditorPrompts implements Prompts {
	#queue: Promise<unknown> = Promise.resolve();

	secret(question: Question): Promise<string | undefined> {
		return this.#next(() => input(question, true));
	}

	text(question: Question): Promise<string | undefined> {
		return this.#next(() => input(question, false));
	}

	confirm(question: Question & { readonly accept: string }): Promise<boolean> {
		return this.#next(async () => {
			const detail = [question.message, question.detail].filter(Boolean).join('\n\n');
			return (
				(await vscode.window.showWarningMessage(question.title, { modal: true, detail }, question.accept)) === question.accept
			);
		});
	}

	#next<T>(ask: () => Promise<T>): Promise<T> {
		const answer = this.#queue.then(ask);
		this.#queue = answer.catch(() => undefined);
		return answer;
	}
}
