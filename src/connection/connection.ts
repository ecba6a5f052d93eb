import type { Duplex } from 'node:stream';

import type { Content } from '../common/content.js';
import type { Progress } from '../common/ports.js';

/** One argument list. It is quoted by `quoting.ts` alone; nobody else builds shell text. */
export type Argv = readonly [program: string, ...args: string[]];

export type Bytes = Uint8Array;

export interface ExecOptions {
	/** Working directory on the server. */
	readonly cwd?: string;
	/** Added to the environment of the command. */
	readonly env?: Readonly<Record<string, string>>;
	/**
	 * Sent to standard input, which is then closed. Without it standard input is empty. A chunk of an iterable may be
	 * overwritten once the next one is asked for.
	 */
	readonly stdin?: string | Bytes | AsyncIterable<Bytes>;
	/** Receives standard output as it arrives; back-pressure is the returned promise. `stdout` of the result is then empty. */
	readonly onStdout?: (chunk: Bytes) => void | Promise<void>;
	/** Receives standard error as it arrives, besides being collected (the last 64 KiB). */
	readonly onStderr?: (chunk: Bytes) => void;
	/** Deadline for the whole command in milliseconds. Default 60,000; `Infinity` for none. */
	readonly timeoutMs?: number;
	/** Deadline between two bytes in either direction, in milliseconds. Default none. */
	readonly idleTimeoutMs?: number;
	/** Most bytes of standard output to collect. Default 16 MiB; more is an error. */
	readonly maxStdout?: number;
	/** Cancels: the remote command is signalled, then the channel closed. */
	readonly signal?: AbortSignal;
}

export interface ExecResult {
	readonly stdout: Buffer;
	readonly stderr: Buffer;
	/** Exit code; 128 + signal number when a signal ended the command. */
	readonly code: number;
}

export type DialAddress = { readonly host: string; readonly port: number } | { readonly socket: string };

export interface TransferOptions {
	/** Permission bits of the finished file. Default 0o644. */
	readonly mode?: number;
	readonly progress?: Progress;
	readonly signal?: AbortSignal;
}

export interface TransferReceipt {
	/** Bytes that crossed the connection this time: less than the size after a resume. */
	readonly bytesSent: number;
	/** Offset at which this try began. */
	readonly resumedAt: number;
}

/**
 * A server as the rest of the program sees it: run a program, reach a port, send and fetch files.
 * All operations reject with a `BoincError` of the connection group, or an `AbortError`.
 */
export interface Connection {
	/** How a person knows the server: `boincadm@example.org:2222`, `this computer`. For messages. */
	readonly name: string;
	/** Resolves when the connection has ended, by `close` or by loss. */
	readonly ended?: Promise<void>;
	/** Runs a program. A non-zero exit code is a result, not an error; use `run` of `run.ts` where it is one. */
	exec(argv: Argv, options?: ExecOptions): Promise<ExecResult>;
	/** Opens a byte stream to a port or a UNIX socket as seen from the server. */
	dial(address: DialAddress, signal?: AbortSignal): Promise<Duplex>;
	/**
	 * Sends `source` to `path`: temporary name beside it, SHA-256 compared on the server, then renamed. A cut link leaves
	 * nothing under `path`, and the next call resumes. Replaces an existing file atomically.
	 */
	upload(source: Content, path: string, options?: TransferOptions): Promise<TransferReceipt>;
	/** Fetches `path` into the local file `target`: temporary name, renamed when complete; resumes, and then compares the SHA-256. */
	download(path: string, target: string, options?: TransferOptions): Promise<TransferReceipt>;
	/** Ends all channels. Idempotent; later calls of the others reject with `connection-lost`. */
	close(): Promise<void>;
}
