import { mkdir, mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as vscode from 'vscode';

import { BoincError, isAbort, messageOf } from '../../common/errors.js';
import { formatBytes, formatSeconds } from '../../common/format.js';
import type { OperationContext } from '../../common/ports.js';
import type { LocalRunReport } from '../../job/localRun/runSlot.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { Services } from '../services.js';
import { settings } from '../settings.js';
import { resultsFolder } from './resultsFolder.js';

const BOLD = '\u001b[1m';
const PLAIN = '\u001b[0m';

/** A terminal in which one job runs on this computer. Ctrl+C, or closing it, ends the container. */
export class ReproduceTerminal implements vscode.Pseudoterminal {
	readonly #services: Services;
	readonly #model: ServerModel;
	readonly #job: string;
	readonly #write = new vscode.EventEmitter<string>();
	readonly #stop = new AbortController();
	#finish: () => void = () => undefined;

	constructor(services: Services, model: ServerModel, job: string) {
		this.#services = services;
		this.#model = model;
		this.#job = job;
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
		try {
			await this.#reproduce(ctx);
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

	async #reproduce(ctx: OperationContext): Promise<void> {
		const { findEngine, reproduce, unpackResult } = await this.#services.core();
		const command = settings.engineCommand();
		const engine = await findEngine(ctx, command === undefined ? {} : { command });
		this.#say(vscode.l10n.t('Running {0} with {1}; Ctrl+C ends it', this.#job, `${engine.command} ${engine.version}`));
		const project = await this.#model.project(ctx.signal);
		const decoder = new TextDecoder();
		const onOutput = (chunk: Uint8Array): void =>
			this.#write.fire(decoder.decode(chunk, { stream: true }).replace(/\r?\n/g, '\r\n'));
		const take = async (report: LocalRunReport): Promise<void> => {
			this.#say(this.#describe(report));
			report.notes.forEach((note) => this.#say(note));
			if (report.resultFile !== undefined) {
				const folder = await this.#freeFolder();
				const refused = await unpackResult({ file: report.resultFile, size: report.outputBytes }, folder);
				this.#say(vscode.l10n.t('What it left is in {0}', vscode.workspace.asRelativePath(folder)));
				refused.forEach((entry) => this.#say(vscode.l10n.t('Not unpacked: {0}', entry)));
			}
		};
		await reproduce(project, engine, { job: this.#job, onOutput }, take, ctx);
	}

	#describe(report: LocalRunReport): string {
		return vscode.l10n.t(
			'Exit code {0} after {1}. Memory: up to {2}. Disk: {3}. Packed result: {4}.',
			report.exitCode,
			formatSeconds(report.seconds),
			formatBytes(report.peakMemoryBytes),
			formatBytes(report.diskBytes),
			formatBytes(report.outputBytes),
		);
	}

	/** A folder that does not exist yet, beside the results; outside of the workspace when there is none. */
	async #freeFolder(): Promise<string> {
		const parent = await resultsFolder(vscode.workspace.workspaceFolders?.[0]);
		if (parent === undefined) {
			return path.join(await mkdtemp(path.join(tmpdir(), 'b2d-reproduced-')), this.#job);
		}
		const folder = path.join(parent, 'reproduced');
		await mkdir(folder, { recursive: true });
		for (let n = 1; ; n++) {
			const name = path.join(folder, n === 1 ? this.#job : `${this.#job}-${n}`);
			if (!(await stat(name).catch(() => undefined))) {
				return name;
			}
		}
	}

	#say(text: string): void {
		if (text !== '') {
			this.#write.fire(`${BOLD}${text.replace(/\r?\n/g, '\r\n')}${PLAIN}\r\n`);
		}
	}
}
