import { lstat, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { quoteWord } from '../../connection/quoting.js';
import type { Project } from '../../project/project.js';
import { WORKDIR } from '../jobToml.js';
import { OUTPUT_NAME } from '../templates.js';
import { fetchSlot, type LocalSlot } from './localSlot.js';

/** The script of a capsule. */
const SCRIPT = 'run.sh';

/**
 * Puts all that a job needs into a new folder, without running it: packs of the image, inputs, parameters, runner, and a script that
 * builds the image and runs the job as volunteers' hosts do. Rejects with `file-in-the-way` when there is something already, or as
 * `fetchSlot` does; then nothing is left.
 */
export async function makeCapsule(project: Project, job: string, dir: string, ctx: OperationContext): Promise<void> {
	if (await lstat(dir).catch(() => undefined)) {
		throw new BoincError('file-in-the-way', `${dir} exists already and is not overwritten.`, {
			remedy: 'Rename or delete it, or name another folder.',
		});
	}
	try {
		const slot = await fetchSlot(project, job, dir, ctx);
		await slot.fetchImage(ctx);
		await writeFile(path.join(dir, SCRIPT), scriptOf(slot), { mode: 0o755 });
	} catch (error) {
		await rm(dir, { recursive: true, force: true });
		throw error;
	}
}

function scriptOf({ job, plan: { imageName, createArguments } }: LocalSlot): string {
	const words = (list: readonly string[]): string => list.map(quoteWord).join(' ');
	return `#!/bin/sh
# Runs the job ${job} on this computer as volunteers' computers do, from the files in this folder:
#   ./${SCRIPT} [docker or podman]
# What it leaves is in ${OUTPUT_NAME}; its exit code is that of the job.
set -e
cd "$(dirname "$0")"
engine=\${1:-docker}
"$engine" ${words(['build', '-t', imageName, '-f', 'Dockerfile', '.'])}
exec "$engine" run --rm -v "$PWD:${WORKDIR}" ${words([...createArguments, imageName])}
`;
}
