import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { quietContext } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import { cancelBatch } from '../../../src/job/cancel.js';
import { submitBatch } from '../../../src/job/submit.js';
import type { BatchSpec } from '../../../src/job/types.js';
import { explain, type Explained } from '../../../src/monitor/explain/explain.js';
import { type Explanation, formatExplanations, type Subject } from '../../../src/monitor/explain/explanation.js';
import { explainFailure } from '../../../src/monitor/explain/failures.js';
import { daemonStatus } from '../../../src/project/daemons.js';
import { openProject } from '../../../src/project/openProject.js';
import { Project } from '../../../src/project/project.js';
import { stageFiles } from '../../../src/project/staging.js';
import { type Database, numberOf, openDatabase, type Parameter, textOf } from '../../../src/sandbox/database.js';
import { installTestApp } from '../../support/installTestApp.js';
import { eventually, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';
import { SAMPLE_PACKS, sampleBatch } from '../../unit/job/sampleBatch.js';
import { CODES, ENDS, WORDS } from '../../unit/monitor/failedEnds.js';
import { schedulerRequest } from '../../unit/sandboxWeb/requestText.js';

/**
 * Each explanation on a state that a real project got into: jobs by `create_work`, instances by the transitioner, hosts and
 * reports by the scheduler's protocol.
 */
const ctx = quietContext();
let sandbox: TestSandbox;
let connection: Connection;
let project: Project;
let database: Database;

beforeAll(async () => {
	sandbox = await startTestSandbox();
	connection = sandbox.connectLocally();
	database = await openDatabase(sandbox.database);
	// Hosts of the sandbox count as having an engine, whatever they say; here it matters.
	const config = path.join(sandbox.projectRoot, 'config.xml');
	await writeFile(
		config,
		(await readFile(config, 'utf8')).replace(/<sandbox_assume_docker>1?<\/sandbox_assume_docker>|<sandbox_assume_docker\/>/, ''),
	);
	await installTestApp(sandbox, connection, 'boinc2docker');
	project = await openProject(connection, sandbox.projectRoot, ctx);
	await stageFiles(project, SAMPLE_PACKS, ctx);
});
afterAll(async () => {
	project.dispose();
	await connection.close();
	await database.end();
	await sandbox.remove();
});

const kinds = (explanations: readonly Explanation[]): string[] => explanations.map(({ kind }) => kind);
const why = (subject: Subject): Promise<Explained> => explain(project, subject);
const count = async (sql: string, params: Parameter[]): Promise<number> =>
	numberOf((await database.select(`SELECT COUNT(*) AS n FROM ${sql}`, params))[0]!, 'n');

/** Adds a setting to config.xml; what it resolves to takes it out again. */
async function configured(setting: string): Promise<() => Promise<void>> {
	const file = path.join(sandbox.projectRoot, 'config.xml');
	const before = await readFile(file, 'utf8');
	await writeFile(file, before.replace('<config>', `<config>${setting}`));
	return () => writeFile(file, before);
}

/** A batch whose jobs have their instances. */
async function submitted(change: Partial<BatchSpec> = {}, jobs = 1): Promise<number> {
	const spec = sampleBatch({ jobs: Array.from({ length: jobs }, () => ({})), ...change });
	const { id } = await submitBatch(project, spec, ctx);
	await eventually('the instances', async () => (await count('result WHERE batch = ?', [id])) >= jobs);
	return id;
}

const DOCKER = '<docker_version>24.0</docker_version><docker_type>1</docker_type>';
let hosts = 0;

/** One request of a new host; resolves to the reply and the host's id. */
async function ask(change: (request: string) => string, options: Parameters<typeof schedulerRequest>[0] = {}) {
	const [user] = await database.select('SELECT authenticator FROM user LIMIT 1');
	const [, stored = ''] =
		/<scheduler>(.*?)<\/scheduler>/.exec(await readFile(path.join(sandbox.projectRoot, 'html/user/schedulers.txt'), 'utf8')) ??
		[];
	const request = schedulerRequest({
		authenticator: textOf(user!, 'authenticator'),
		host: DOCKER,
		...options,
		body: `<allow_multiple_clients>1</allow_multiple_clients>${options.body ?? ''}`,
	});
	const body = change(
		request
			.replace('cpid1', `cpid${String((hosts += 1))}`)
			.replace('<core_client_major_version>7', '<core_client_major_version>8'),
	);
	const reply = await (await fetch(stored, { method: 'POST', body })).text();
	return { reply, hostId: Number(/<hostid>(\d+)</.exec(reply)?.[1] ?? options.hostId ?? 0) };
}

const work = { workSeconds: 1e5, instances: 10 };

/** Takes what a new host is sent, and reports each instance in this way. */
async function runsOnHost(report: (name: string, index: number) => string, instances = 10): Promise<number> {
	const roomy = (text: string): string => text.replace('<d_project_share>2', '<d_project_share>4');
	const { reply, hostId } = await ask(roomy, { ...work, instances });
	const names = [...reply.matchAll(/<result>[^]*?<name>([^<]*)<\/name>/g)].map((match) => match[1]!);
	expect(names).not.toEqual([]);
	await ask((text) => text.replace(/cpid\d+/, `cpid${String(hosts - 1)}`), {
		hostId,
		seqno: 1,
		body: names.map(report).join(''),
	});
	return names.length;
}
const result = (name: string, state: number, exit: number, stderr: string): string =>
	`<result><name>${name}</name><state>${state}</state><exit_status>${exit}</exit_status><final_cpu_time>1</final_cpu_time><final_elapsed_time>2</final_elapsed_time><stderr_out>\n<![CDATA[\n<stderr_txt>\nstderr from container:\n${stderr}\nstderr end\n</stderr_txt>\n]]>\n</stderr_out></result>`;

/** Lets nothing of earlier tests be sent any more. */
beforeEach(async () => {
	await database.execute('DELETE FROM host');
	await database.execute('UPDATE workunit SET transition_time = 2147483647'); // no further tries
	await database.execute('UPDATE result SET server_state = 5, outcome = 5 WHERE server_state IN (2, 4)');
});

it('no host has joined; then hosts are lost at each condition, with their numbers', async () => {
	const batch = await submitted({}, 3);
	const classes = path.join(sandbox.projectRoot, 'plan_class_spec.xml');
	const spec = await readFile(classes, 'utf8');
	await writeFile(classes, spec.replace(/<name>docker<\/name>/, '$&<min_core_client_version>70000</min_core_client_version>'));
	expect(kinds((await why({ kind: 'batch', id: batch })).waiting)).toEqual(['no-host']);

	await ask((text) => text, { host: '' });
	await ask((text) => text, { body: '<dont_use_docker>1</dont_use_docker>' });
	await ask((text) => text.replace('<m_nbytes>8000000000', '<m_nbytes>500000000'));
	await ask((text) => text.replace('<d_free>50000000000', '<d_free>1000000'));
	await ask((text) => text.replace('<p_fpops>1000000000', '<p_fpops>1000'));
	await ask((text) => text.replace('Linux Debian', 'Microsoft Windows 11'));
	await ask((text) => text.replace('<core_client_major_version>8', '<core_client_major_version>6'));
	const { hostId: blocked } = await ask((text) => text);
	await database.execute('UPDATE host SET max_results_day = -1 WHERE id = ?', [blocked]);
	const lost = (await why({ kind: 'batch', id: batch })).waiting;
	expect(lost).toMatchObject([
		{
			kind: 'no-host-fits',
			level: 'error',
			numbers: { hosts: 8, fit: 0, engine: 2, memory: 1, disk: 1, deadline: 1, platform: 1, 'plan class': 1, blocked: 1 },
			remedy: expect.stringContaining('Docker'),
		},
	]);
	expect(lost[0]?.details?.join('\n')).toContain('a job needs 1.00 GB');

	const { hostId } = await ask((text) => text);
	expect(kinds((await why({ kind: 'batch', id: batch })).waiting)).toEqual(['hosts-lost', 'hosts-fit']);
	const restore = await configured('<daily_result_quota>3</daily_result_quota>');
	const [version] = await database.select(
		"SELECT id FROM app_version WHERE plan_class = 'docker' AND platformid = (SELECT id FROM platform WHERE name = 'x86_64-pc-linux-gnu')",
	);
	await database.execute(
		'INSERT INTO host_app_version (host_id, app_version_id, max_jobs_per_day, n_jobs_today) VALUES (?, ?, 3, 6)',
		[hostId, numberOf(version!, 'id')],
	);
	const used = (await why({ kind: 'batch', id: batch })).waiting;
	expect(used).toMatchObject([{ kind: 'no-host-fits', numbers: { quota: 1 } }]);
	await restore();
	await database.execute('DELETE FROM host_app_version');
	const free = await configured('<max_wus_in_progress>1</max_wus_in_progress>');
	await database.execute('UPDATE result SET server_state = 4, hostid = ? WHERE batch = ? LIMIT 2', [hostId, batch]);
	const busy = (await why({ kind: 'batch', id: batch })).waiting;
	expect(busy).toMatchObject([{ kind: 'no-host-fits', numbers: { busy: 1 } }, {}]);
	await free();
	await writeFile(classes, spec);
});

it('no app version, an undefined plan class, an app that is switched off, and a queue that is full', async () => {
	await ask((text) => text);
	const pinned = await submitted({ boinc: { appVersionNum: 9998 } }).catch((error: unknown) => {
		expect(BoincError.is(error)).toBe(true);
		return submitted();
	});
	await database.execute('UPDATE workunit SET app_version_num = 9998 WHERE batch = ?', [pinned]);
	const subject = { kind: 'batch', id: pinned } as const;
	expect((await why(subject)).waiting).toMatchObject([{ kind: 'no-app-version', numbers: { versionNum: 9998 } }]);
	await database.execute('UPDATE workunit SET app_version_num = 0 WHERE batch = ?', [pinned]);

	const file = path.join(sandbox.projectRoot, 'plan_class_spec.xml');
	const spec = await readFile(file, 'utf8');
	await writeFile(file, '<plan_classes></plan_classes>');
	expect((await why(subject)).waiting).toMatchObject([
		{ kind: 'plan-class-undefined', sentence: expect.stringContaining('docker') },
	]);
	await writeFile(file, spec);

	await database.execute('UPDATE app SET deprecated = 1');
	expect(kinds((await why(subject)).waiting)).toEqual(['app-deprecated']);
	await database.execute('UPDATE app SET deprecated = 0');

	const restore = await configured('<shmem_work_items>3</shmem_work_items>');
	const urgent = await submitted({ priority: 5 }, 4);
	expect((await why(subject)).waiting).toMatchObject([
		{ kind: 'queue-ahead', level: 'warning', numbers: { ahead: 4, foreignApps: 0, feederSlots: 3 } },
		{ kind: 'hosts-fit' },
	]);
	expect(kinds((await why({ kind: 'batch', id: urgent })).waiting)).toEqual(['hosts-fit']);
	await restore();
});

it('running on a host, overdue, waiting for the validator and the assimilator', async () => {
	const batch = await submitted({}, 2);
	const subject = { kind: 'batch', id: batch } as const;
	const { hostId } = await ask((text) => text, work);
	const running = (await why(subject)).waiting;
	expect(running).toMatchObject([{ kind: 'on-hosts', numbers: { instances: 2, hosts: 1, overdue: 0 } }]);
	await database.execute('UPDATE result SET report_deadline = 1000 WHERE batch = ? LIMIT 1', [batch]);
	expect((await why(subject)).waiting).toMatchObject([{ kind: 'overdue', numbers: { overdue: 1 } }]);
	expect(hostId).toBeGreaterThan(0);

	// A validator that does not run, then an assimilator: the state that they leave.
	await database.execute('UPDATE result SET server_state = 5, outcome = 1, validate_state = 0 WHERE batch = ?', [batch]);
	await database.execute('UPDATE workunit SET need_validate = 0, min_quorum = 2, transition_time = 2147483647 WHERE batch = ?', [
		batch,
	]);
	expect((await why(subject)).waiting).toMatchObject([{ kind: 'quorum', numbers: { jobs: 2, quorum: 2 } }]);
	await database.execute('UPDATE workunit SET min_quorum = 1 WHERE batch = ?', [batch]);
	expect((await why(subject)).waiting).toMatchObject([{ kind: 'validating', numbers: { jobs: 2 } }]);
	const all = project.config.daemons;
	const without = (role: string): Project =>
		new Project(connection, project.root, { ...project.config, daemons: all.filter(({ command }) => !command.includes(role)) });
	const noValidator = without('validator');
	expect(kinds((await explain(noValidator, subject)).waiting)).toEqual(['no-validator', 'validating']);
	noValidator.dispose();
	await database.execute('UPDATE workunit SET canonical_resultid = 1 WHERE batch = ? LIMIT 1', [batch]);
	expect(kinds((await why(subject)).waiting)).toEqual(['validating', 'collecting']);
	const noAssimilator = without('assimilator');
	expect(kinds((await explain(noAssimilator, subject)).waiting)).toContain('no-assimilator');
	noAssimilator.dispose();
});

it('failures by cause, with numbers and examples, and why BOINC gave up', async () => {
	const batch = await submitted(
		{ replication: { ...sampleBatch().replication, maxErrorResults: 1, maxTotalResults: 1, maxSuccessResults: 1 } },
		6,
	);
	const stopped = 'boinc2docker: The program was stopped: it used 1250 MB of memory, and the job may use 1000 MB.';
	const reports = [
		(name: string) => result(name, 3, 205, stopped),
		(name: string) => result(name, 3, 197, 'The program was stopped: it has run for 3600 s, which is the limit of the job.'),
		(name: string) => result(name, 3, 3, `Traceback\nValueError: row 1`),
		(name: string) => result(name, 3, 3, `Traceback\nValueError: row 22`),
		(name: string) => result(name, 3, 127, 'not found'),
		(name: string) =>
			`<result><name>${name}</name><state>7</state><exit_status>0</exit_status><stderr_out>\n<![CDATA[\n<message>\nupload failure: <file_xfer_error>\n<file_name>${name}_r1_0</file_name>\n<error_code>-131 (file size too big)</error_code>\n</file_xfer_error>\n</message>\n]]>\n</stderr_out></result>`,
	];
	expect(await runsOnHost((name, index) => reports[index]!(name))).toBe(6);
	await eventually(
		'the transitioner to give up',
		async () => (await count('workunit WHERE batch = ? AND error_mask <> 0', [batch])) === 6,
	);
	const { waiting, failure } = await why({ kind: 'batch', id: batch });
	expect(waiting).toMatchObject([{ kind: 'nothing-waits', numbers: { jobs: 6, failed: 6 } }]);
	const by = Object.fromEntries(failure.map((one) => [one.kind, one]));
	expect(by['program-failed']).toMatchObject({ numbers: { exitStatus: 3, instances: 2, jobs: 2, hosts: 1 } });
	expect(by['program-failed']?.examples).toHaveLength(2);
	expect(by['program-failed']?.examples?.[0]?.line).toContain('ValueError');
	expect(by['out-of-memory']).toMatchObject({ numbers: { usedMb: 1250, limitMb: 1000, instances: 1 } });
	expect(by['time-limit']).toMatchObject({ numbers: { seconds: 3600 } });
	expect(by['command-not-found']).toMatchObject({ numbers: { instances: 1 } });
	expect(by['output-too-big']).toMatchObject({ numbers: { instances: 1 } });
	expect(by['limit-of-instances']).toMatchObject({ numbers: { jobs: 6, maxTotal: 1 } });
	expect(failure.every(({ remedy, level }) => remedy !== undefined && level === 'error')).toBe(true);
	expect(formatExplanations(failure).join('\n')).toContain('on host');

	const [row] = await database.select('SELECT id, workunitid FROM result WHERE batch = ? AND exit_status = 127', [batch]);
	const job = await why({ kind: 'job', id: numberOf(row!, 'workunitid') });
	expect(kinds(job.failure)).toEqual(['command-not-found', 'limit-of-instances']);
	expect(kinds(job.waiting)).toEqual(['nothing-waits']);
	expect(kinds((await why({ kind: 'instance', id: numberOf(row!, 'id') })).failure)).toEqual(['command-not-found']);
	await expect(why({ kind: 'job', id: 999_999 })).rejects.toMatchObject({ code: 'result-missing' });
	await expect(why({ kind: 'batch', id: 999_999 })).rejects.toMatchObject({ code: 'batch-missing' });
});

it('transfers, limits of the client, volunteers and hosts that go', async () => {
	const batch = await submitted({}, 7);
	const transfer = (state: number, file: string, code: number) => (name: string) =>
		`<result><name>${name}</name><state>${state}</state><exit_status>0</exit_status><stderr_out>\n<![CDATA[\n<message>\n<file_xfer_error>\n<file_name>${file}</file_name>\n<error_code>${code} (x)</error_code>\n</file_xfer_error>\n</message>\n]]>\n</stderr_out></result>`;
	const reports = [
		transfer(1, 'b2d_pack_1.tar.gz', -224),
		transfer(7, 'b2d_1_r_0', -128),
		(name: string) => result(name, 6, 196, ''),
		(name: string) => result(name, 6, 203, ''),
		(name: string) => result(name, 6, 200, ''),
	];
	// The last two are never reported: one passes its deadline, one host begins anew.
	await runsOnHost((name, index) => reports[index]?.(name) ?? '');
	const [late] = await database.select('SELECT id, workunitid FROM result WHERE batch = ? AND server_state = 4 LIMIT 1', [batch]);
	await database.execute('UPDATE result SET report_deadline = 1000 WHERE id = ?', [numberOf(late!, 'id')]);
	await database.execute('UPDATE workunit SET transition_time = 1000 WHERE id = ?', [numberOf(late!, 'workunitid')]);
	await eventually(
		'the deadline to be noticed',
		async () => (await count('result WHERE batch = ? AND outcome = 4', [batch])) === 1,
	);
	await ask((text) =>
		text.replace(/cpid\d+/, `cpid${String(hosts - 2)}`).replace('<allow_multiple_clients>1</allow_multiple_clients>', ''),
	);
	expect(await count('result WHERE batch = ? AND outcome = 7', [batch])).toBe(1);
	const { failure } = await why({ kind: 'batch', id: batch });
	const by = Object.fromEntries(failure.map((one) => [one.kind, one]));
	expect(by['download-error']).toMatchObject({ numbers: { code: -224 }, examples: [{ line: 'b2d_pack_1.tar.gz' }] });
	expect(by['upload-error']).toMatchObject({ numbers: { code: -128 }, remedy: expect.stringContaining('upload handler') });
	expect(kinds(failure)).toEqual(
		expect.arrayContaining(['disk-limit', 'aborted-by-volunteer', 'not-started', 'no-reply', 'host-left']),
	);
	expect(by['host-left']?.level).toBe('info');
});

it('every end that a host can report, and those that the daemons write', async () => {
	const reports = [...CODES.map(([code]) => [code, ''] as const), ...WORDS.map(([words]) => [1, words] as const)];
	const expected = [...CODES, ...WORDS, ...ENDS].map(([, kind]) => kind);
	const batch = await submitted(
		{
			replication: { ...sampleBatch().replication, maxErrorResults: 1, maxTotalResults: 1, maxSuccessResults: 1 },
			resources: { ...sampleBatch().resources, diskBytes: 1e8 },
		},
		expected.length,
	);
	const numberIn = (name: string): number => Number(/_(\d+)_0$/.exec(name)?.[1]);
	// An instance of an earlier test that the transitioner was making may be sent among these.
	for (let left = expected.length; left > 0;) {
		await runsOnHost((name) => {
			const isOfBatch = name.startsWith(`b2d_${batch}_`);
			left -= isOfBatch ? 1 : 0;
			const [code, words] = (isOfBatch ? reports[numberIn(name)] : undefined) ?? [0, ''];
			return result(name, 3, code, words);
		}, left);
	}
	const rows = await database.select('SELECT id, name FROM result WHERE batch = ? AND server_state = 5 ORDER BY name', [batch]);
	expect(rows.map((row) => numberIn(textOf(row, 'name')))).toEqual(expected.map((_, index) => index));
	for (const [index, [{ outcome = 3, clientState = 3, validateState = 2 }]] of ENDS.entries()) {
		await database.execute('UPDATE result SET outcome = ?, client_state = ?, validate_state = ? WHERE id = ?', [
			...[outcome, clientState, validateState],
			numberOf(rows[reports.length + index]!, 'id'),
		]);
	}
	const db = await project.database();
	for (const [index, kind] of expected.entries()) {
		const row = rows[index]!;
		const found = await explainFailure(db, { kind: 'instance', id: numberOf(row, 'id') });
		expect(found, kind).toMatchObject([
			{
				kind,
				numbers: { instances: 1 },
				sentence: expect.stringMatching(/^1 instance .+\.$/),
				examples: [{ name: textOf(row, 'name') }],
			},
		]);
		expect(found[0]?.remedy === undefined, kind).toBe(kind === 'cancelled' || kind === 'too-late');
	}
});

it('nothing has failed, cancelled, and a further try after a failure', async () => {
	const batch = await submitted({ replication: { ...sampleBatch().replication, maxErrorResults: 1 } });
	expect(kinds((await why({ kind: 'batch', id: batch })).failure)).toEqual(['nothing-failed']);
	await runsOnHost((name) => result(name, 3, 1, 'oops'));
	await eventually('a second instance', async () => (await count('result WHERE batch = ?', [batch])) === 2);
	const again = await why({ kind: 'batch', id: batch });
	expect(kinds(again.waiting)).toEqual(expect.arrayContaining(['retrying', 'hosts-fit']));
	expect(again.failure).toMatchObject([{ kind: 'program-failed', level: 'warning' }]);
	const [job] = await database.select('SELECT id FROM workunit WHERE batch = ?', [batch]);
	const restore = await configured('<one_result_per_host_per_wu/>');
	expect((await why({ kind: 'job', id: numberOf(job!, 'id') })).waiting).toContainEqual(
		expect.objectContaining({ kind: 'no-host-fits', numbers: { hosts: 1, fit: 0, 'earlier try': 1 } }),
	);
	await restore();
	await runsOnHost((name) => result(name, 3, 1, 'oops'));
	await eventually('BOINC to give up', async () => (await count('workunit WHERE batch = ? AND error_mask = 2', [batch])) === 1);
	expect((await why({ kind: 'batch', id: batch })).failure).toMatchObject([
		{ kind: 'program-failed', level: 'error', numbers: { instances: 2 } },
		{ kind: 'limit-of-errors', numbers: { jobs: 1, maxErrors: 1 } },
	]);
	const other = await submitted();
	await cancelBatch(project, other, ctx);
	const cancelled = await why({ kind: 'batch', id: other });
	expect(kinds(cancelled.waiting)).toEqual(['nothing-waits']);
	expect(kinds(cancelled.failure)).toContain('cancelled');
	for (const [mask, kind] of [
		[1, 'not-sent'],
		[4, 'limit-of-successes'],
	] as const) {
		await database.execute('UPDATE workunit SET error_mask = ? WHERE batch = ?', [mask, other]);
		expect((await why({ kind: 'batch', id: other })).failure).toContainEqual(
			expect.objectContaining({ kind, level: 'error', remedy: expect.any(String) }),
		);
	}
});

it('a dead transitioner, a dead feeder, and a project that is stopped', async () => {
	await ask((text) => text);
	const states = await daemonStatus(project);
	for (const name of ['transitioner', 'feeder']) {
		process.kill(states.find(({ command }) => command.startsWith(name))!.pid!, 'SIGKILL');
	}
	const { id } = await submitBatch(project, sampleBatch(), ctx);
	expect(kinds((await why({ kind: 'batch', id })).waiting)).toContain('just-created');
	await database.execute('UPDATE workunit SET transitioner_flags = 2 WHERE batch = ?', [id]);
	expect(kinds((await why({ kind: 'batch', id })).waiting)).toContain('targeted');
	await database.execute('UPDATE workunit SET transitioner_flags = 0 WHERE batch = ?', [id]);
	await database.execute('UPDATE batch SET state = 0 WHERE id = ?', [id]);
	expect(kinds((await why({ kind: 'batch', id })).waiting)).toContain('being-submitted');
	const silent = new Project(connection, project.root, { ...project.config, dontSendJobs: true });
	expect(kinds((await explain(silent, { kind: 'batch', id })).waiting)).toContain('sending-off');
	silent.dispose();
	await database.execute('UPDATE workunit SET transition_time = transition_time - 300 WHERE batch = ?', [id]);
	const { waiting } = await eventually('the daemons to be seen dead', async () => {
		const found = await why({ kind: 'batch', id });
		return found.waiting.filter(({ kind }) => kind === 'daemon-down').length === 2 && found;
	});
	expect(waiting.slice(0, 3)).toMatchObject([
		{ kind: 'daemon-down', sentence: expect.stringMatching(/feeder|transitioner/) },
		{ kind: 'daemon-down', remedy: expect.stringContaining('bin/start') },
		{ kind: 'database-late', numbers: { jobs: 2 } },
	]);
	await sandbox.tool('stop');
	expect(kinds((await why({ kind: 'batch', id })).waiting)).toContain('project-stopped');
});
