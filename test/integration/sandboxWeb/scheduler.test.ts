import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { editPlanClassSpec } from '../../../src/project/configEdit.js';
import { numberOf, textOf } from '../../../src/sandbox/database.js';
import { nvidia, schedulerRequest } from '../../unit/sandboxWeb/requestText.js';
import { TestProject } from './testProject.js';

/** The scheduler answers a client that the test plays, so that each rule is met exactly. */
describe('the scheduler', () => {
	let project: TestProject;
	let appId: number;
	let hostId = 0;
	let seqno = 0;

	beforeAll(async () => {
		project = await TestProject.create(
			'<min_sendwork_interval>0</min_sendwork_interval><resend_lost_results>1</resend_lost_results><one_result_per_user_per_wu>1</one_result_per_user_per_wu><daily_result_quota>1000</daily_result_quota>',
		);
		appId = await project.addApp('plain', [{ name: 'plain_1', content: 'x' }]);
	});
	afterAll(() => project.remove());

	beforeEach(async () => {
		await project.write(
			'plan_class_spec.xml',
			'<plan_classes><plan_class><name>docker</name><docker/></plan_class></plan_classes>',
		);
		await project.database.execute('DELETE FROM result');
		await project.database.execute('DELETE FROM workunit');
		await project.database.execute('DELETE FROM host_app_version');
		await project.database.execute('DELETE FROM host');
		hostId = 0;
		seqno = 0;
	});

	type Request = Omit<Parameters<typeof schedulerRequest>[0] & object, never>;

	const post = async (request: Request): Promise<string> => {
		const body = schedulerRequest({ authenticator: project.authenticator, ...request });
		const response = await fetch(project.masterUrl.replace('/test/', '/test_cgi/cgi'), { method: 'POST', body });
		return response.text();
	};
	/** A request of the host that the tests use. */
	const ask = async (request: Request = {}): Promise<string> => {
		const reply = await post({ hostId, seqno: ++seqno, ...request });
		hostId = Number(/<hostid>(\d+)</.exec(reply)?.[1] ?? hostId);
		return reply;
	};
	const sent = (reply: string): string[] => [...reply.matchAll(/<wu_name>([^<]*)<\/wu_name>/g)].map((match) => match[1]!);
	const messages = (reply: string): string[] => [...reply.matchAll(/<message [^>]*>([^<]*)</g)].map((match) => match[1]!);
	const report = (name: string, state: number, exitStatus: number, extra = ''): string =>
		`<result><name>${name}</name><state>${state}</state><exit_status>${exitStatus}</exit_status><final_cpu_time>1</final_cpu_time><final_elapsed_time>2</final_elapsed_time>${extra}</result>`;
	const others = (...names: string[]): string =>
		`<other_results>${names.map((name) => `<other_result><name>${name}</name></other_result>`).join('')}</other_results>`;
	const work = { workSeconds: 1e5, instances: 1 };

	it('refuses an unknown account for an hour', async () => {
		const reply = await post({ authenticator: 'nobody' });
		expect(messages(reply)[0]).toContain('Invalid or missing account key');
		expect(reply).toContain('<request_delay>3600');
	});

	it('gives a new host an id once, and a copy of it another one', async () => {
		expect(await ask()).toMatch(/<hostid>\d+</);
		const first = hostId;
		expect(await ask()).not.toContain('<hostid>');
		const copy = await post({ hostId: first, seqno: 0, body: '<allow_multiple_clients>1</allow_multiple_clients>' });
		expect(Number(/<hostid>(\d+)</.exec(copy)?.[1])).toBeGreaterThan(first);
		const [row] = await project.database.select('SELECT * FROM host WHERE id = ?', [first]);
		expect(row).toMatchObject({ p_ncpus: 2, os_name: 'Linux Debian', host_cpid: 'cpid1' });
	});

	it('recognises a host that attached again; what it had is over', async () => {
		await project.addJob(appId, 'left');
		expect(sent(await ask(work))).toEqual(['left']);
		const again = await post({ hostId: 0, seqno: 0 });
		expect(Number(/<hostid>(\d+)</.exec(again)?.[1])).toBe(hostId);
		expect(await project.result('left')).toMatchObject({ server_state: 5, outcome: 7 });
	});

	it('gives its key to a client that asks for work without one, and none with', async () => {
		expect(await ask()).not.toContain('<code_sign_key>');
		const key = /<code_sign_key>\n([\s\S]*?)\n<\/code_sign_key>/.exec(await ask(work))?.[1];
		expect(key).toMatch(/^1024\n[\da-f\n]+\n\.$/);
		expect(await ask({ ...work, codeSignKey: key! })).not.toContain('<code_sign_key>');
		expect(messages(await ask({ ...work, codeSignKey: '1024\nab\n.' }))[0]).toContain('changed its security key');
	});

	it('sends the highest priority first and as much time as asked for', async () => {
		for (const [name, priority] of [
			['low', 0],
			['high', 9],
			['middle', 5],
		] as const) {
			await project.addJob(appId, name, { priority, fpops: 100e9 });
		}
		expect(sent(await ask({ workSeconds: 150 }))).toEqual(['high', 'middle']);
		const row = await project.result('high');
		expect(row).toMatchObject({ server_state: 4, hostid: hostId });
		expect(numberOf(row, 'report_deadline') - numberOf(row, 'sent_time')).toBe(86_400);
		const [job] = await project.database.select("SELECT transition_time FROM workunit WHERE name = 'high'");
		expect(numberOf(job!, 'transition_time')).toBe(numberOf(row, 'report_deadline'));
	});

	it('sends the version for VirtualBox to hosts that have nothing else, and the one for containers to hosts with both', async () => {
		await project.write('plan_class_spec.xml', editPlanClassSpec(undefined, [], ['docker', 'vm']).text);
		const both = await project.addApp('both', [{ name: 'both_docker', content: 'x' }], { planClass: 'docker' });
		await project.addApp('both', [{ name: 'both_vm', content: 'y' }], { planClass: 'vbox64_mt' });
		const docker = '<docker_version>24.0</docker_version><docker_type>1</docker_type>';
		const virtualbox = '<virtualbox_version>7.0.20</virtualbox_version><p_features>fpu vmx</p_features>';
		const classSent = async (name: string, host: string): Promise<string | undefined> => {
			await project.addJob(both, name);
			return /<plan_class>(.*?)<\/plan_class>/.exec(await ask({ ...work, host }))?.[1];
		};
		expect(await classSent('only_vm', virtualbox)).toBe('vbox64_mt');
		expect(await classSent('only_docker', docker)).toBe('docker');
		expect(await classSent('has_both', docker + virtualbox)).toBe('docker');
		await project.addJob(both, 'neither');
		expect(messages(await ask(work))).toEqual(expect.arrayContaining(['VirtualBox is not installed']));
	});

	it('sends jobs with a GPU to hosts that have it and want work for it', async () => {
		const gpu = { type: 'nvidia', cuda: 12_000 } as const;
		await project.write('plan_class_spec.xml', editPlanClassSpec(undefined, [], ['docker'], { cpus: 1, gpu }).text);
		const app = await project.addApp('gpu', [{ name: 'gpu_docker', content: 'x' }], { planClass: 'docker_nvidia_cuda12000' });
		const docker = '<docker_version>24.0</docker_version><docker_type>1</docker_type>';
		await project.addJob(app, 'on_gpu', { fpops: 3600 * 11e9 });
		await project.addJob(app, 'on_gpu_too', { fpops: 3600 * 11e9 });
		expect(sent(await ask({ ...work, host: docker }))).toEqual([]);
		expect(sent(await ask({ ...work, host: docker, body: nvidia({ cudaVersion: 11_080 }, 1e4) }))).toEqual([]);
		expect(sent(await ask({ host: docker, body: nvidia({}, 0) }))).toEqual([]);
		// Work for the processor only.
		expect(sent(await ask({ ...work, host: docker, body: nvidia() }))).toEqual([]);
		const reply = await ask({ host: docker, body: nvidia({}, 3000) });
		// BOINC takes a GPU for ten cores of its host. An hour of work fills what was asked for.
		expect(sent(reply)).toEqual(['on_gpu']);
		expect(reply).toMatch(
			/<plan_class>docker_nvidia_cuda12000<\/plan_class>\s*<avg_ncpus>1\.000000<\/avg_ncpus>\s*<flops>11000000000\./,
		);
		expect(reply).toMatch(/<coproc>\s*<type>NVIDIA<\/type>\s*<count>1\.000000<\/count>\s*<\/coproc>/);
		const [row] = await project.database.select('SELECT p_ngpus, p_gpu_fpops, misc FROM host WHERE id = ?', [hostId]);
		expect(row).toMatchObject({ p_ngpus: 1, p_gpu_fpops: 1e13 });
		const misc = JSON.parse(textOf(row!, 'misc')) as { gpus: unknown };
		expect(misc.gpus).toMatchObject([{ type: 'nvidia', model: 'GeForce RTX 3070', count: 1, ram_mb: 7915 }]);
	});

	it('sends nothing when nothing is asked for', async () => {
		await project.addJob(appId, 'waiting');
		expect(sent(await ask())).toEqual([]);
		expect(messages(await ask())).toEqual([]);
	});

	it('does not send one instance to two hosts that ask at the same time', async () => {
		for (let index = 0; index < 5; index++) {
			await project.addJob(appId, `once${index}`);
		}
		const body = '<allow_multiple_clients>1</allow_multiple_clients>';
		const replies = await Promise.all([1, 2, 3, 4].map(() => post({ ...work, instances: 5, body })));
		const names = replies.flatMap(sent);
		expect(names).toHaveLength(5);
		expect(new Set(names).size).toBe(5);
	});

	it('stores success and failure, wakes the transitioner and acknowledges every name', async () => {
		await project.addJob(appId, 'good');
		await project.addJob(appId, 'bad');
		await ask({ ...work, instances: 2 });
		const stderr = '<stderr_out>\n<![CDATA[\ntext & <b>\n]]>\n</stderr_out>';
		const file = '<file_info><name>good_0_r1_0</name><nbytes>5</nbytes></file_info>';
		const body = report('good_0', 5, 0, stderr + file) + report('bad_0', 3, 9) + report('unknown_0', 5, 0);
		const reply = await ask({ body });
		expect([...reply.matchAll(/<result_ack>\n<name>(\w+)</g)].map((match) => match[1])).toEqual(['good_0', 'bad_0', 'unknown_0']);
		const good = await project.result('good');
		expect(good).toMatchObject({ server_state: 5, outcome: 1, validate_state: 0, client_state: 5 });
		expect(textOf(good, 'stderr_out')).toBe('\n<![CDATA[\ntext & <b>\n]]>\n');
		expect(textOf(good, 'xml_doc_out')).toContain('<nbytes>5</nbytes>');
		expect(await project.result('bad')).toMatchObject({ server_state: 5, outcome: 3, validate_state: 2, exit_status: 9 });
		const jobs = await project.database.select('SELECT transition_time FROM workunit');
		expect(jobs.every((job) => numberOf(job, 'transition_time') <= Date.now() / 1000)).toBe(true);
		const again = await ask({ body: report('good_0', 3, 1) });
		expect(again).toContain('<name>good_0</name>');
		expect(await project.result('good')).toMatchObject({ outcome: 1 });
	});

	it('acknowledges but does not record an instance whose name contains “upload”', async () => {
		await project.addJob(appId, 'upload_it');
		await ask(work);
		expect(await ask({ body: report('upload_it_0', 5, 0) })).toContain('<name>upload_it_0</name>');
		expect(await project.result('upload_it')).toMatchObject({ server_state: 4 });
	});

	it('aborts cancelled tasks of the host, and those nobody needs unless they have begun', async () => {
		for (const name of ['cancelled', 'done', 'failed', 'normal']) {
			await project.addJob(appId, name);
		}
		await ask({ ...work, instances: 4 });
		await project.database.execute("UPDATE workunit SET error_mask = 16 WHERE name = 'cancelled'");
		await project.database.execute("UPDATE workunit SET canonical_resultid = 77, assimilate_state = 2 WHERE name = 'done'");
		await project.database.execute("UPDATE workunit SET error_mask = 2, assimilate_state = 1 WHERE name = 'failed'");
		const reply = await ask({ body: others('cancelled_0', 'done_0', 'failed_0', 'normal_0', 'stranger_0') });
		expect([...reply.matchAll(/<result_abort>\n<name>(\w+)</g)].map((match) => match[1])).toEqual(['cancelled_0', 'stranger_0']);
		expect([...reply.matchAll(/<result_abort_if_not_started>\n<name>(\w+)</g)].map((match) => match[1])).toEqual(['done_0']);
	});

	it('sends lost tasks again and lets useless ones expire', async () => {
		await project.addJob(appId, 'lost');
		await project.addJob(appId, 'gone');
		await ask({ ...work, instances: 2 });
		await project.database.execute("UPDATE workunit SET error_mask = 16 WHERE name = 'gone'");
		const reply = await ask({ body: others() });
		expect(sent(reply)).toEqual(['lost']);
		expect(messages(reply)).toEqual(
			expect.arrayContaining(['Resent lost task lost_0', "Didn't resend lost task gone_0 (expired)"]),
		);
		expect(numberOf(await project.result('gone'), 'report_deadline')).toBeLessThan(Date.now() / 1000);
	});

	it('says why a job does not fit the host', async () => {
		await project.addJob(appId, 'fat', { memory: 1e12 });
		await project.addJob(appId, 'wide', { disk: 1e12 });
		await project.addJob(appId, 'slow', { fpops: 1e18 });
		const texts = messages(await ask(work));
		expect(texts[0]).toBe('No tasks sent');
		expect(texts).toEqual(
			expect.arrayContaining([
				expect.stringMatching(/^The app plain needs [\d.]+ MB RAM but only/),
				expect.stringMatching(/^The app plain needs [\d.]+MB more disk space/),
				expect.stringMatching(/^Tasks won't finish in time/),
			]),
		);
	});

	it('sends a docker version only to hosts with an engine', async () => {
		const boxId = await project.addApp('box', [{ name: 'box_1', content: 'x' }], { planClass: 'docker' });
		await project.addJob(boxId, 'contained');
		expect(messages(await ask(work))).toEqual(['No tasks sent', 'Docker not present']);
		const reply = await ask({ ...work, host: '<docker_version>24</docker_version><docker_type>1</docker_type>' });
		expect(sent(reply)).toEqual(['contained']);
		expect(reply).toContain('<plan_class>docker</plan_class>');
		const [row] = await project.database.select('SELECT misc FROM host WHERE id = ?', [hostId]);
		expect(JSON.parse(textOf(row!, 'misc'))).toMatchObject({ docker: { version: '24', type: 1 } });
	});

	it('uses the newest version, or exactly the one a job is bound to', async () => {
		const id = await project.addApp('versions', [{ name: 'v100', content: 'x' }]);
		await project.addApp('versions', [{ name: 'v101', content: 'x' }], { versionNum: 101 });
		await project.addJob(id, 'any');
		expect(await ask(work)).toContain('<version_num>101</version_num>');
		await project.addJob(id, 'bound', { appVersionNum: 100 });
		const refused = await ask(work);
		expect(sent(refused)).toEqual([]);
		expect(messages(refused)).toContain('The app versions is not available for your type of computer.');
		await project.database.execute('UPDATE app SET min_version = 100 WHERE id = ?', [id]);
		const reply = await ask(work);
		expect([sent(reply), reply.includes('<version_num>100</version_num>')]).toEqual([['bound'], true]);
	});

	it('keeps two instances of a job away from one user', async () => {
		await project.addJob(appId, 'twice');
		await project.database.execute(
			"UPDATE result SET server_state = 5, outcome = 3, userid = (SELECT id FROM user LIMIT 1) WHERE name = 'twice_0'",
		);
		const [row] = await project.database.select("SELECT * FROM result WHERE name = 'twice_0'");
		const columns = Object.entries({ ...row!, name: 'twice_1', server_state: 2, userid: 0 }).filter(([name]) => name !== 'id');
		await project.database.execute(
			`INSERT INTO result (${columns.map(([name]) => name).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
			columns.map(([, value]) => value),
		);
		expect(sent(await ask({ ...work, instances: 2 }))).toEqual([]);
	});

	it('stops at the daily quota, which errors shrink', async () => {
		await project.addJob(appId, 'q1');
		await ask(work);
		await project.database.execute('UPDATE host_app_version SET max_jobs_per_day = 2');
		await ask({ body: report('q1_0', 3, 1) });
		const [row] = await project.database.select('SELECT n_jobs_today, max_jobs_per_day FROM host_app_version');
		expect(row).toEqual({ n_jobs_today: 1, max_jobs_per_day: 1 });
		await project.database.execute('UPDATE host_app_version SET n_jobs_today = 2');
		await project.addJob(appId, 'q2');
		expect(messages(await ask(work))).toContain('Daily job limit (2) has been reached');
	});

	it('sends nothing to a client that comes back too soon, and says when to come', async () => {
		const config = await readFile(path.join(project.root, 'config.xml'), 'utf8');
		await project.write('config.xml', config.replace('<min_sendwork_interval>0<', '<min_sendwork_interval>60<'));
		try {
			await project.addJob(appId, 'soon');
			await ask();
			const reply = await ask(work);
			expect([sent(reply), messages(reply)]).toEqual([[], [expect.stringMatching(/^Not sending work. Last request too recent/)]]);
			expect(reply).toContain('<request_delay>61.000000<');
		} finally {
			await project.write('config.xml', config);
		}
	});

	it('makes accounts and finds them again', async () => {
		const call = async (page: string, query: Record<string, string>): Promise<string> =>
			(await fetch(`${project.masterUrl}${page}?${new URLSearchParams(query).toString()}`)).text();
		const hash = createHash('md5').update('secretnew@example.org').digest('hex');
		const made = await call('create_account.php', { email_addr: 'New@example.org', passwd_hash: hash, user_name: 'New' });
		const authenticator = /<authenticator>([\da-f]{32})</.exec(made)?.[1];
		expect(authenticator).toBeDefined();
		expect(await call('lookup_account.php', { email_addr: 'new@example.org', passwd_hash: hash })).toContain(authenticator);
		expect(await call('lookup_account.php', { email_addr: 'new@example.org', passwd_hash: 'x' })).toContain('-206');
		expect(await call('lookup_account.php', { email_addr: "o'x@example.org", passwd_hash: 'x' })).toContain('-136');
		expect(await call('create_account.php', { email_addr: 'nonsense', passwd_hash: hash, user_name: 'New' })).toContain('-205');
		expect(await (await fetch(`${project.masterUrl}get_project_config.php`)).text()).toContain(
			'<platform_name>x86_64-pc-linux-gnu<',
		);
		expect(await (await fetch(project.masterUrl)).text()).toContain('Ready to send');
	});
});
