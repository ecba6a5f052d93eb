import type { ServerProcess, Spawner } from './serverProcess.js';

/** Time for everything: the signal, the second channel, the look at what is left. */
const TERMINATION_MS = 8_000;

/**
 * Ends a process on the server and waits until it is gone: SIGTERM, then SIGKILL, to its process group or, where it
 * leads none (`sudo` with a pseudo-terminal), to itself. The SSH request for a signal is a hint that many servers
 * ignore, so a second command does it by process id. Never rejects: the caller has an error of its own to tell.
 */
export async function terminate(spawner: Spawner, process: ServerProcess, processId: number | undefined): Promise<void> {
	process.signal('TERM');
	let timer: NodeJS.Timeout | undefined;
	const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, TERMINATION_MS)));
	await Promise.race([deadline, processId === undefined ? process.ended : end(spawner, processId)]);
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

/** Fractions of a second are no POSIX, but all systems with a BOINC server know them. */
const killScript = (processId: number): string => `
p=${String(processId)}
t=-$p
kill -0 -- "$t" 2>/dev/null || t=$p
kill -TERM -- "$t" 2>/dev/null || kill -TERM "$p" 2>/dev/null || exit 0
i=0
while [ "$i" -lt 20 ] && kill -0 -- "$t" 2>/dev/null; do
	i=$((i + 1))
	sleep 0.1 2>/dev/null || sleep 1
done
kill -KILL -- "$t" 2>/dev/null || exit 0
i=0
while [ "$i" -lt 10 ] && kill -0 -- "$t" 2>/dev/null; do
	i=$((i + 1))
	sleep 0.1 2>/dev/null || sleep 1
done
`;
