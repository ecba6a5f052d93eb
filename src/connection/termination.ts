import type { ServerProcess, Spawner } from './serverProcess.js';

/** Time for everything: the signal, the second channel, the look at what is left. */
const TERMINATION_MS = 8_000;

/**
 * Ends a process on the server and waits until it is gone: SIGTERM, then SIGKILL, to its process group or, where it
 * leads none (`sudo` with a pseudo-terminal), to itself. The SSH request for a signal is a hint that many servers
 * ignore, so a second command does it by process id. Never rejects: the caller has an error of its own to tell.
 */
export async function terminate(spawner: Spawner, process: ServerProcess, processId: Promise<number>): Promise<void> {
	process.signal('TERM');
	let timer: NodeJS.Timeout | undefined;
	const deadline = new Promise<undefined>((resolve) => {
		timer = setTimeout(() => resolve(undefined), TERMINATION_MS);
	});
	// On a busy server the command may not have begun yet: it is waited for, to be ended.
	const known = await Promise.race([processId, deadline, process.ended.then(() => undefined)]);
	if (known !== undefined) {
		await Promise.race([deadline, end(spawner, known)]);
	}
	clearTimeout(timer);
	process.close();
}

async function end(spawner: Spawner, processId: number): Promise<void> {
	try {
		const killer = await spawner.spawn(killScript(processId), { priority: 'urgent' });
		killer.stdin.on('error', () => undefined);
		killer.stdin.end();
		killer.stdout.resume();
		killer.stderr.resume();
		await killer.ended;
		killer.close();
	} catch {
		// The connection is gone, and with it what could be done.
	}
}

/**
 * Fractions of a second are no POSIX, but all systems with a BOINC server know them. No `--` before the negative number
 * of a process group: dash and busybox do not know it there.
 */
const killScript = (processId: number): string => `
p=${String(processId)}
t=-$p
kill -0 "$t" 2>/dev/null || t=$p
gone() { ! kill -0 "$t" 2>/dev/null; }
await() {
	i=0
	while [ "$i" -lt "$1" ] && ! gone; do
		i=$((i + 1))
		sleep 0.1 2>/dev/null || sleep 1
	done
}
kill -TERM "$t" 2>/dev/null || exit 0
await 15
gone && exit 0
kill -KILL "$t" 2>/dev/null
await 15
`;
