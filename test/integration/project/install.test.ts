import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { contentOfBytes, contentOfFile } from '../../../src/common/content.js';
import { BoincError } from '../../../src/common/errors.js';
import { type Clock, type OperationContext, quietContext, systemClock } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import { architecturesOf, installedApps } from '../../../src/project/apps.js';
import { generateBoincKeys, parsePublicKey, verifyMd5 } from '../../../src/project/boincKeys.js';
import { daemonStatus, projectSwitch, restartDaemons, startDaemons } from '../../../src/project/daemons.js';
import { diagnose } from '../../../src/project/doctor.js';
import { emptyDisk } from '../../../src/project/emptyDisk.js';
import { findProjects } from '../../../src/project/findProjects.js';
import { applyInstall } from '../../../src/project/install/applyInstall.js';
import { listInstallations } from '../../../src/project/install/installations.js';
import { describePlan, type InstallReport } from '../../../src/project/install/plan.js';
import { planInstall } from '../../../src/project/install/planInstall.js';
import type { InstallSpec } from '../../../src/project/install/spec.js';
import { undoEffects } from '../../../src/project/install/undoEffects.js';
import { undoInstall } from '../../../src/project/install/undoInstall.js';
import { missingTools, openProject } from '../../../src/project/openProject.js';
import type { Project } from '../../../src/project/project.js';
import { wrapperBinaries } from '../../../src/project/wrapperSource.js';
import { fakeIso } from '../../support/fakeIso.js';
import { eventually, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';

const FILES = ['config.xml', 'project.xml', 'plan_class_spec.xml'] as const;
const ctx = quietContext();

let sandbox: TestSandbox;
let connection: Connection;
let project: Project;
let spec: InstallSpec;

beforeAll(async () => {
	sandbox = await startTestSandbox();
	connection = sandbox.connectLocally();
});
afterAll(async () => {
	await connection.close();
	await sandbox.remove();
});

let number = 0;
beforeEach(async () => {
	project = await openProject(connection, sandbox.projectRoot, ctx);
	const busybox = await contentOfFile(sandbox.busyboxFile);
	spec = {
		// Apps are never deleted, so each test has its own.
		app: `app${String(number++)}`,
		friendlyName: 'Tests & <more>',
		wrappers: await wrapperBinaries({ folder: sandbox.wrapperFolder }, ctx),
		busybox: [{ architecture: 'amd64', content: busybox }],
		runner: contentOfBytes('#!/bin/sh\nexit 0\n'),
	};
});
afterEach(() => project.dispose());

const inProject = (...parts: string[]): string => path.join(sandbox.projectRoot, ...parts);

async function texts(): Promise<(string | undefined)[]> {
	return Promise.all(FILES.map((name) => readFile(inProject(name), 'utf8').catch(() => undefined)));
}

async function install(given: InstallSpec = spec): Promise<InstallReport> {
	return applyInstall(project, await planInstall(project, given, ctx), ctx);
}

async function rows(app: string): Promise<{ version_num: number; deprecated: number; plan_class: string }[]> {
	const database = await project.database();
	return database.select(
		'SELECT av.version_num, av.deprecated, av.plan_class FROM app_version av JOIN app a ON a.id = av.appid WHERE a.name = ? ORDER BY av.id',
		[app],
	);
}

/** A job that the daemons leave alone, in this state of being collected. */
async function addJob(appId: number, assimilateState: number): Promise<void> {
	await project.write(
		"INSERT IGNORE INTO workunit (name, appid, assimilate_state, transition_time, xml_doc) VALUES (?, ?, ?, 2147483647, '')",
		[`job_${String(appId)}_${String(assimilateState)}`, appId, assimilateState],
	);
}

/** Puts a program in place of one of the project's for the time of `body`. */
async function withTool(name: string, script: string, body: () => Promise<void>): Promise<void> {
	const tool = inProject('bin', name);
	await rename(tool, `${tool}.real`);
	try {
		await writeFile(tool, script);
		await chmod(tool, 0o755);
		await body();
	} finally {
		await rename(`${tool}.real`, tool);
	}
}

describe('a project', () => {
	test('is found below a folder and has its tools', async () => {
		const found = await findProjects(connection, sandbox.dir);
		expect(found).toContainEqual({ root: sandbox.projectRoot, longName: project.config.longName, masterUrl: sandbox.masterUrl });
		expect(await missingTools(project)).toEqual({ tools: [], commands: [] });
	});

	test('that is none is said to be none', async () => {
		await expect(openProject(connection, sandbox.dir, ctx)).rejects.toMatchObject({ code: 'project-not-found' });
		await expect(openProject(connection, 'relative', ctx)).rejects.toMatchObject({ code: 'project-not-found' });
	});
});

describe('installing an app', () => {
	test('plans without changing anything, applies, verifies, and a second run plans nothing', async () => {
		const before = await texts();
		const plan = await planInstall(project, spec, ctx);
		expect(await texts()).toEqual(before);
		expect(await readdir(inProject('apps'))).not.toContain(spec.app);
		const description = describePlan(plan);
		expect(description).toContain('bin/update_versions --noconfirm');
		expect(description).toContain(spec.wrappers[0]!.content.sha256);
		expect(description).not.toContain(project.config.database.password);

		const report = await applyInstall(project, plan, ctx);
		expect(report.versions).toMatchObject([{ platform: 'x86_64-pc-linux-gnu', versionNum: 100 }]);
		const app = (await installedApps(project)).find((each) => each.name === spec.app);
		expect(app).toMatchObject({ id: report.appId, friendlyName: 'Tests & <more>', deprecated: false });
		expect(app && architecturesOf(app)).toEqual(['amd64']);
		const own = report.daemons.filter((state) => state.command.includes(`--app ${spec.app} `));
		expect(own.map((state) => state.condition)).toEqual(['running', 'running']);
		expect((await stat(inProject('bin', `b2d_assimilate_${spec.app}`))).mode & 0o777).toBe(0o755);
		expect((await stat(inProject('results', spec.app))).isDirectory()).toBe(true);
		const database = await project.database();
		expect(await database.select('SELECT min_version FROM app WHERE name = ?', [spec.app])).toEqual([{ min_version: 100 }]);
		expect((await readdir(inProject('apps', spec.app))).filter((name) => name.startsWith('.'))).toEqual([]);

		const again = await planInstall(project, spec, ctx);
		expect(describePlan(again)).toContain('Nothing to do');
		expect(again.isEmpty).toBe(true);
		expect((await applyInstall(project, again, ctx)).backupId).toBeUndefined();
	});

	test('is undone: files byte for byte as before, rows withdrawn, daemons gone; and can be installed again', async () => {
		const before = await texts();
		const report = await install();
		await addJob(report.appId, 2);
		expect(await undoEffects(project, report.backupId!)).toEqual([]);
		await addJob(report.appId, 0);
		expect(await undoEffects(project, report.backupId!)).toEqual([
			`1 job of “${spec.app}” is not over.`,
			expect.stringContaining('are not sent any more'),
			expect.stringContaining('cancel their batches'),
		]);
		await expect(undoEffects(project, 'nothing')).rejects.toMatchObject({ code: 'install-failed' });
		const undone = await undoInstall(project, report.backupId!, ctx);
		expect(undone).toEqual({ app: spec.app, remains: [] });
		expect(await texts()).toEqual(before);
		expect(await rows(spec.app)).toEqual([{ version_num: 100, deprecated: 1, plan_class: 'docker' }]);
		expect((await installedApps(project)).find((each) => each.name === spec.app)?.deprecated).toBe(true);
		expect(await readdir(inProject('apps'))).not.toContain(spec.app);
		expect(await readdir(inProject('bin'))).not.toContain(`b2d_assimilate_${spec.app}`);
		expect((await daemonStatus(project)).filter((state) => state.command.includes(spec.app))).toEqual([]);
		await expect(undoInstall(project, report.backupId!, ctx)).rejects.toMatchObject({ code: 'install-failed' });

		const again = await install();
		expect(again.versions).toMatchObject([{ versionNum: 102 }]);
		expect((await installedApps(project)).find((each) => each.name === spec.app)?.deprecated).toBe(false);
		const listed = (await listInstallations(project)).filter(({ app }) => app === spec.app);
		expect(listed.map(({ id, state, versions }) => [id, state, versions])).toEqual([
			[again.backupId, 'applied', 1],
			[report.backupId, 'undone', 1],
		]);
		expect(listed[0]?.files).toContain('config.xml');
	});

	test('a new runner makes new versions and keeps the old ones for jobs that are pinned to them', async () => {
		await install();
		const report = await install({ ...spec, runner: contentOfBytes('#!/bin/sh\nexit 1\n') });
		expect(report.versions).toMatchObject([{ versionNum: 102 }]);
		expect(await rows(spec.app)).toMatchObject([
			{ version_num: 100, deprecated: 0 },
			{ version_num: 102, deprecated: 0 },
		]);
		const database = await project.database();
		expect(await database.select('SELECT min_version FROM app WHERE name = ?', [spec.app])).toEqual([{ min_version: 100 }]);
		await addJob(report.appId, 0);
		expect((await undoEffects(project, report.backupId!))[1]).toContain('versions that the app had before');
	});

	test('versions for VirtualBox join those for containers, are verified, and are undone without them', async () => {
		await install();
		const program = contentOfBytes(Buffer.concat([Buffer.from('#!/bin/sh\n'), Buffer.alloc(100, '#')]));
		const platforms = ['x86_64-pc-linux-gnu', 'windows_x86_64', 'x86_64-apple-darwin'] as const;
		const both: InstallSpec = {
			...spec,
			vm: {
				wrappers: platforms.map((platform) => ({ platform, fileName: `vboxwrapper_26212_${platform}`, content: program })),
				iso: contentOfBytes(fakeIso()),
				disk: emptyDisk(),
			},
		};
		const before = await texts();
		const plan = await planInstall(project, both, ctx);
		expect(describePlan(plan)).toContain('1.00/windows_x86_64__vbox64_mt');
		const report = await applyInstall(project, plan, ctx);
		expect(report.versions.map(({ platform, planClass, versionNum }) => [platform, planClass, versionNum]).sort()).toEqual(
			[...platforms].sort().map((platform) => [platform, 'vbox64_mt', 100]),
		);
		const app = (await installedApps(project)).find((each) => each.name === spec.app)!;
		expect(app.versions.map(({ runtime }) => runtime).sort()).toEqual(['docker', 'vm', 'vm', 'vm']);
		expect(architecturesOf(app)).toEqual(['amd64']);
		const xml = await readFile(inProject('apps', spec.app, '1.00/x86_64-pc-linux-gnu__vbox64_mt/version.xml'), 'utf8');
		expect([...xml.matchAll(/<logical_name>(.*?)<\/logical_name>\s*<copy_file\/>/g)].map((match) => match[1])).toEqual([
			'busybox',
			'runner',
			'vm_isocontext.iso',
			'vm_cache.vdi',
		]);
		expect((await texts())[2]).toContain('<vm_accel_required/>');
		expect((await planInstall(project, both, ctx)).isEmpty).toBe(true);
		// Those for containers are looked at alone: what they have for VirtualBox stays.
		expect((await planInstall(project, spec, ctx)).isEmpty).toBe(true);

		expect((await undoInstall(project, report.backupId!, ctx)).remains).toEqual([]);
		expect(await texts()).toEqual(before);
		expect((await rows(spec.app)).filter((row) => row.deprecated === 0)).toMatchObject([{ plan_class: 'docker' }]);
	});

	test('keeps a validator that the app has, and changes its own on request', async () => {
		await install();
		const bitwise = await planInstall(project, { ...spec, validator: 'bitwise' }, ctx);
		expect(bitwise.daemons).toBe('restart');
		const report = await applyInstall(project, bitwise, ctx);
		expect(report.daemons.find((state) => state.command === `sample_bitwise_validator --app ${spec.app} -d 3`)?.condition).toBe(
			'running',
		);
		expect((await planInstall(project, spec, ctx)).isEmpty).toBe(true);

		const config = await readFile(inProject('config.xml'), 'utf8');
		await writeFile(
			inProject('config.xml'),
			config.replace(`<pid_file>validator_${spec.app}.pid</pid_file>`, `<pid_file>mine_${spec.app}.pid</pid_file>`),
		);
		const foreign = await planInstall(project, { ...spec, validator: 'trivial' }, ctx);
		expect(foreign.config).toBeUndefined();
		expect(foreign.warnings.join()).toContain('keeps its validator');
		await writeFile(inProject('config.xml'), config);
	});

	test('is signed on this computer with a key that is not on the server, and clients can check it', async () => {
		const key = inProject('keys/code_sign_private');
		const signingKey = await readFile(key, 'utf8');
		const publicKey = parsePublicKey(await readFile(inProject('keys/code_sign_public'), 'utf8'))!;
		const stranger = (await generateBoincKeys()).privateKey;
		await rename(key, `${key}.away`);
		try {
			await expect(planInstall(project, { ...spec, signingKey: stranger }, ctx)).rejects.toThrow(/does not belong to/);
			await expect(planInstall(project, { ...spec, signingKey: 'no key' }, ctx)).rejects.toThrow(/no private key of BOINC/);
			const plan = await planInstall(project, { ...spec, signingKey }, ctx);
			expect(JSON.stringify(plan)).not.toContain(signingKey.split('\n')[12]);
			await applyInstall(project, plan, ctx);
			expect((await planInstall(project, spec, ctx)).isEmpty).toBe(true);
		} finally {
			await rename(`${key}.away`, key);
		}
		const database = await project.database();
		const [row] = await database.select<{ xml_doc: Buffer | string }>(
			'SELECT av.xml_doc FROM app_version av JOIN app a ON a.id = av.appid WHERE a.name = ?',
			[spec.app],
		);
		const infos = [...row!.xml_doc.toString().matchAll(/<name>(.*?)<\/name>.*?<file_signature>\s*(.*?)<\/file_signature>/gs)];
		expect(infos.length).toBeGreaterThan(2);
		for (const [, name, signature] of infos) {
			const { md5 } = await contentOfFile(inProject('download', name!));
			expect(verifyMd5(md5, signature!.replace(/^ +/gm, ''), publicKey), name).toBe(true);
		}
	});

	test('two apps are undone in the order they came, without harm to each other', async () => {
		const first = await install();
		const second = { ...spec, app: `${spec.app}b` };
		await install(second);
		expect((await undoInstall(project, first.backupId!, ctx)).remains).toEqual([]);
		expect((await planInstall(project, second, ctx)).isEmpty).toBe(true);
		const [config, projectXml] = await texts();
		expect(config).not.toContain(`--app ${spec.app} `);
		expect(projectXml).not.toContain(`<name>${spec.app}</name>`);
	});
});

describe('an installation that cannot be', () => {
	test('stops before foreign entries in apps/, at which update_versions would stop', async () => {
		await writeFile(inProject('apps/README'), 'x');
		await expect(planInstall(project, spec, ctx)).rejects.toMatchObject({
			code: 'conflicting-change',
			detail: { entries: 'README' },
		});
		await rm(inProject('apps/README'));
	});

	test('names missing tools', async () => {
		const tool = inProject('bin/script_assimilator');
		await rename(tool, `${tool}.away`);
		await expect(planInstall(project, spec, ctx)).rejects.toMatchObject({
			code: 'tool-missing',
			detail: { missing: 'bin/script_assimilator' },
		});
		await rename(`${tool}.away`, tool);
	});

	test('names a signing key that is not there', async () => {
		const key = inProject('keys/code_sign_private');
		await rename(key, `${key}.away`);
		await expect(planInstall(project, spec, ctx)).rejects.toMatchObject({ code: 'install-failed', detail: { key: 'absent' } });
		await rename(`${key}.away`, key);
	});

	test('leaves a broken project.xml alone', async () => {
		const before = await readFile(inProject('project.xml'), 'utf8');
		await writeFile(inProject('project.xml'), '<boinc><app>');
		await expect(planInstall(project, spec, ctx)).rejects.toMatchObject({ code: 'config-invalid' });
		await writeFile(inProject('project.xml'), before);
	});

	test.each([
		[
			'update_versions says an error and exits with 0',
			'update_versions',
			'#!/bin/sh\necho "Error: files a and b differ."\n',
			/files a and b differ/,
		],
		['xadd says added but adds nothing', 'xadd', '#!/bin/sh\necho "added app: x"\n', /did not get into the database/],
		[
			'the validator ends at once',
			'sample_trivial_validator',
			'#!/bin/sh\necho "unknown option" >&2\nexit 1\n',
			/does not stay alive/,
		],
	])('takes everything back when %s', async (_what, tool, script, message) => {
		const before = await texts();
		await withTool(tool, script, async () => {
			const plan = await planInstall(project, spec, ctx);
			const error: unknown = await applyInstall(project, plan, ctx).catch((cause: unknown) => cause);
			expect(error).toBeInstanceOf(BoincError);
			expect((error as Error).message).toMatch(message);
			expect((error as Error).message).toContain('Everything was taken back');
		});
		expect(await texts()).toEqual(before);
		expect((await rows(spec.app)).filter((row) => row.deprecated === 0)).toEqual([]);
		expect(await readdir(inProject('apps'))).not.toContain(spec.app);
		expect(await readdir(inProject('bin'))).not.toContain(`b2d_assimilate_${spec.app}`);
		expect(await readdir(inProject('.boinc2docker'))).not.toContain('lock');
	});

	test('takes everything back when the key signs nothing', async () => {
		const before = await texts();
		const key = inProject('keys/code_sign_private');
		await rename(key, `${key}.away`);
		await writeFile(key, 'no key');
		try {
			const plan = await planInstall(project, spec, ctx);
			await expect(applyInstall(project, plan, ctx)).rejects.toMatchObject({ code: 'install-failed' });
		} finally {
			await rename(`${key}.away`, key);
		}
		expect(await texts()).toEqual(before);
		expect((await rows(spec.app)).filter((row) => row.deprecated === 0)).toEqual([]);
	});

	test('takes everything back when it is cancelled', async () => {
		const before = await texts();
		const controller = new AbortController();
		const cancelling: OperationContext = {
			...quietContext(controller.signal),
			progress: {
				report: (update) => {
					if (update.message.startsWith('Signing')) {
						controller.abort();
					}
				},
			},
		};
		const plan = await planInstall(project, spec, ctx);
		await expect(applyInstall(project, plan, cancelling)).rejects.toMatchObject({ name: 'AbortError' });
		expect(await texts()).toEqual(before);
		expect((await rows(spec.app)).filter((row) => row.deprecated === 0)).toEqual([]);
	});

	test('refuses a plan when somebody changed the file since', async () => {
		const plan = await planInstall(project, spec, ctx);
		const before = await readFile(inProject('project.xml'), 'utf8');
		const theirs = before.replace('</boinc>', '<!-- somebody was here --></boinc>');
		await writeFile(inProject('project.xml'), theirs);
		await expect(applyInstall(project, plan, ctx)).rejects.toMatchObject({ code: 'conflicting-change' });
		expect(await readFile(inProject('project.xml'), 'utf8')).toBe(theirs);
		await writeFile(inProject('project.xml'), before);
	});

	test('waits for nobody: a second one at the same time is refused, a lock that was left behind is not', async () => {
		const plan = await planInstall(project, spec, ctx);
		await mkdir(inProject('.boinc2docker/lock'), { recursive: true });
		await writeFile(inProject('.boinc2docker/lock/owner'), 'installing the app x, from elsewhere\n');
		await expect(applyInstall(project, plan, ctx)).rejects.toThrow(/installing the app x, from elsewhere/);
		await utimes(inProject('.boinc2docker/lock'), 1000, 1000);
		expect((await applyInstall(project, plan, ctx)).versions).toHaveLength(1);
	});
});

describe('the files of the project', () => {
	test('keep comments, line ends, mode and owner', async () => {
		const original = await readFile(inProject('config.xml'), 'utf8');
		const odd = original.replace('<boinc>', '<boinc>\n<!-- kept -->').replaceAll('\n', '\r\n');
		await writeFile(inProject('config.xml'), odd);
		await chmod(inProject('config.xml'), 0o640);
		const report = await install();
		const changed = await readFile(inProject('config.xml'), 'utf8');
		expect(changed.replaceAll('\r\n', '')).not.toContain('\n');
		expect(changed).toContain('<!-- kept -->');
		expect((await stat(inProject('config.xml'))).mode & 0o777).toBe(0o640);
		await undoInstall(project, report.backupId!, ctx);
		expect(await readFile(inProject('config.xml'), 'utf8')).toBe(odd);
		expect((await stat(inProject('config.xml'))).mode & 0o777).toBe(0o640);
		await writeFile(inProject('config.xml'), original);
		await chmod(inProject('config.xml'), 0o644);
	});

	test('are backed up where only the project’s account can read them, for config.xml holds a password', async () => {
		const report = await install();
		const folder = inProject('.boinc2docker/backups');
		expect((await stat(folder)).mode & 0o777).toBe(0o700);
		expect((await stat(path.join(folder, report.backupId!))).mode & 0o777).toBe(0o700);
	});
});

describe('daemons', () => {
	test('are restarted: other processes afterwards, all alive', async () => {
		const before = (await daemonStatus(project)).map((state) => state.pid);
		const states = await restartDaemons(project, ctx);
		expect(states.every((state) => state.condition === 'running')).toBe(true);
		for (const pid of states.map((state) => state.pid)) {
			expect(before).not.toContain(pid);
		}
	});

	test('wait while cron runs bin/start, for only one run can be at a time', async () => {
		const { host } = await projectSwitch(project);
		const lock = inProject(`pid_${host}/start.lock.${host}`);
		await writeFile(lock, `${process.pid}\n`);
		let waited = false;
		const clock: Clock = {
			...systemClock,
			sleep: async (ms, signal) => {
				waited = true;
				await rm(lock, { force: true });
				await systemClock.sleep(ms, signal);
			},
		};
		const states = await startDaemons(project, { ...ctx, clock });
		expect(waited).toBe(true);
		expect(states.every((state) => state.condition === 'running')).toBe(true);
	});
});

/** A clock on which the patience of a minute takes a moment. */
function hasty(): Clock {
	let ahead = 0;
	return {
		...systemClock,
		now: () => systemClock.now() + ahead,
		sleep: async (ms, signal) => {
			ahead += ms;
			await systemClock.sleep(1, signal);
		},
	};
}

describe('a project that does not serve', () => {
	test('is started by an installation, which says so before, and stays stopped when that is undone', async () => {
		await sandbox.tool('stop');
		try {
			const plan = await planInstall(project, spec, ctx);
			expect(plan.warnings.join()).toContain('The project is stopped at present; installing starts its daemons.');
			const report = await applyInstall(project, plan, ctx);
			expect(report.daemons.map(({ condition }) => condition)).not.toContain('dead');
			expect((await projectSwitch(project)).stopped).toBe(false);

			await sandbox.tool('stop');
			const started = Date.now();
			expect((await undoInstall(project, report.backupId!, ctx)).remains).toEqual([]);
			expect(Date.now() - started).toBeLessThan(20_000);
			expect((await projectSwitch(project)).stopped).toBe(true);
		} finally {
			await sandbox.tool('start');
		}
	});

	test('has a feeder that hangs: the installation stands and says that the scheduler may not know, the undoing that it may send', async () => {
		await install();
		const feeder = (await daemonStatus(project)).find(({ command }) => command.startsWith('feeder'))!.pid!;
		process.kill(feeder, 'SIGSTOP');
		try {
			const impatient = { ...ctx, clock: hasty() };
			const plan = await planInstall(project, { ...spec, runner: contentOfBytes('#!/bin/sh\nexit 1\n') }, ctx);
			const report = await applyInstall(project, plan, impatient);
			expect(report.notes).toEqual([expect.stringMatching(/feeder has not read .* may not know the app yet.*feeder\.log/)]);
			expect(report.versions).toHaveLength(1);
			const { remains } = await undoInstall(project, report.backupId!, impatient);
			expect(remains).toEqual([expect.stringMatching(/feeder has not read .* may still send jobs/)]);
		} finally {
			process.kill(feeder, 'SIGCONT');
		}
	});
});

describe('the doctor', () => {
	test('finds nothing wrong with a healthy project that has the app', async () => {
		await install();
		const findings = await diagnose(project, ctx);
		expect(findings.filter((finding) => finding.level === 'error')).toEqual([]);
	});

	test('names what is wrong, each with a remedy', async () => {
		await install();
		await writeFile(inProject('apps/stray'), 'x');
		await copyFile(inProject('plan_class_spec.xml'), inProject('plan_class_spec.away'));
		await writeFile(inProject('plan_class_spec.xml'), '<plan_classes></plan_classes>');
		await rename(inProject('bin/cancel_jobs'), inProject('bin/cancel_jobs.away'));
		await sandbox.tool('stop');
		try {
			await eventually('the daemons end', async () =>
				(await daemonStatus(project)).every((state) => state.condition !== 'running'),
			);
			const findings = await diagnose(project, ctx);
			const errors = findings.filter((finding) => finding.level === 'error');
			const all = errors.map((finding) => finding.what).join('\n');
			expect(all).toContain('apps/stray');
			expect(all).toContain('plan class docker');
			expect(all).toContain('bin/cancel_jobs');
			expect(all).toContain('feeder');
			expect(all).toContain('stopped');
			expect(errors.every((finding) => finding.remedy !== undefined && finding.remedy !== '')).toBe(true);
		} finally {
			await rm(inProject('apps/stray'));
			await rename(inProject('plan_class_spec.away'), inProject('plan_class_spec.xml'));
			await rename(inProject('bin/cancel_jobs.away'), inProject('bin/cancel_jobs'));
			await sandbox.tool('start');
		}
	});
});
