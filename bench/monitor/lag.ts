import { execFileSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { systemClock } from '../../src/common/ports.js';
import type { Database, DatabaseSettings } from '../../src/sandbox/database.js';
import { LARGE_BATCH } from './figures.js';
import { makeProject } from './liveProject.js';

const SAMPLES = 25;
/** The harness and the packaged extension, from the root. */
const HARNESS = 'test/harness/lib/workbench.mjs';
const VSIX = 'dist/boinc2docker.vsix';

/** What is used of the harness, which is plain JavaScript. */
interface Workbench {
	readonly page: {
		waitForFunction(expression: string, argument: undefined, options: { polling: number; timeout: number }): Promise<unknown>;
	};
	showContainer(title: string): Promise<void>;
	runCommand(title: string): Promise<void>;
	type(text: string, options: { title: string }): Promise<void>;
	pick(label: string, options: { title: string }): Promise<void>;
	close(): Promise<void>;
}

/** Milliseconds from a commit in the database to the changed text in the tree of a real VS Code, for the batch with most `jobs`. */
export async function lagFigures(
	settings: DatabaseSettings,
	db: Database,
	{ dir, jobs }: { readonly dir: string; readonly jobs: number },
): Promise<Record<string, unknown>> {
	packExtension();
	const folder = path.join(dir, 'workspace');
	await mkdir(folder, { recursive: true });
	const address = await makeProject(path.join(dir, 'project'), settings);
	const { openWorkbench } = (await import(pathToFileURL(path.resolve(HARNESS)).href)) as {
		openWorkbench(options: { folder: string; vsix: string[] }): Promise<Workbench>;
	};
	const workbench = await openWorkbench({ folder, vsix: [path.resolve(VSIX)] });
	try {
		await workbench.showContainer('BOINC');
		await workbench.runCommand('BOINC: Add Server');
		await workbench.type(address, { title: 'Add Server' });
		const appears = async (text: string): Promise<void> => {
			await workbench.page.waitForFunction(`document.body.textContent.includes(${JSON.stringify(text)})`, undefined, {
				polling: 20,
				timeout: 60_000,
			});
		};
		await appears('sweep ');
		// The large batch is the oldest: below hundreds of others it would not be on the screen.
		await workbench.runCommand('BOINC: Filter Batches…');
		await workbench.pick('Unfinished Batches', { title: 'Filter Batches' });
		const shown = (running: number): Promise<void> => appears(`/${String(jobs)} done · ${String(running)} running`);
		let running = await countRunning(db);
		await shown(running);
		const lags: number[] = [];
		for (let n = 0; n < SAMPLES; n++) {
			await systemClock.sleep(Math.random() * 2_000);
			const [job] = await db.select(
				'SELECT workunitid FROM result WHERE batch = ? AND server_state = 2 ORDER BY RAND() LIMIT 1',
				[LARGE_BATCH],
			);
			await db.execute('UPDATE result SET server_state = 4, hostid = 7 WHERE workunitid = ? AND server_state = 2', [
				Number(job?.workunitid),
			]);
			const start = performance.now();
			running += 1;
			await shown(running);
			lags.push(performance.now() - start);
		}
		lags.sort((a, b) => a - b);
		const at = (share: number): number => lags[Math.min(SAMPLES - 1, Math.ceil(SAMPLES * share) - 1)] ?? NaN;
		return { lagMs: { p50: at(0.5), p95: at(0.95) } };
	} finally {
		await workbench.close();
		await rm(path.join(dir, 'project'), { recursive: true, force: true });
	}
}

/** The programs are built already. */
function packExtension(): void {
	execFileSync(process.execPath, ['scripts/package.mjs', '--no-build'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function countRunning(db: Database): Promise<number> {
	const [row] = await db.select(
		`SELECT COUNT(DISTINCT r.workunitid) AS n FROM result r JOIN workunit w ON w.id = r.workunitid
		WHERE r.batch = ? AND r.server_state = 4 AND w.canonical_resultid = 0 AND w.error_mask = 0`,
		[LARGE_BATCH],
	);
	return Number(row?.n);
}
