import * as vscode from 'vscode';

import { abortError } from '../../common/errors.js';
import { formatBytes } from '../../common/format.js';
import { type Log, type OperationContext, type ProgressUpdate, systemClock } from '../../common/ports.js';

/** Milliseconds between two updates on the screen. */
const FRAME = 100;

/** One line for a progress notification: `Sending packs (3.1 MB of 12 MB)`. */
export function formatProgress(update: ProgressUpdate): string {
	if (update.current === undefined || update.total === undefined) {
		return update.message;
	}
	const amount = (value: number): string =>
		update.unit === 'bytes' ? formatBytes(value) : value.toLocaleString(vscode.env.language);
	return vscode.l10n.t('{0} ({1} of {2})', update.message, amount(update.current), amount(update.total));
}

/**
 * Runs `task` with progress in a notification whose *Cancel* aborts the signal of the context.
 * Rejects with what `task` rejects with; an operation that ignores the signal is left behind, and its outcome logged.
 */
export async function withOperation<T>(title: string, log: Log, task: (ctx: OperationContext) => Promise<T>): Promise<T> {
	return vscode.window.withProgress(
		{ location: vscode.ProgressLocation.Notification, title, cancellable: true },
		async (progress, token) => {
			const abort = new AbortController();
			const subscription = token.onCancellationRequested(() => abort.abort(abortError()));
			let shownAt = 0;
			let message = '';
			const report = (update: ProgressUpdate): void => {
				const now = Date.now();
				if (update.message !== message) {
					log.debug(`${title}: ${update.message}`);
				} else if (now - shownAt < FRAME && update.current !== update.total) {
					return;
				}
				message = update.message;
				shownAt = now;
				progress.report({ message: formatProgress(update) });
			};
			try {
				return await task({ log, progress: { report }, clock: systemClock, signal: abort.signal });
			} finally {
				subscription.dispose();
			}
		},
	);
}
