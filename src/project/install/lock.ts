import os from 'node:os';

import lockScript from '../../../templates/server/lock.sh';
import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { run } from '../../connection/run.js';
import type { Project } from '../project.js';

/** Longer than any installation takes; a lock that is older was left behind. */
const STALE_MINUTES = 30;

/**
 * Runs `body` while holding the project's lock, so that two people do not install at once. Rejects with
 * `conflicting-change` when somebody else holds it.
 */
export async function withProjectLock<T>(
	project: Project,
	doing: string,
	ctx: OperationContext,
	body: () => Promise<T>,
): Promise<T> {
	const owner = `${doing}, since ${new Date(ctx.clock.now()).toISOString()}, from ${os.hostname()} (process ${process.pid})`;
	const { stdout } = await run(project.connection, ['sh', '-c', lockScript, 'sh', project.root, owner, String(STALE_MINUTES)], {
		doing: `take the lock of ${project.root}`,
		timeoutMs: 20_000,
	});
	const answer = stdout.toString('utf8').trim();
	if (answer !== 'locked') {
		throw new BoincError('conflicting-change', `Somebody else is changing ${project.name}: ${answer.replace(/^busy /, '')}.`, {
			remedy: `Wait until it is finished. If nothing is going on any more, remove ${project.root}/.boinc2docker/lock.`,
			detail: { lock: `${project.root}/.boinc2docker/lock` },
		});
	}
	try {
		return await body();
	} finally {
		await project.connection
			.exec(['rm', '-rf', `${project.root}/.boinc2docker/lock`], { timeoutMs: 20_000 })
			.catch((error: unknown) => ctx.log.warn(`the lock of ${project.name} stays until it is stale: ${String(error)}`));
	}
}
