import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';

import { MAX_COMMAND, shellText } from './commands.js';

/** Output of a command and whether it counts as success. */
export interface EngineAnswer {
	readonly ok: boolean;
	/** Lines with their line ends. */
	readonly lines: readonly string[];
}

/** Writes to the task's standard error, which the client keeps as `stderr.txt` in the slot. */
export function say(text: string): void {
	writeSync(2, text);
}

/** Whether a line contains `text`. */
export const mentions = (answer: EngineAnswer, text: string): boolean => answer.lines.some((line) => line.includes(text));

/** Runs the engine's program through the shell, as the real wrapper does, and tells what it runs on standard error. */
export class EngineProgram {
	constructor(readonly program: 'docker' | 'podman') {}

	/** Runs and shows command and output. */
	async shown(command: string): Promise<EngineAnswer> {
		say(`running docker command: ${command}\nprogram: ${this.program}\n`);
		const answer = await this.quiet(command);
		if (answer.ok) {
			say(`command output:\n${answer.lines.join('')}`);
		}
		return answer;
	}

	/** Runs without a word, unless it fails. */
	async quiet(command: string): Promise<EngineAnswer> {
		const text = shellText(this.program, command);
		if (Buffer.byteLength(`${this.program} ${command} 2>&1`) > MAX_COMMAND) {
			say(`stand-in: the command is longer than ${MAX_COMMAND} characters; the rest is cut, as the real wrapper does silently\n`);
		}
		const answer = await runShell(text);
		if (!answer.ok) {
			say(`command failed: ${answer.lines.join('').trim() || 'no output'}\n`);
		}
		return answer;
	}
}

function runShell(text: string): Promise<EngineAnswer> {
	return new Promise((resolve) => {
		const chunks: Buffer[] = [];
		const child = spawn('/bin/sh', ['-c', text], { stdio: ['ignore', 'pipe', 'pipe'] });
		child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
		// A cut command has lost its redirection.
		child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
		child.once('error', (error) => resolve({ ok: false, lines: [`${error.message}\n`] }));
		child.once('close', (code) => {
			const output = Buffer.concat(chunks).toString();
			resolve({ ok: code === 0, lines: output.match(/[^\n]*\n|[^\n]+$/g) ?? [] });
		});
	});
}
