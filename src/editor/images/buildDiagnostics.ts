import * as vscode from 'vscode';

import type { Disposable } from '../../common/disposable.js';
import { BoincError } from '../../common/errors.js';
import type { ImageSource } from './imageSource.js';

/** Failed builds as problems at the line of the Dockerfile. */
export class BuildDiagnostics implements Disposable {
	readonly #collection = vscode.languages.createDiagnosticCollection('boinc2docker.build');

	clear({ dockerfile }: ImageSource): void {
		this.#collection.delete(dockerfile);
	}

	/** Shows an error of a build; others are no problem of the file. */
	show({ dockerfile }: ImageSource, error: unknown): void {
		if (!BoincError.is(error, 'build-failed')) {
			return;
		}
		const line = lineOf(error) ?? 1;
		const diagnostic = new vscode.Diagnostic(
			new vscode.Range(line - 1, 0, line - 1, 1000),
			typeof error.detail.reason === 'string' ? error.detail.reason : error.message,
			vscode.DiagnosticSeverity.Error,
		);
		diagnostic.source = 'BOINC';
		diagnostic.code = 'build-failed';
		this.#collection.set(dockerfile, [diagnostic]);
	}

	dispose(): void {
		this.#collection.dispose();
	}
}

/** Line of the Dockerfile at which a build failed, counted from 1. */
export function lineOf(error: unknown): number | undefined {
	const line = BoincError.is(error, 'build-failed') ? error.detail.line : undefined;
	return typeof line === 'number' ? line : undefined;
}
