import { BoincError } from '../common/errors.js';
import { nudgeClient } from './clientNudge.js';
import { readSandboxState, sandboxFolders } from './sandboxState.js';
import { startWebServer } from './web/webServer.js';

/** The process behind the project's addresses. Runs until it gets a signal. */
export async function serveSandbox(dir: string): Promise<void> {
	const state = await readSandboxState(dir);
	if (!state) {
		throw new BoincError('sandbox-failed', `There is no sandbox in ${dir}.`);
	}
	const folders = sandboxFolders(dir, state.name);
	const server = await startWebServer({ projectRoot: folders.projectRoot });
	const end = new AbortController();
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
		process.once(signal, () => end.abort());
	}
	const ended = new Promise<void>((resolve) => {
		end.signal.addEventListener('abort', () => resolve(), { once: true });
	});
	if (state.clientCount > 0) {
		await nudgeClient(folders.projectRoot, folders.client, end.signal);
	}
	await ended;
	await server.stop();
}
