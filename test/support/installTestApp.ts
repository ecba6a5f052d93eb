import { contentOfBytes, contentOfFile } from '../../src/common/content.js';
import { quietContext } from '../../src/common/ports.js';
import type { Connection } from '../../src/connection/connection.js';
import { runnerScript } from '../../src/job/runner.js';
import { applyInstall } from '../../src/project/install/applyInstall.js';
import { planInstall } from '../../src/project/install/planInstall.js';
import type { InstallSpec } from '../../src/project/install/spec.js';
import { openProject } from '../../src/project/openProject.js';
import { wrapperBinaries } from '../../src/project/wrapperSource.js';
import type { TestSandbox } from './sandbox.js';

/** Installs an app that runs containers in a sandbox's project. */
export async function installTestApp(
	sandbox: TestSandbox,
	connection: Connection,
	app: string,
	more: Pick<InstallSpec, 'cpus' | 'gpu'> = {},
): Promise<void> {
	const ctx = quietContext();
	const project = await openProject(connection, sandbox.projectRoot, ctx);
	try {
		const spec = {
			app,
			friendlyName: 'Containers',
			wrappers: await wrapperBinaries({ folder: sandbox.wrapperFolder }, ctx),
			busybox: [{ architecture: 'amd64' as const, content: await contentOfFile(sandbox.busyboxFile) }],
			runner: contentOfBytes(runnerScript),
			...more,
		};
		await applyInstall(project, await planInstall(project, spec, ctx), ctx);
	} finally {
		project.dispose();
	}
}
