import * as vscode from 'vscode';

import type { Disposable } from '../../common/disposable.js';
import type { Log } from '../../common/ports.js';

const KEPT_LINES = 200;

/** The output channel *BOINC*. Keeps its last lines for *Copy Diagnostics*. */
export class EditorLog implements Log, Disposable {
	readonly #channel = vscode.window.createOutputChannel('BOINC', { log: true });
	readonly #lines: string[] = [];

	error(message: string): void {
		this.#keep('error', message);
		this.#channel.error(message);
	}

	warn(message: string): void {
		this.#keep('warn', message);
		this.#channel.warn(message);
	}

	info(message: string): void {
		this.#keep('info', message);
		this.#channel.info(message);
	}

	/** What another program says: shown, but not part of diagnostics. */
	output(line: string): void {
		this.#channel.info(line);
	}

	debug(message: string): void {
		this.#channel.debug(message);
	}

	trace(message: string): void {
		this.#channel.trace(message);
	}

	show(): void {
		this.#channel.show(true);
	}

	/** The last lines of errors, warnings and operations, oldest first. */
	tail(): readonly string[] {
		return this.#lines;
	}

	dispose(): void {
		this.#channel.dispose();
	}

	#keep(level: string, message: string): void {
		this.#lines.push(`${new Date().toISOString()} [${level}] ${message}`);
		if (this.#lines.length > KEPT_LINES) {
			this.#lines.shift();
		}
	}
}
