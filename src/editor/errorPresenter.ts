import * as vscode from 'vscode';

import { BoincError, messageOf } from '../common/errors.js';
import type { Clock } from '../common/ports.js';
import { type HelpAction, troubleshoot } from '../common/troubleshooting.js';
import type { EditorLog } from './ports/editorLog.js';

/** Milliseconds in which the same error is not shown again. */
const QUIET = 5_000;

/** What a button does; `retry` runs the failed command again. */
export interface HelpHandler {
	readonly title: string;
	readonly run: (retry: (() => void) | undefined) => Promise<void> | void;
}

/** Shows errors: what failed and why, what to do, at most two buttons and *Show Log*. The same error is shown once. */
export class ErrorPresenter {
	readonly #log: EditorLog;
	readonly #clock: Clock;
	readonly #handlers: Readonly<Record<HelpAction, HelpHandler>>;
	#last: { readonly text: string; readonly time: number } | undefined;

	constructor(log: EditorLog, clock: Clock, handlers: Readonly<Record<HelpAction, HelpHandler>>) {
		this.#log = log;
		this.#clock = clock;
		this.#handlers = handlers;
	}

	show(error: unknown, retry?: () => void): void {
		const { summary, tip, actions } = troubleshoot(error);
		this.#log.error([summary, tip].filter((part) => part !== '').join(' '));
		const text = [firstLine(summary), firstLine(tip)].filter((part) => part !== '').join(' ');
		const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
		if (BoincError.is(error)) {
			this.#log.debug(stack);
		} else {
			this.#log.output(stack); // nobody foresaw it, so this is all there is
		}
		for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause)) {
			this.#log.info(`because: ${messageOf(cause)}`);
		}
		const now = this.#clock.now();
		if (this.#last?.text === text && now - this.#last.time < QUIET) {
			return;
		}
		this.#last = { text, time: now };
		const helps = actions.filter((action) => action !== 'try-again' || retry).map((action) => this.#handlers[action]);
		const showLog = vscode.l10n.t('Show Log');
		const answer = vscode.window.showErrorMessage(text, ...helps.map(({ title }) => title), showLog);
		answer
			.then((choice) => {
				if (choice === showLog) {
					this.#log.show();
				}
				return helps.find(({ title }) => title === choice)?.run(retry);
			})
			.then(undefined, (failure: unknown) => this.#log.warn(messageOf(failure)));
	}
}

/** What fits into a notification: quoted output of programs begins on a line of its own and stays in the log. */
function firstLine(text: string): string {
	const [first = '', ...others] = text.split('\n');
	return others.length === 0 ? first : first.replace(/(^|(?<=[.!?] ))[^.!?]*:$/, '').trim();
}

function causeOf(error: unknown): unknown {
	return error instanceof Error ? error.cause : undefined;
}
