import { PassThrough } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { Terminal } from '../../../src/terminal/terminal.js';

/** Two ends of a terminal, or of files and pipes. What was written is `text`; what `types` is given is read. */
function ends(kind: 'terminal' | 'pipe', level: 'warn' | 'debug' = 'warn') {
	const isTTY = kind === 'terminal';
	const out = Object.assign(new PassThrough(), { isTTY, columns: 40 });
	const input = Object.assign(new PassThrough(), { isTTY, setRawMode: () => input });
	let written = '';
	out.on('data', (chunk: Buffer) => (written += chunk.toString('utf8')));
	const terminal = new Terminal(out as unknown as NodeJS.WriteStream, level, input as unknown as NodeJS.ReadStream);
	return {
		terminal,
		text: () => written,
		/** Types when the question is there. */
		types: async (keys: string): Promise<void> => {
			await expect.poll(() => written).toMatch(/\? /);
			input.write(keys);
		},
		end: () => input.end(),
	};
}

const QUESTION = { title: 'Log In', message: 'Password?', accept: 'Yes' };

describe('progress', () => {
	it('is one line that is written over in a terminal, cut to its width, and taken away before other lines', () => {
		const { terminal, text } = ends('terminal');
		terminal.progress.report({ message: 'Sending packs', current: 1_500_000, total: 3_000_000, unit: 'bytes' });
		terminal.progress.report({ message: 'Sending packs', current: 1_500_000, total: 3_000_000, unit: 'bytes' });
		expect(text()).toBe('\r\u001B[KSending packs (1.50 MB of 3.00 MB)');
		terminal.progress.report({ message: 'x'.repeat(100), current: 3 });
		expect(text().endsWith(`\r\u001B[K${'x'.repeat(39)}`)).toBe(true);
		terminal.line('done');
		expect(text().endsWith(`x\r\u001B[Kdone\n`)).toBe(true);
		const before = text();
		terminal.clear();
		expect(text()).toBe(before);
	});

	it('is a line for each new message in a file, without numbers', () => {
		const { terminal, text } = ends('pipe');
		for (const current of [1, 2, 3]) {
			terminal.progress.report({ message: 'Sending', current, total: 3 });
		}
		terminal.progress.report({ message: 'Ready' });
		terminal.clear();
		expect(text()).toBe('Sending\nReady\n');
	});

	it('lets no control characters of strangers through', () => {
		const { terminal, text } = ends('terminal', 'debug');
		terminal.progress.report({ message: 'a\u001B[2Jb' });
		terminal.log.info('c\u0007d');
		expect(text()).toBe('\r\u001B[Ka\uFFFD[2Jb\r\u001B[Kinfo: c\uFFFDd\n');
	});
});

it('logs what is at least as grave as its level', () => {
	const { terminal, text } = ends('pipe');
	terminal.log.error('one');
	terminal.log.warn('two');
	terminal.log.info('three');
	terminal.log.debug('four');
	expect(text()).toBe('error: one\nwarn: two\n');
});

describe('questions', () => {
	it('show what is typed, and its detail before', async () => {
		const { terminal, text, types } = ends('terminal');
		terminal.progress.report({ message: 'Connecting' });
		const answer = terminal.prompts.text({ ...QUESTION, message: 'Name?', detail: 'first\nsecond' });
		await types('boincadm\r');
		expect(await answer).toBe('boincadm');
		expect(text()).toContain('\r\u001B[Kfirst\nsecond\nName? ');
		expect(text()).toContain('boincadm');
	});

	it('do not show a secret', async () => {
		const { terminal, text, types } = ends('terminal');
		const answer = terminal.prompts.secret(QUESTION);
		await types('hunter2\r');
		expect(await answer).toBe('hunter2');
		expect(text()).toBe('Password? \n');
	});

	it.each([
		['y', true],
		['YES', true],
		['', false],
		['n', false],
		['yesterday', false],
	])('a confirmation answered by “%s” is %s', async (typed, agreed) => {
		const { terminal, text, types } = ends('terminal');
		const answer = terminal.prompts.confirm({ ...QUESTION, message: 'Cancel 3 jobs?' });
		await types(`${typed}\r`);
		expect(await answer).toBe(agreed);
		expect(text()).toContain('Cancel 3 jobs? [y/N] ');
	});

	it('have no answer after Ctrl+C, or when the input ends', async () => {
		for (const leave of ['interrupt', 'end'] as const) {
			const { terminal, types, end } = ends('terminal');
			const answer = terminal.prompts.secret(QUESTION);
			await types(leave === 'interrupt' ? 'half\u0003' : '');
			if (leave === 'end') {
				end();
			}
			expect(await answer).toBeUndefined();
		}
	});

	it('are not asked where nobody can answer, which is said', async () => {
		const { terminal, text } = ends('pipe');
		expect(await terminal.prompts.text(QUESTION)).toBeUndefined();
		expect(await terminal.prompts.confirm(QUESTION)).toBe(false);
		expect(text()).toBe(
			'Log In: Password? — there is no terminal to answer in.\nLog In: Password? [y/N] — there is no terminal to answer in.\n',
		);
	});
});
