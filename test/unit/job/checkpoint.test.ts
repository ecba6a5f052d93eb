import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

const HELPERS = path.resolve('templates/checkpoint');
/** Each counts to the number that it is given, saves every step, and prints where it started and ended. */
const SHELL = `. "${HELPERS}/checkpoint.sh"
step=$(checkpoint_load) || step=0
echo "from $step"
while [ $step -lt $1 ]; do step=$((step + 1)); echo $step | checkpoint_save; checkpoint_pause; sleep 0.01; done
echo "to $step"
`;
const PYTHON = `import sys, time, checkpoint
state = checkpoint.load() or {"step": 0}
print("from", state["step"], flush=True)
while state["step"] < int(sys.argv[1]):
    state["step"] += 1
    checkpoint.save(state)
    checkpoint.pause()
    time.sleep(0.01)
print("to", state["step"])
`;
const C = `#include "checkpoint.h"
int main(int count, char **words) {
	struct { long step; double sum; } state = { 0, 0 };
	checkpoint_start();
	checkpoint_load("state", &state, sizeof state);
	printf("from %ld\\n", state.step);
	fflush(stdout);
	while (count > 1 && state.step < atol(words[1])) {
		state.step++;
		if (checkpoint_save("state", &state, sizeof state) != 0) return 1;
		checkpoint_pause();
		usleep(10000);
	}
	printf("to %ld\\n", state.step);
	return 0;
}
`;

let dir: string;
const commands = new Map<string, string[]>();
beforeAll(async () => {
	dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-checkpoint-'));
	await writeFile(path.join(dir, 'count.sh'), SHELL);
	await writeFile(path.join(dir, 'count.py'), PYTHON);
	await copyFile(path.join(HELPERS, 'checkpoint.py'), path.join(dir, 'checkpoint.py'));
	await writeFile(path.join(dir, 'count.c'), C);
	const options = ['-std=c99', '-D_DEFAULT_SOURCE', '-Wall', '-Wextra', '-Werror', '-I', HELPERS];
	await promisify(execFile)('cc', [...options, '-o', path.join(dir, 'count'), path.join(dir, 'count.c')]);
	// C++ takes the same file.
	await promisify(execFile)('c++', ['-x', 'c++', '-fsyntax-only', '-Wall', '-Werror', '-I', HELPERS, path.join(dir, 'count.c')]);
	commands.set('dash', ['dash', path.join(dir, 'count.sh')]);
	commands.set('busybox', ['busybox', 'sh', path.join(dir, 'count.sh')]);
	commands.set('Python', ['python3', '-B', path.join(dir, 'count.py')]);
	commands.set('C', [path.join(dir, 'count')]);
}, 60_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

const running: ChildProcess[] = [];
afterEach(() => {
	for (const child of running.splice(0)) {
		child.kill('SIGKILL');
	}
});

describe.each(['dash', 'busybox', 'Python', 'C'])('a program in %s', (language) => {
	const folder = (): string => path.join(dir, `of ${language}`);
	const state = (): string => path.join(folder(), 'state');

	function start(count: number): {
		child: ChildProcess;
		end: Promise<{ code: number | null; signal: string | null; said: string }>;
	} {
		const [program = '', ...words] = commands.get(language) ?? [];
		const child = spawn(program, [...words, String(count)], {
			env: { PATH: process.env.PATH, CHECKPOINT_DIR: folder() },
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		running.push(child);
		let said = '';
		child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
		return {
			child,
			end: new Promise((resolve, reject) => {
				child.on('error', reject);
				child.on('close', (code, signal) => resolve({ code, signal, said }));
			}),
		};
	}
	const saved = (): number =>
		existsSync(state())
			? language === 'C'
				? Number(readFileSync(state()).readBigInt64LE(0))
				: Number(/\d+/.exec(readFileSync(state(), 'utf8'))?.[0] ?? 0)
			: 0;
	const past = (step: number): Promise<unknown> => vi.waitUntil(() => saved() >= step, { timeout: 20_000, interval: 5 });

	test('starts at the beginning, goes on after a kill and a signal, and ends', async () => {
		await mkdir(folder());
		const first = start(100_000);
		await past(3);
		first.child.kill('SIGKILL');
		expect((await first.end).said).toBe('from 0\n');
		const second = start(100_000);
		await past(saved() + 3);
		second.child.kill('SIGTERM');
		const ended = await second.end;
		expect(ended.signal).toBe('SIGTERM');
		expect(Number(/from (\d+)/.exec(ended.said)?.[1])).toBeGreaterThanOrEqual(3);
		const reached = saved();
		expect(await start(reached + 2).end).toEqual({ code: 0, signal: null, said: `from ${reached}\nto ${reached + 2}\n` });
	});

	test('takes what was cut off in the middle for nothing', async () => {
		await writeFile(`${state()}.new`, 'half');
		const before = await readFile(state());
		const { said } = await start(0).end;
		expect(said).toBe(`from ${saved()}\nto ${saved()}\n`);
		expect(await readFile(state())).toEqual(before);
	});
});
