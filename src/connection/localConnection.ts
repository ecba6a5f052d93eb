import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

import { abortError, BoincError, messageOf } from '../common/errors.js';
import type { Connection } from './connection.js';
import { launch } from './quoting.js';
import type { ProcessEnd, ServerProcess, Spawner } from './serverProcess.js';
import { type Dial, ShellConnection } from './shellConnection.js';

const NAME = 'this computer';

/** This computer as a server: for projects that run where the editor runs, and for tests. */
export function localConnection(): Connection {
	const open = new Set<() => void>();
	let closed = false;
	let end: () => void = () => undefined;
	const ended = new Promise<void>((resolve) => (end = resolve));
	const guard = (): void => {
		if (closed) {
			throw new BoincError('connection-lost', `The connection to ${NAME} was closed.`);
		}
	};
	const spawner: Spawner = {
		name: NAME,
		spawn: async (script) => {
			guard();
			const process = await startShell(script);
			const stop = (): void => process.signal('TERM');
			open.add(stop);
			void process.ended.then(() => open.delete(stop));
			return process;
		},
	};
	const dial: Dial = async (address, signal) => {
		guard();
		const stream = await dialLocally(address, signal);
		const stop = (): void => void stream.destroy();
		open.add(stop);
		stream.once('close', () => open.delete(stop));
		return stream;
	};
	const close = (): Promise<void> => {
		closed = true;
		open.forEach((stop) => stop());
		end();
		return Promise.resolve();
	};
	return new ShellConnection(spawner, dial, close, ended);
}

async function startShell(script: string): Promise<ServerProcess> {
	const { words, preface } = launch(script);
	const [program = 'sh', ...rest] = words;
	// A process group of its own, so that a signal reaches all of the command and nothing of ours.
	const child = spawn(program, rest, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
	child.on('error', () => undefined);
	try {
		await once(child, 'spawn');
	} catch (cause) {
		throw new BoincError('command-not-found', `No POSIX shell can be started on ${NAME}: ${messageOf(cause)}.`, {
			remedy: 'Use a server over SSH, or open the folder in WSL.',
			cause,
		});
	}
	const ended = new Promise<ProcessEnd>((resolve) => {
		child.once('exit', (code, signal) =>
			resolve(code === null ? { kind: 'killed', signal: signal ?? 'SIGKILL' } : { kind: 'exited', code }),
		);
	});
	child.stdin.on('error', () => undefined);
	if (preface !== undefined) {
		child.stdin.write(preface);
	}
	return {
		stdin: child.stdin,
		stdout: child.stdout,
		stderr: child.stderr,
		ended,
		signal: (name) => {
			try {
				process.kill(-(child.pid ?? 0), `SIG${name}`);
			} catch {
				// It has ended by itself.
			}
		},
		close: () => {
			child.stdin.destroy();
			child.stdout.destroy();
			child.stderr.destroy();
		},
	};
}

const dialLocally: Dial = async (address, signal) => {
	if (signal?.aborted) {
		throw abortError();
	}
	const where = 'socket' in address ? address.socket : `${address.host}:${String(address.port)}`;
	const stream = 'socket' in address ? connect(address.socket) : connect({ ...address, noDelay: true });
	try {
		await once(stream, 'connect', signal && { signal });
	} catch (cause) {
		stream.destroy();
		if (signal?.aborted) {
			throw abortError();
		}
		throw new BoincError('server-unreachable', `Nothing answers at ${where} on ${NAME}: ${messageOf(cause)}.`, {
			detail: { address: where },
			cause,
		});
	}
	return stream;
};
