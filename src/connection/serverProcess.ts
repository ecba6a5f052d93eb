import type { Readable, Writable } from 'node:stream';

/** How a process on the server ended. `lost`: nobody can know, for the way to it is gone. */
export type ProcessEnd =
	| { readonly kind: 'exited'; readonly code: number }
	| { readonly kind: 'killed'; readonly signal: string }
	| { readonly kind: 'lost'; readonly reason: string };

/** A running process on the server, without any policy: no deadlines, no collecting. */
export interface ServerProcess {
	readonly stdin: Writable;
	readonly stdout: Readable;
	readonly stderr: Readable;
	/** Resolves as soon as the end is known; output may still be on its way. Never rejects. */
	readonly ended: Promise<ProcessEnd>;
	/** Says that so much output was taken, for transports that allow the server more in turn. */
	consumed?(bytes: number): void;
	/** Asks for a signal; nothing says whether it arrives. */
	signal(name: 'TERM' | 'KILL'): void;
	/** Lets go of the process: its streams end, whatever it does. Idempotent. */
	close(): void;
}

export interface SpawnOptions {
	/** `urgent` passes the queue: used to end a process when all channels are taken. */
	readonly priority?: 'normal' | 'urgent';
	readonly signal?: AbortSignal;
}

/** A way to start POSIX scripts on a server. The transports differ in this and in nothing else. */
export interface Spawner {
	/** Name of the server for messages. */
	readonly name: string;
	/** Starts `sh` with `script`. Rejects with `connection-lost`, `channel-refused`, `timeout` or an `AbortError`. */
	spawn(script: string, options?: SpawnOptions): Promise<ServerProcess>;
}
