import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { type Content, contentOfBytes } from '../../../src/common/content.js';
import type { Connection } from '../../../src/connection/connection.js';
import {
	fileExists,
	hashFiles,
	listDirectory,
	makeDirectory,
	readFile as readRemote,
	removeFiles,
	renameFile,
	statFile,
	writeFileAtomic,
} from '../../../src/connection/files.js';
import { localConnection } from '../../../src/connection/localConnection.js';
import { prefixed } from '../../../src/connection/prefixed.js';
import { run } from '../../../src/connection/run.js';

const NASTY = 'a \'b\' "c" $HOME\n!d *é😀';
let dir: string;
let connection: Connection;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-local-'));
	connection = localConnection();
});
afterEach(async () => {
	await connection.close();
	await rm(dir, { recursive: true, force: true });
});

describe('exec', () => {
	it('gives output, error output and code; standard input is empty unless given', async () => {
		const result = await connection.exec(['sh', '-c', 'cat; echo out; echo err >&2; exit 7']);
		expect({ ...result, stdout: result.stdout.toString(), stderr: result.stderr.toString() }).toEqual({
			code: 7,
			stdout: 'out\n',
			stderr: 'err\n',
		});
		expect((await connection.exec(['cat'], { stdin: 'text' })).stdout.toString()).toBe('text');
	});

	it('counts a signal as 128 and its number', async () => {
		expect((await connection.exec(['sh', '-c', 'kill -TERM $$'])).code).toBe(143);
	});

	it('streams input and output with back-pressure', async () => {
		const chunk = Buffer.alloc(100_000, 'x');
		let received = 0;
		let inside = 0;
		const result = await connection.exec(['cat'], {
			stdin: (async function* () {
				for (let n = 0; n < 30; n++) {
					await Promise.resolve();
					yield chunk;
				}
			})(),
			onStdout: async (bytes) => {
				expect(++inside).toBe(1);
				await new Promise((resolve) => setImmediate(resolve));
				received += bytes.length;
				inside--;
			},
		});
		expect(received).toBe(3_000_000);
		expect(result.stdout).toHaveLength(0);
	});

	it('does not mind a command that ends without reading its input', async () => {
		expect((await connection.exec(['true'], { stdin: Buffer.alloc(5_000_000) })).code).toBe(0);
	});

	it('returns although a daemon keeps the output open', async () => {
		const { stdout } = await connection.exec(['sh', '-c', 'sleep 30 & echo $!']);
		process.kill(Number(stdout.toString()));
	});

	it('refuses output beyond the limit, and ends the command', async () => {
		await expect(connection.exec(['yes'], { maxStdout: 1000 })).rejects.toMatchObject({
			code: 'command-failed',
			detail: { maxStdout: 1000 },
		});
	});

	it('says that the folder cannot be entered', async () => {
		await expect(connection.exec(['true'], { cwd: join(dir, 'absent') })).rejects.toMatchObject({ code: 'file-not-found' });
	});

	it('passes on what the receiver of output throws, and ends the command', async () => {
		const failing = connection.exec(['yes'], {
			onStdout: () => {
				throw new RangeError('enough');
			},
		});
		await expect(failing).rejects.toThrow('enough');
	});

	it('passes on what the source of input throws', async () => {
		const source = async function* (): AsyncGenerator<Uint8Array> {
			await Promise.resolve();
			yield Buffer.from('x');
			throw new RangeError('unreadable');
		};
		await expect(connection.exec(['cat'], { stdin: source() })).rejects.toThrow('unreadable');
	});

	async function started(
		argv: [string, ...string[]],
		options: { timeoutMs?: number; idleTimeoutMs?: number; signal?: AbortSignal },
	): Promise<{ pid: number; done: Promise<unknown> }> {
		let done: Promise<unknown> = Promise.resolve();
		const pid = await new Promise<number>((resolve) => {
			done = connection.exec(argv, { ...options, onStdout: (bytes) => resolve(Number(Buffer.from(bytes).toString())) });
			done.catch(() => undefined);
		});
		return { pid, done };
	}
	const running = async (pid: number): Promise<boolean> => {
		const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
		return text !== '' && text[text.lastIndexOf(')') + 2] !== 'Z';
	};

	it('ends the command and its children when cancelled, even those that ignore the first signal', async () => {
		const cancel = new AbortController();
		const { pid, done } = await started(['sh', '-c', 'trap "" TERM; sleep 60 & echo $!; wait'], { signal: cancel.signal });
		cancel.abort();
		await expect(done).rejects.toMatchObject({ name: 'AbortError' });
		expect(await running(pid)).toBe(false);
	});

	it('ends the command at its deadline', async () => {
		const { pid, done } = await started(['sh', '-c', 'sleep 60 & echo $!; wait'], { timeoutMs: 1500 });
		await expect(done).rejects.toMatchObject({ code: 'timeout' });
		expect(await running(pid)).toBe(false);
	});

	it('ends a command that falls silent', async () => {
		const { done } = await started(['sh', '-c', 'echo $$; exec sleep 60'], { idleTimeoutMs: 100 });
		await expect(done).rejects.toMatchObject({ code: 'timeout' });
	});

	it('does not start a command that is cancelled already', async () => {
		await expect(connection.exec(['touch', join(dir, 'x')], { signal: AbortSignal.abort() })).rejects.toMatchObject({
			name: 'AbortError',
		});
		expect(await readdir(dir)).toEqual([]);
	});
});

describe('run', () => {
	it.each([
		[['sh', '-c', 'echo "x: No space left on device" >&2; exit 1'], 'disk-full'],
		[['sh', '-c', 'echo "x: Permission denied" >&2; exit 1'], 'permission-denied'],
		[['cat', '/no/such/file'], 'file-not-found'],
		[['b2d-no-such-program'], 'command-not-found'],
		[['sh', '-c', 'echo odd >&2; exit 3'], 'command-failed'],
	] as const)('%j: %s', async (argv, code) => {
		await expect(run(connection, argv, { doing: 'try it' })).rejects.toMatchObject({
			code,
			message: expect.stringMatching(/^Could not try it on this computer: /),
		});
	});
});

describe('upload', () => {
	const target = (): string => join(dir, NASTY);

	it('replaces a file atomically, with the mode asked for, whatever its name', async () => {
		await writeFile(target(), 'old');
		expect(await connection.upload(contentOfBytes('new'), target(), { mode: 0o640 })).toEqual({ bytesSent: 3, resumedAt: 0 });
		expect(await readFile(target(), 'utf8')).toBe('new');
		expect((await stat(target())).mode & 0o777).toBe(0o640);
		expect(await readdir(dir)).toEqual([NASTY]);
	});

	it('sends an empty file', async () => {
		await connection.upload(contentOfBytes(''), target());
		expect((await stat(target())).size).toBe(0);
	});

	it('goes on where an earlier try ended', async () => {
		const bytes = Buffer.alloc(400_000, '0123456789');
		const arrived = async (): Promise<boolean> => {
			const part = (await readdir(dir)).find((name) => name.endsWith('.part'));
			return part !== undefined && (await stat(join(dir, part))).size === 100_000;
		};
		const failing: Content = {
			...contentOfBytes(bytes),
			open: async function* () {
				yield bytes.subarray(0, 100_000);
				await vi.waitUntil(arrived, { timeout: 10_000 });
				throw new RangeError('cut');
			},
		};
		await expect(connection.upload(failing, target())).rejects.toThrow('cut');
		expect(await fileExists(connection, target())).toBe(false);
		const receipt = await connection.upload(contentOfBytes(bytes), target());
		expect(receipt).toEqual({ resumedAt: 100_000, bytesSent: 300_000 });
		expect((await readFile(target())).equals(bytes)).toBe(true);
	});

	it('starts again when what was there is not the beginning of the file', async () => {
		const bytes = Buffer.alloc(50_000, 'right');
		await connection.upload({ ...contentOfBytes(bytes), size: 60_000 }, target()).catch(() => undefined);
		const part = (await readdir(dir)).find((name) => name.endsWith('.part'));
		await writeFile(join(dir, part!), 'wrong'.repeat(1000));
		const receipt = await connection.upload(contentOfBytes(bytes), target());
		expect(receipt).toEqual({ bytesSent: 95_000, resumedAt: 0 });
		expect((await readFile(target())).equals(bytes)).toBe(true);
	});

	it('refuses content that is not what it claims, leaving nothing', async () => {
		const wrong = { ...contentOfBytes('other'), sha256: contentOfBytes('claim').sha256 };
		await expect(connection.upload(wrong, target())).rejects.toMatchObject({ code: 'transfer-corrupt' });
		expect(await readdir(dir)).toEqual([]);
	});

	it('says that the local file became shorter', async () => {
		await expect(connection.upload({ ...contentOfBytes('abc'), size: 10 }, target())).rejects.toMatchObject({
			code: 'transfer-corrupt',
			message: expect.stringContaining('local file'),
		});
	});

	it('bears two uploads of the same file at once', async () => {
		const bytes = Buffer.alloc(2_000_000, 'both');
		const receipts = await Promise.all([1, 2, 3].map(() => connection.upload(contentOfBytes(bytes), target())));
		expect(receipts).toHaveLength(3);
		expect((await readFile(target())).equals(bytes)).toBe(true);
		expect(await readdir(dir)).toEqual([NASTY]);
	});

	it('bears that another upload of the same file gives its lock back at any moment', async () => {
		const content = contentOfBytes('both');
		await connection.upload({ ...content, size: 5 }, target()).catch(() => undefined);
		const [part] = await readdir(dir);
		const lock = join(dir, `${part!}.lock`);
		const program = 'for (;;) { fs.closeSync(fs.openSync(file, "w")); try { fs.unlinkSync(file); } catch {} }';
		const others = spawn(process.execPath, ['-e', `const fs = require('fs'), file = process.argv[1]; ${program}`, lock]);
		try {
			await once(others, 'spawn');
			for (let n = 0; n < 60; n++) {
				await connection.upload(content, target());
			}
			expect(await readFile(target(), 'utf8')).toBe('both');
		} finally {
			others.kill();
		}
	});

	it('takes over from an upload whose process died', async () => {
		const bytes = Buffer.alloc(10_000, 'x');
		await connection.upload({ ...contentOfBytes(bytes), size: 20_000 }, target()).catch(() => undefined);
		const part = (await readdir(dir)).find((name) => name.endsWith('.part'))!;
		const dead = await connection.exec(['sh', '-c', 'echo $$']);
		await writeFile(join(dir, `${part}.lock`), dead.stdout.toString().trim());
		expect(await connection.upload(contentOfBytes(bytes), target())).toMatchObject({ resumedAt: 10_000, bytesSent: 0 });
		expect(await readdir(dir)).toEqual([NASTY]);
	});

	it('leaves nothing when it is cancelled, though the other side is too busy to tidy up', async () => {
		const cancel = new AbortController();
		const stalled: Content = {
			...contentOfBytes(Buffer.alloc(200_000)),
			open: async function* () {
				yield Buffer.alloc(100_000);
				const lock = (await readdir(dir)).find((name) => name.endsWith('.lock'));
				process.kill(Number(await readFile(join(dir, lock!), 'utf8')), 'SIGSTOP');
				cancel.abort();
				await new Promise(() => undefined);
			},
		};
		await expect(connection.upload(stalled, target(), { signal: cancel.signal })).rejects.toMatchObject({ name: 'AbortError' });
		expect(await readdir(dir)).toEqual([]);
	});

	it('refuses a folder and a missing folder', async () => {
		await mkdir(target());
		await expect(connection.upload(contentOfBytes('x'), target())).rejects.toMatchObject({
			code: 'command-failed',
			message: expect.stringContaining('is a folder'),
		});
		await expect(connection.upload(contentOfBytes('x'), join(dir, 'no', 'file'))).rejects.toMatchObject({
			code: 'file-not-found',
		});
	});
});

describe('download', () => {
	it('fetches a file with any name', async () => {
		await writeFile(join(dir, NASTY), 'content');
		expect(await connection.download(join(dir, NASTY), join(dir, 'copy'), { mode: 0o600 })).toEqual({
			bytesSent: 7,
			resumedAt: 0,
		});
		expect(await readFile(join(dir, 'copy'), 'utf8')).toBe('content');
		expect((await stat(join(dir, 'copy'))).mode & 0o777).toBe(0o600);
		expect((await readdir(dir)).sort()).toEqual([NASTY, 'copy'].sort());
	});

	it('bears two downloads of the same file at once', async () => {
		const bytes = Buffer.alloc(3_000_000, 'both');
		await writeFile(join(dir, 'source'), bytes);
		await Promise.all([1, 2].map(() => connection.download(join(dir, 'source'), join(dir, 'copy'))));
		expect((await readFile(join(dir, 'copy'))).equals(bytes)).toBe(true);
		expect((await readdir(dir)).sort()).toEqual(['copy', 'source']);
	});

	it('starts again when the file on the server is another than before', async () => {
		await writeFile(join(dir, 'source'), 'abcdef');
		const stop = connection.download(join(dir, 'source'), join(dir, 'copy'), {
			progress: {
				report: () => {
					throw new RangeError('cut');
				},
			},
		});
		await expect(stop).rejects.toThrow('cut');
		await connection.download(join(dir, 'source'), join(dir, 'copy'));
		expect(await readFile(join(dir, 'copy'), 'utf8')).toBe('abcdef');
	});

	it('says what is missing, and leaves nothing', async () => {
		await expect(connection.download(join(dir, 'absent'), join(dir, 'copy'))).rejects.toMatchObject({ code: 'file-not-found' });
		await expect(connection.download(dir, join(dir, 'copy'))).rejects.toMatchObject({ code: 'command-failed' });
		await writeFile(join(dir, 'source'), 'x');
		await expect(connection.download(join(dir, 'source'), join(dir, 'no', 'copy'))).rejects.toMatchObject({
			code: 'file-not-found',
			message: expect.stringContaining('on this computer'),
		});
		expect(await readdir(dir)).toEqual(['source']);
	});
});

describe('dial', () => {
	it('reaches ports and UNIX sockets', async () => {
		const socket = join(dir, 's');
		const echo = createServer((peer) => peer.end('hello'));
		await new Promise<void>((resolve) => echo.listen(socket, resolve));
		const stream = await connection.dial({ socket });
		const text: Buffer[] = [];
		for await (const chunk of stream) {
			text.push(chunk as Buffer);
		}
		expect(Buffer.concat(text).toString()).toBe('hello');
		await new Promise<void>((resolve) => echo.close(() => resolve()));
		await expect(connection.dial({ socket })).rejects.toMatchObject({ code: 'server-unreachable' });
	});
});

describe('files', () => {
	it('tell kind, size, time and mode', async () => {
		await writeFile(join(dir, NASTY), '12345');
		await chmod(join(dir, NASTY), 0o4751);
		await symlink(NASTY, join(dir, 'link'));
		await symlink('nowhere', join(dir, 'dangling'));
		await mkdir(join(dir, '.folder'));
		const modified = Math.floor((await stat(join(dir, NASTY))).mtimeMs / 1000);
		const file = { kind: 'file', size: 5, modified, mode: 0o4751 };
		expect(await statFile(connection, join(dir, NASTY))).toEqual(file);
		expect(await statFile(connection, join(dir, 'link'))).toEqual(file);
		expect(await statFile(connection, join(dir, 'link'), { links: 'show' })).toMatchObject({ kind: 'link' });
		expect(await statFile(connection, join(dir, 'dangling'))).toBeUndefined();
		expect(await fileExists(connection, join(dir, 'dangling'))).toBe(true);
		expect(await fileExists(connection, join(dir, 'absent'))).toBe(false);
		expect(
			(await listDirectory(connection, dir)).map(({ name, kind, size }) => [name, kind, kind === 'file' ? size : 0]),
		).toEqual(
			[
				['.folder', 'folder', 0],
				[NASTY, 'file', 5],
				['dangling', 'link', 0],
				['link', 'link', 0],
			].sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
		);
		await expect(listDirectory(connection, join(dir, 'absent'))).rejects.toMatchObject({ code: 'file-not-found' });
	});

	it('are made, read, renamed, hashed and removed', async () => {
		await makeDirectory(connection, join(dir, 'a', 'b'));
		await makeDirectory(connection, join(dir, 'a', 'b'));
		const path = join(dir, 'a', 'b', NASTY);
		await writeFileAtomic(connection, path, 'hello');
		expect((await readRemote(connection, path)).toString()).toBe('hello');
		await expect(readRemote(connection, path, { maxBytes: 3 })).rejects.toMatchObject({ code: 'command-failed' });
		expect([...(await hashFiles(connection, [path, join(dir, 'absent'), dir], 'md5'))]).toEqual([
			[path, { hash: '5d41402abc4b2a76b9719d911017c592', size: 5 }],
		]);
		expect((await hashFiles(connection, [path], 'sha256')).get(path)?.hash).toBe(contentOfBytes('hello').sha256);
		await renameFile(connection, path, join(dir, 'moved'));
		await expect(renameFile(connection, join(dir, 'moved'), join(dir, 'a'))).rejects.toMatchObject({ code: 'command-failed' });
		await removeFiles(connection, [join(dir, 'moved'), join(dir, 'absent')]);
		expect(await readdir(dir)).toEqual(['a']);
	});
});

describe('prefixed', () => {
	it('runs commands and sends files through the prefix, with folder, variables and long scripts', async () => {
		const through = prefixed(connection, ['env', `B2D_MARK=${NASTY}`, 'nice']);
		const { stdout } = await through.exec(
			['sh', '-c', 'printf "%s|%s|%s|%s" "$B2D_MARK" "$X" "$PWD" "${#1}"', 'sh', 'x'.repeat(110_000)],
			{ cwd: '/usr', env: { X: NASTY } },
		);
		expect(stdout.toString()).toBe(`${NASTY}|${NASTY}|/usr|110000`);
		await through.upload(contentOfBytes('x'), join(dir, 'f'));
		expect(await readFile(join(dir, 'f'), 'utf8')).toBe('x');
		expect(through.name).toContain('nice');
	});
});

describe('close', () => {
	it('ends what runs and refuses what comes later', async () => {
		const running = connection.exec(['sleep', '60']);
		running.catch(() => undefined);
		await new Promise((resolve) => setTimeout(resolve, 50));
		await connection.close();
		await running.catch(() => undefined);
		await expect(connection.exec(['true'])).rejects.toMatchObject({ code: 'connection-lost' });
		await connection.ended;
	});
});
