import { setTimeout as sleep } from 'node:timers/promises';

import { runningClient } from './client/boincClient.js';
import { numberOf, openDatabase } from './database.js';
import { readProjectSettings } from './projectSettings.js';

const EVERY_MS = 3000;

/**
 * Makes the sandbox's own client contact the project when there is something to say: a client that found no work, or whose task
 * failed, stays away longer and longer, as a volunteer's does, and trying something out would take hours. Ends when
 * `signal` fires.
 */
export async function nudgeClient(projectRoot: string, clientDir: string, signal: AbortSignal): Promise<void> {
	while (!signal.aborted) {
		try {
			await sleep(EVERY_MS, undefined, { signal });
			const client = await runningClient(clientDir);
			if (client && ((await hasWork(projectRoot)) || (await client.tasks()).some((task) => task.readyToReport))) {
				await client.update();
			}
		} catch {
			// The end, or the database or the client is about to stop or not up yet; the next round tries again.
		}
	}
}

async function hasWork(projectRoot: string): Promise<boolean> {
	const settings = readProjectSettings(projectRoot);
	if (!settings) {
		return false;
	}
	const database = await openDatabase(settings.database);
	try {
		const [row] = await database.select('SELECT COUNT(*) AS n FROM result WHERE server_state = 2');
		return row !== undefined && numberOf(row, 'n') > 0;
	} finally {
		await database.end();
	}
}
