import { contentOfBytes } from '../../../src/common/content.js';
import { quietContext } from '../../../src/common/ports.js';
import { rangesOf } from '../../../src/common/ranges.js';
import { cancelBatch } from '../../../src/job/cancel.js';
import { runnerScript } from '../../../src/job/runner.js';
import { diagnose } from '../../../src/project/doctor.js';
import { applyInstall } from '../../../src/project/install/applyInstall.js';
import type { InstallPlan, InstallReport } from '../../../src/project/install/plan.js';
import { planInstall } from '../../../src/project/install/planInstall.js';
import type { InstallSpec } from '../../../src/project/install/spec.js';
import { undoInstall } from '../../../src/project/install/undoInstall.js';
import { programsFor } from '../../../src/project/programsFor.js';
import type { Lab } from '../lab.js';

/** Files that an installation changes, by name; absent ones are empty. */
const CHANGED_FILES = ['config.xml', 'project.xml', 'plan_class_spec.xml'] as const;

export interface InstalledSample {
	readonly spec: InstallSpec;
	readonly plan: InstallPlan;
	readonly report: InstallReport;
	/** Contents before the installation. */
	readonly before: ReadonlyMap<string, string>;
	/** What the doctor complained about before the installation: other apps may be ill. */
	readonly complaints: readonly string[];
}

/** Short name of the scenario's app. */
export const appName = (lab: Lab): string => `${lab.tag}_app`;

export async function projectFiles(lab: Lab): Promise<Map<string, string>> {
	const texts = new Map<string, string>();
	for (const name of CHANGED_FILES) {
		texts.set(name, (await lab.exists(name)) ? await lab.get(name) : '');
	}
	return texts;
}

/** What the doctor says of the whole project. */
export async function complaintsOf(lab: Lab, level: 'warning' | 'error'): Promise<string[]> {
	const findings = await diagnose(lab.project, quietContext());
	return findings.filter((finding) => finding.level === level).map((finding) => finding.what);
}

/** Installs the scenario's app once, through our own installer; undone at the end. */
export function installedSample(lab: Lab): Promise<InstalledSample> {
	return lab.once('installed app', async () => {
		const { wrapperFolder, busyboxFile } = lab.target;
		if (wrapperFolder === undefined) {
			throw new Error('There is no docker_wrapper to install: give its folder with --wrapper.');
		}
		const ctx = quietContext();
		const programs = await programsFor({ docker: { folder: wrapperFolder } }, ctx, {
			platforms: ['x86_64-pc-linux-gnu', 'aarch64-unknown-linux-gnu'],
			server: lab.connection,
			...(busyboxFile !== undefined && { busybox: [{ file: busyboxFile }] }),
		});
		const spec: InstallSpec = {
			app: appName(lab),
			friendlyName: `Conformance ${lab.tag}`,
			wrappers: programs.wrappers,
			busybox: programs.busybox,
			runner: contentOfBytes(runnerScript),
		};
		const before = await projectFiles(lab);
		const complaints = await complaintsOf(lab, 'error');
		const plan = await planInstall(lab.project, spec, ctx);
		lab.defer('jobs and files of the scenario', () => removeTraces(lab));
		const report = await applyInstall(lab.project, plan, ctx);
		const { backupId } = report;
		if (backupId !== undefined) {
			lab.defer('installation', () => undoOnce(lab, backupId));
		}
		return { spec, plan, report, before, complaints };
	});
}

/** Ends what still runs and takes the installation back; resolves to what it could not take back. */
export function undoOnce(lab: Lab, backupId: string): Promise<readonly string[]> {
	return lab.once('undo', async () => {
		const open = await lab.select<{ id: number }>(
			'SELECT DISTINCT w.batch AS id FROM workunit w JOIN app a ON a.id = w.appid WHERE a.name = ? AND w.batch > 0 AND w.assimilate_state <> 2',
			appName(lab),
		);
		for (const { id } of open) {
			await cancelBatch(lab.project, id, quietContext());
		}
		const { remains } = await undoInstall(lab.project, backupId, quietContext());
		return remains;
	});
}

/** Removes rows, results and staged files of the scenario's jobs; all their names carry this run's tag or come from its image. */
async function removeTraces(lab: Lab): Promise<void> {
	const [app] = await lab.select<{ id: number }>('SELECT id FROM app WHERE name = ?', appName(lab));
	if (!app) {
		return;
	}
	const jobs = await lab.select<{ id: number; name: string; xml_doc: Buffer; error_mask: number; template: string }>(
		'SELECT id, name, xml_doc, error_mask, result_template_file AS template FROM workunit WHERE appid = ? ORDER BY id',
		app.id,
	);
	for (const [first, last] of rangesOf(jobs.filter((job) => (job.error_mask & 16) === 0).map((job) => job.id))) {
		await lab.tool('cancel_jobs', [String(first), String(last)]);
	}
	const names = jobs.flatMap((job) =>
		[...job.xml_doc.toString('utf8').matchAll(/<name>(b2d_[^<]+)<\/name>/g)].map((match) => match[1]!),
	);
	const staged = [...new Set(names)].map((name) => lab.downloadPath(name));
	await lab.sh('for f do rm -f "$f" "$f.md5"; done', ...staged);
	if (names.length > 0) {
		// Input templates name the packs, which are of this run alone.
		const patterns = [...new Set(names)].join('\n');
		await lab.sh('grep -lF "$1" templates/b2d_in_* 2>/dev/null | while read -r f; do rm -f "$f"; done', patterns);
	}
	await lab.sh('rm -rf "results/$1"; rm -f download/"$2"_*', appName(lab), lab.tag);
	await lab.write('DELETE FROM result WHERE appid = ?', app.id);
	await lab.write('DELETE FROM workunit WHERE appid = ?', app.id);
	await lab.write('DELETE FROM batch WHERE app_id = ?', app.id);
}
