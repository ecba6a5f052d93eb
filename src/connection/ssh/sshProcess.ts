import type { ClientChannel } from 'ssh2';

import type { ProcessEnd, ServerProcess } from '../serverProcess.js';
import { widenWindow } from './window.js';

/** A command in an SSH channel. `lost` words why the connection ended, when it did; `window` bytes may be sent ahead of us. */
export function sshProcess(channel: ClientChannel, lost: () => string | undefined, window: number): ServerProcess {
	let closed = false;
	const ended = new Promise<ProcessEnd>((resolve) => {
		channel.once('exit', (code: number | null, signal?: string) =>
			resolve(code === null ? { kind: 'killed', signal: signal ?? 'SIGKILL' } : { kind: 'exited', code }),
		);
		// Comes after 'exit' when there was one; without it nobody knows how the command ended.
		channel.once('close', () =>
			resolve({ kind: 'lost', reason: lost() ?? 'the server closed the channel without an exit code' }),
		);
	});
	// Without a listener an error of a channel would end the whole program.
	channel.on('error', () => undefined);
	return {
		stdin: channel,
		stdout: channel,
		stderr: channel.stderr,
		ended,
		consumed: (bytes) => widenWindow(channel, bytes, window),
		signal: (name) => {
			if (!closed) {
				channel.signal(name);
			}
		},
		close: () => {
			if (!closed) {
				closed = true;
				// What still arrives is dropped; unread, it would keep the channel from closing.
				channel.resume();
				channel.stderr.resume();
				channel.close();
			}
		},
	};
}
