import * as vscode from 'vscode';

import { BoincError, isAbort, messageOf } from '../../common/errors.js';
import { formatBytes, formatSeconds } from '../../common/format.js';
import type { OperationContext } from '../../common/ports.js';
import type { LocalRunReport } from '../../job/localRun/runSlot.js';
import type { Services } from '../services.js';

const BOLD = '\u001b[1m';
const PLAIN = '\u001b[0m';

/** The way into a terminal for what runs in it. */
export interface JobOutput {
	/** A line of ours. */
	readonly say: (text: string) => void;
	/** Output of the program. */
	readonly write: (chunk: Uint8Array) => void;
}

/** A terminal in which one job runs on this computer. Ctrl+C, or closing it, ends the container. */
export class JobTerminal implements vscode.Pseudoterminal {
	readonly #services: Services;
	readonly #work: (output: JobOutput, ctx: OperationContext) => Promise<void>;
	readonly #write = new vscode.EventEmitter<string>();
	readonly #stop = new AbortController();
	#finish: () => void = () => undefined;

	constructor(services: Services, work: (output: JobOutput, ctx: OperationContext) => Promise<void>) {
		this.#services = services;
		this.#work = work;
	}

	readonly onDidWrite = this.#write.event;
	/** Resolves when the job has ended, or cannot be run, which the terminal says. */
	readonly ended = new Promise<void>((resolve) => {
		this.#finish = resolve;
	});

	open(): void {
		void this.#run();
	}

	close(): void {
		this.#stop.abort();
	}

	handleInput(data: string): void {
		if (data === '\u0003') {
			this.#say(vscode.l10n.t('Ending the job …'));
			this.#stop.abort();
		}
	}

	/** Never rejects. */
	async #run(): Promise<void> {
		const { log, clock } = this.#services;
		let last = '';
		const report = ({ message }: { message: string }): void => {
			if (message !== last) {
				this.#say(message);
				last = message;
			}
		};
		const ctx: OperationContext = { log, clock, progress: { report }, signal: this.#stop.signal };
		const decoder = new TextDecoder();
		const write = (chunk: Uint8Array): void =>
			this.#write.fire(decoder.decode(chunk, { stream: true }).replace(/\r?\n/g, '\r\n'));
		try {
			await this.#work({ say: (text) => this.#say(text), write }, ctx);
		} catch (error) {
			if (isAbort(error)) {
				this.#say(vscode.l10n.t('The job was ended.'));
			} else {
				log.error(messageOf(error));
				this.#say(messageOf(error));
				this.#say((BoincError.is(error) ? error.remedy : undefined) ?? '');
			}
		} finally {
			this.#finish();
		}
	}

	#say(text: string): void {
		if (text !== '') {
			this.#write.fire(`${BOLD}${text.replace(/\r?\n/g, '\r\n')}${PLAIN}\r\n`);
		}
	}
}

/** What a run took, in a sentence, and what a volunteer’s client would have done otherwise. */
export function sayReport({ say }: JobOutput, report: LocalRunReport): void {
	say(
		vscode.l10n.t(
			'Exit code {0} after {1}. Memory: up to {2}. Disk: {3}. Packed result: {4}.',
			report.exitCode,
			formatSeconds(report.seconds),
			formatBytes(report.peakMemoryBytes),
			formatBytes(report.diskBytes),
			formatBytes(report.outputBytes),
		),
	);
	report.notes.forEach(say);
}
