import assert from 'node:assert/strict';

import { parsePublicKey, verifyMd5 } from '../../../src/sandbox/keys.js';
import type { Check } from '../checks.js';
import { FakeClient, parseReply, type Reply, report, upload, uploadedSize, type Volunteer } from '../fakeClient.js';
import { httpGet } from '../http.js';
import type { Lab } from '../lab.js';
import {
	createWork,
	md5,
	noFiles,
	oneFile,
	PROBE_CLASS,
	PROBE_PLATFORM,
	probeApp,
	stageInput,
	template,
	workunit,
} from '../probe.js';
import { probeVersion } from './appVersions.js';
import { schedulerUrl } from './layout.js';

const PASSWORD = 'conformance';

/** Makes the account of the fake client through the project's web page; it and its hosts are removed at the end. */
function volunteer(lab: Lab): Promise<Volunteer> {
	return lab.once('volunteer', async () => {
		const email = `${lab.tag}@example.org`;
		const passwordHash = md5(`${PASSWORD}${email}`);
		const query = `email_addr=${email}&passwd_hash=${passwordHash}&user_name=Conformance`;
		const { body } = await httpGet(lab.connection, `${lab.project.config.masterUrl}create_account.php?${query}`);
		const authenticator = parseReply(body.toString('utf8')).one('authenticator');
		if (authenticator === undefined) {
			throw new Error(`no account: ${body.toString('utf8')}`);
		}
		const [row] = await lab.select<{ id: number }>('SELECT id FROM user WHERE authenticator = ?', authenticator);
		assert.ok(row);
		lab.defer('account of the fake client', async () => {
			await lab.write('DELETE FROM host_app_version WHERE host_id IN (SELECT id FROM host WHERE userid = ?)', row.id);
			await lab.write('DELETE FROM host WHERE userid = ?', row.id);
			await lab.write('DELETE FROM user WHERE id = ? AND email_addr = ?', row.id, email);
		});
		return { id: row.id, authenticator, email, passwordHash };
	});
}

async function newClient(lab: Lab): Promise<FakeClient> {
	return new FakeClient(lab, await schedulerUrl(lab), await volunteer(lab));
}

/** The client that works; its host lives through several checks. */
const worker = (lab: Lab): Promise<FakeClient> =>
	lab.once('worker', async () => {
		const client = await newClient(lab);
		await client.ask();
		return client;
	});

/** Creates a job whose instance is ready to be sent. */
async function readyJob(lab: Lab, suffix: string, args: readonly string[] = []): Promise<string> {
	await probeVersion(lab);
	const name = `${lab.tag}_${suffix}`;
	const ran = await createWork(lab, ['--wu_name', name, '--priority', '1000', ...args]);
	assert.equal(ran.code, 0, ran.stderr);
	await lab.until(
		'unsent instance',
		async () => (await lab.select('SELECT 1 FROM result WHERE name = ? AND server_state = 2', `${name}_0`)).length > 0,
		20,
	);
	return name;
}

/** Asks until the scheduler sends the instance: the feeder loads it every few seconds. */
async function fetchTask(lab: Lab, client: FakeClient, job: string): Promise<Reply> {
	return lab.until(
		`${job}_0 sent to the fake client`,
		async () => {
			const reply = await client.ask({ seconds: 1 });
			return reply.text.includes(`<name>${job}_0</name>`) && reply;
		},
		45,
	);
}

interface ResultRow {
	readonly server_state: number;
	readonly outcome: number;
	readonly client_state: number;
	readonly validate_state: number;
	readonly exit_status: number;
	readonly hostid: number;
	readonly elapsed_time: number;
	readonly stderr_out: Buffer;
	readonly xml_doc_out: Buffer;
	readonly report_deadline: number;
	readonly sent_time: number;
	readonly app_version_id: number;
}

async function resultRow(lab: Lab, name: string): Promise<ResultRow> {
	const [row] = await lab.select<ResultRow>('SELECT * FROM result WHERE name = ?', name);
	assert.ok(row, `${name} is not in the database`);
	return row;
}

const OUTPUT = Buffer.concat([Buffer.from('result of the fake client\n\0\r\n'), Buffer.alloc(20_000, 7)]);

/** A job that the fake client has fetched; the reply that brought it. */
const firstTask = (lab: Lab): Promise<{ job: string; reply: Reply; output: string }> =>
	lab.once('first task', async () => {
		const input = `${lab.tag}_sched.txt`;
		await stageInput(lab, input, 'input of the task\n', 'written');
		const job = await readyJob(lab, 'task', [
			'--wu_template',
			await template(
				lab,
				'sched_in',
				oneFile('shared/in.txt').replace(
					'</workunit>',
					'<max_error_results>3</max_error_results>\n<max_total_results>5</max_total_results>\n</workunit>',
				),
			),
			input,
		]);
		const reply = await fetchTask(lab, await worker(lab), job);
		const output = new RegExp(`<name>(${job}_0_r\\d+_0)</name>`).exec(reply.text)?.[1];
		assert.ok(output, 'the reply names no output file');
		lab.defer('uploaded output', () => lab.run(['rm', '-f', lab.uploadPath(output)]));
		return { job, reply, output };
	});

export const schedulerChecks: readonly Check<Lab>[] = [
	{
		name: 'create_account.php gives an authenticator; lookup_account.php the same; −206 for a wrong password, −136 for nobody',
		run: async (lab) => {
			const { email, passwordHash, authenticator } = await volunteer(lab);
			const look = async (query: string): Promise<Reply> => {
				const { body } = await httpGet(lab.connection, `${lab.project.config.masterUrl}lookup_account.php?${query}`);
				return parseReply(body.toString('utf8'));
			};
			assert.match(authenticator, /^[0-9a-f]{32}$/);
			assert.equal((await look(`email_addr=${email}&passwd_hash=${passwordHash}`)).one('authenticator'), authenticator);
			assert.equal((await look(`email_addr=${email}&passwd_hash=${'0'.repeat(32)}`)).one('error_num'), '-206');
			assert.equal((await look(`email_addr=x${email}&passwd_hash=${passwordHash}`)).one('error_num'), '-136');
		},
	},
	{
		name: 'a wrong authenticator: “Invalid or missing account key”, no host',
		run: async (lab) => {
			const reply = await (await newClient(lab)).ask({ authenticator: 'f'.repeat(32) });
			assert.match(reply.messages().join('\n'), /Invalid or missing account key/);
			assert.equal(reply.one('hostid') ?? '0', '0');
		},
	},
	{
		name: 'an unknown platform: a message, no work',
		run: async (lab) => {
			const reply = await (await newClient(lab)).ask({ platform: 'pdp11-unix', seconds: 1 });
			assert.notEqual(reply.messages().join('\n'), '');
			assert.equal(reply.one('result'), undefined);
			return reply.messages()[0];
		},
	},
	{
		name: 'a first request: host id, delay ≥ 1 s, project name, the master URL as announced',
		run: async (lab) => {
			const client = await newClient(lab);
			const reply = await client.ask();
			assert.ok(Number(reply.one('hostid')) > 0, reply.text);
			assert.ok(reply.delay >= 1, `request_delay ${reply.delay}`);
			assert.equal(reply.one('master_url'), lab.project.config.masterUrl);
			assert.equal(reply.one('project_name'), lab.project.config.longName);
			assert.equal(reply.one('result'), undefined);
			const [row] = await lab.select<{ misc: string; userid: number }>(
				'SELECT misc, userid FROM host WHERE id = ?',
				client.hostId,
			);
			assert.equal(row?.userid, (await volunteer(lab)).id);
			assert.match(row.misc, /"docker"/);
			const again = await client.ask();
			assert.equal(again.one('hostid') ?? String(client.hostId), String(client.hostId));
		},
	},
	{
		name: 'the code signing key comes with a request for work that holds none, and not otherwise',
		run: async (lab) => {
			const client = await newClient(lab);
			const key = await lab.get(`${lab.project.config.keyDir}/code_sign_public`);
			assert.equal((await client.ask()).one('code_sign_key'), undefined, 'no work was asked for');
			const reply = await client.ask({ seconds: 1, dockerVersion: '' });
			assert.equal(reply.one('code_sign_key'), key.trim());
			assert.equal((await client.ask({ seconds: 1, dockerVersion: '', codeSignKey: key })).one('code_sign_key'), undefined);
		},
	},
	{
		name: 'a second request too early: no work, the rest of the delay',
		run: async (lab) => {
			await readyJob(lab, 'soon');
			const url = await schedulerUrl(lab);
			const client = await newClient(lab);
			await client.ask({ seconds: 1, dockerVersion: '' });
			// A client of its own with the same host id, which does not wait.
			const hasty = new FakeClient(lab, url, await volunteer(lab));
			const reply = await hasty.ask({ hostId: client.hostId, seconds: 1 });
			await lab.tool('cancel_jobs', ['--name', `${lab.tag}_soon`]);
			assert.equal(reply.one('result'), undefined);
		},
		timeoutMs: 90_000,
	},
	{
		name: 'without docker_version the docker class gets nothing, and the reason',
		run: async (lab) => {
			await readyJob(lab, 'nodocker');
			const reply = await (await newClient(lab)).ask({ seconds: 1, dockerVersion: '' });
			assert.equal(reply.one('result'), undefined);
			assert.match(reply.messages().join('\n'), /Docker not present|No tasks|no tasks/i);
			return reply.messages().join(' / ');
		},
		timeoutMs: 90_000,
	},
	{
		name: 'with dont_use_docker it gets nothing, although the version is there',
		run: async (lab) => {
			const reply = await (await newClient(lab)).ask({ seconds: 1, dontUseDocker: 'yes' });
			assert.equal(reply.one('result'), undefined);
			await lab.tool('cancel_jobs', ['--name', `${lab.tag}_nodocker`]);
			return reply.messages().join(' / ');
		},
	},
	{
		name: 'with docker it is sent the job: app, files, version, job, instance in that order',
		run: async (lab) => {
			const { job, reply } = await firstTask(lab);
			const at = (text: string): number => {
				const position = reply.text.indexOf(text);
				assert.notEqual(position, -1, `${text} is missing:\n${reply.text}`);
				return position;
			};
			const order = [
				at('<app>'),
				at(`<name>${lab.tag}_wrapper_1</name>`),
				at('<app_version>'),
				at(`<name>${lab.tag}_sched.txt</name>`),
				at('<workunit>'),
				at(`<name>${job}_0_r`),
				at('<result>'),
			];
			assert.deepEqual(
				order,
				[...order].sort((a, b) => a - b),
			);
			assert.equal((await resultRow(lab, `${job}_0`)).server_state, 4);
		},
		timeoutMs: 120_000,
	},
	{
		name: 'the reply carries limits, files, flags and names as the client reads them',
		run: async (lab) => {
			const { job, reply, output } = await firstTask(lab);
			const version = reply.one('app_version') ?? '';
			for (const part of [
				`<app_name>${lab.tag}</app_name>`,
				'<version_num>100</version_num>',
				`<plan_class>${PROBE_CLASS}</plan_class>`,
				'<is_wrapper/>',
				'<open_name>Dockerfile</open_name>',
			]) {
				assert.ok(version.includes(part), `app_version without ${part}:\n${version}`);
			}
			assert.ok(version.includes(`<platform>${PROBE_PLATFORM}</platform>`), version);
			const unit = reply.one('workunit') ?? '';
			assert.match(unit, new RegExp(`<name>${job}</name>`));
			assert.match(unit, /<rsc_memory_bound>[\d.e+]+<\/rsc_memory_bound>/);
			assert.match(unit, /<open_name>shared\/in\.txt<\/open_name>\s*<copy_file\/>/);
			const instance = reply.one('result') ?? '';
			assert.ok(instance.includes(`<wu_name>${job}</wu_name>`) && instance.includes(`<name>${job}_0</name>`), instance);
			assert.ok(
				instance.includes(`<file_name>${output}</file_name>`) && instance.includes('<open_name>shared/results.tgz</open_name>'),
				instance,
			);
			assert.ok(instance.includes(`<plan_class>${PROBE_CLASS}</plan_class>`), instance);
			const row = await resultRow(lab, `${job}_0`);
			assert.equal(Number(/<report_deadline>(\d+)/.exec(instance)?.[1]), row.report_deadline);
			assert.equal(row.hostid, (await worker(lab)).hostId);
		},
		timeoutMs: 120_000,
	},
	{
		name: 'the files download from the URLs of the reply; a range resumes; signatures and hashes hold',
		run: async (lab) => {
			const { reply } = await firstTask(lab);
			const key = parsePublicKey(await lab.get(`${lab.project.config.keyDir}/code_sign_public`));
			let signed = 0;
			for (const info of reply.all('file_info').filter((part) => !part.includes('max_nbytes'))) {
				const part = parseReply(info);
				const url = part.one('url') ?? part.one('download_url') ?? '';
				const { status, body } = await httpGet(lab.connection, url);
				assert.equal(status, 200, url);
				assert.equal(body.length, Number(part.one('nbytes')), url);
				const signature = part.one('file_signature');
				if (signature !== undefined) {
					signed++;
					assert.ok(key && verifyMd5(md5(body), signature, key), `signature of ${url}`);
				} else {
					assert.equal(part.one('md5_cksum'), md5(body));
				}
				const rest = await httpGet(lab.connection, url, { Range: 'bytes=3-' });
				assert.deepEqual([rest.status, rest.body.equals(body.subarray(3))], [206, true], `range of ${url}`);
			}
			assert.equal(signed, 2);
			const missing = await httpGet(lab.connection, `${lab.project.config.downloadUrl}/${lab.tag}_nothing`);
			assert.equal(missing.status, 404);
		},
		timeoutMs: 120_000,
	},
	{
		name: 'an upload in two parts, with the size asked in between, lands in the hierarchy byte for byte',
		run: async (lab) => {
			const { output } = await firstTask(lab);
			assert.deepEqual([(await uploadedSize(lab, output)).status, (await uploadedSize(lab, output)).size], [0, 0]);
			// The first 9,000 bytes of the whole: the body ends early, as when the link is cut.
			const cut = await upload(lab, output, OUTPUT.subarray(0, 9_000), { nbytes: OUTPUT.length });
			assert.equal(cut.status, 1, 'a body that ends early must be a passing error');
			const size = (await uploadedSize(lab, output)).size ?? -1;
			assert.ok(size >= 0 && size <= 9_000, `file_size ${size}`);
			const rest = await upload(lab, output, OUTPUT.subarray(size), { nbytes: OUTPUT.length, offset: size });
			assert.equal(rest.status, 0, rest.message);
			assert.equal((await lab.sh('md5sum < "$1"', lab.uploadPath(output))).slice(0, 32), md5(OUTPUT));
			return `${size} bytes were kept of the cut upload`;
		},
		timeoutMs: 120_000,
	},
	{
		name: 'an offset beyond what is there is a passing error; a bad name a lasting one',
		run: async (lab) => {
			const name = `${lab.tag}_upload_0_r1_0`;
			lab.defer('uploaded file', () => lab.run(['rm', '-f', lab.uploadPath(name)]));
			assert.equal((await upload(lab, name, Buffer.from('abc'), { offset: 5000, nbytes: 5003 })).status, 1);
			assert.equal((await upload(lab, '../escape', Buffer.from('abc'))).status, -1);
			assert.ok(!(await lab.exists(`${lab.project.config.uploadDir}/../escape`)));
		},
	},
	{
		name: 'a file larger than max_nbytes: refused for good when certificates are enforced, taken otherwise',
		run: async (lab) => {
			const name = `${lab.tag}_large_0_r1_0`;
			lab.defer('uploaded file', () => lab.run(['rm', '-f', lab.uploadPath(name)]));
			const enforced = !/<ignore_upload_certificates>\s*1/.test(await lab.get('config.xml'));
			const answer = await upload(lab, name, Buffer.alloc(5000, 65), { maxBytes: 10 });
			assert.equal(answer.status, enforced ? -1 : 0, answer.message);
			return enforced ? 'enforced' : 'certificates are ignored here, so the server takes it';
		},
	},
	{
		name: 'a report of success is acknowledged; outcome 1, stderr and outputs are in the database',
		run: async (lab) => {
			const { job, output } = await firstTask(lab);
			const client = await worker(lab);
			const done = { name: `${job}_0`, appVersionNum: 100, exitStatus: 0, state: 5, output: { name: output, bytes: OUTPUT } };
			const unknown = { name: `${lab.tag}_never_0`, appVersionNum: 100, exitStatus: 0, state: 5 };
			const reply = await client.ask({ reports: [report(done), report(unknown)] });
			assert.deepEqual(
				reply
					.all('result_ack')
					.map((ack) => parseReply(ack).one('name'))
					.sort(),
				[unknown.name, done.name].sort(),
			);
			const row = await resultRow(lab, done.name);
			assert.deepEqual([row.server_state, row.outcome, row.client_state, row.exit_status], [5, 1, 5, 0]);
			assert.equal(row.elapsed_time, 1);
			assert.ok(row.stderr_out.includes('said on stderr, with a "quote" and an \'apostrophe\''), row.stderr_out.toString());
			assert.match(row.stderr_out.toString(), /^\n<core_client_version>8\.2\.8<\/core_client_version>\s*<!\[CDATA\[/);
			assert.ok(row.xml_doc_out.includes(`<name>${output}</name>`) && row.xml_doc_out.includes(md5(OUTPUT)));
		},
		timeoutMs: 120_000,
	},
	{
		name: 'a report again is acknowledged again',
		run: async (lab) => {
			const { job, output } = await firstTask(lab);
			const done = { name: `${job}_0`, appVersionNum: 100, exitStatus: 0, state: 5, output: { name: output, bytes: OUTPUT } };
			const reply = await (await worker(lab)).ask({ reports: [report(done)] });
			assert.deepEqual(
				reply.all('result_ack').map((ack) => parseReply(ack).one('name')),
				[done.name],
			);
		},
		timeoutMs: 120_000,
	},
	{
		name: 'the transitioner asks for validation; nobody validates by itself',
		run: async (lab) => {
			const { job } = await firstTask(lab);
			const row = await lab.until(
				'need_validate',
				async () => {
					const found = await workunit(lab, job);
					return found?.need_validate === 1 && found;
				},
				20,
			);
			assert.equal(row.canonical_resultid, 0);
		},
	},
	{
		name: 'sample_trivial_validator --one_pass accepts it: canonical instance, ready for the assimilator',
		run: async (lab) => {
			const { job } = await firstTask(lab);
			const ran = await lab.run([lab.project.tool('sample_trivial_validator'), '--app', lab.tag, '--one_pass'], {
				cwd: lab.hostFolder('tmp'),
			});
			assert.equal(ran.code, 0, ran.stderr);
			const row = await workunit(lab, job);
			assert.equal(row?.assimilate_state, 1);
			assert.ok(row.canonical_resultid > 0);
			assert.equal((await resultRow(lab, `${job}_0`)).validate_state, 1);
		},
	},
	...assimilatorChecks(),
	{
		name: 'a failed task: outcome 3 with its exit status, and a second instance',
		run: async (lab) => {
			const job = await readyJob(lab, 'fails', ['--wu_template', await template(lab, 'in', noFiles())]);
			const client = await worker(lab);
			await fetchTask(lab, client, job);
			await client.ask({ reports: [report({ name: `${job}_0`, appVersionNum: 100, exitStatus: 7, state: 3 })] });
			const row = await resultRow(lab, `${job}_0`);
			assert.deepEqual([row.server_state, row.outcome, row.client_state, row.validate_state, row.exit_status], [5, 3, 3, 2, 7]);
			await lab.until(
				'second instance',
				async () => (await lab.select('SELECT 1 FROM result WHERE name = ?', `${job}_1`)).length > 0,
				20,
			);
			await lab.tool('cancel_jobs', ['--name', job]);
		},
		timeoutMs: 150_000,
	},
	{
		name: 'a cancelled task stays in progress until the host hears of it: result_abort, then exit status 202',
		run: async (lab) => {
			const job = await readyJob(lab, 'aborts', ['--wu_template', await template(lab, 'in', noFiles())]);
			const client = await worker(lab);
			await fetchTask(lab, client, job);
			await lab.tool('cancel_jobs', ['--name', job]);
			assert.equal((await resultRow(lab, `${job}_0`)).server_state, 4);
			if (lab.project.config.sendResultAbort) {
				const reply = await client.ask({ inProgress: [`${job}_0`] });
				const aborted = [...reply.all('result_abort'), ...reply.all('result_abort_if_not_started')];
				assert.deepEqual(
					aborted.map((block) => parseReply(block).one('name')),
					[`${job}_0`],
				);
			}
			await client.ask({ reports: [report({ name: `${job}_0`, appVersionNum: 100, exitStatus: 202, state: 6 })] });
			const row = await resultRow(lab, `${job}_0`);
			assert.deepEqual([row.server_state, row.outcome, row.exit_status], [5, 3, 202]);
			assert.equal(((await workunit(lab, job))?.error_mask ?? 0) & 16, 16);
		},
		timeoutMs: 150_000,
	},
	{
		name: 'a result name with “upload” in it is acknowledged but never recorded',
		run: async (lab) => {
			const job = await readyJob(lab, 'upload', ['--wu_template', await template(lab, 'in', noFiles())]);
			const client = await worker(lab);
			await fetchTask(lab, client, job);
			const reply = await client.ask({ reports: [report({ name: `${job}_0`, appVersionNum: 100, exitStatus: 0, state: 5 })] });
			assert.deepEqual(
				reply.all('result_ack').map((ack) => parseReply(ack).one('name')),
				[`${job}_0`],
			);
			assert.equal((await resultRow(lab, `${job}_0`)).server_state, 4);
			await lab.tool('cancel_jobs', ['--name', job]);
		},
		timeoutMs: 150_000,
	},
];

/** `script_assimilator` on the validated job and on a cancelled one; our script only writes down its arguments. */
function assimilatorChecks(): Check<Lab>[] {
	const script = (lab: Lab): Promise<string> =>
		lab.once('script', async () => {
			const name = `${lab.tag}_collect`;
			await lab.put(
				`bin/${name}`,
				`#!/bin/sh\n{ pwd; for a in "$#" "$@"; do echo "$a"; done; echo --; } >> "../templates/${name}.log"\nexit 0\n`,
				'755',
			);
			lab.defer('script', () => lab.sh('rm -f "bin/$1" "templates/$1.log"', name));
			return name;
		});
	/** The calls of the script: working directory, number of arguments, arguments. */
	const calls = async (lab: Lab, tokens: string): Promise<string[][]> => {
		const name = await script(lab);
		await lab.sh('rm -f "templates/$1.log"', name);
		const ran = await lab.run(
			[
				lab.project.tool('script_assimilator'),
				'--app',
				lab.tag,
				'--one_pass',
				'--dont_update_db',
				'-d',
				'3',
				'--script',
				`${name}${tokens}`,
			],
			{ cwd: lab.hostFolder('tmp') },
		);
		assert.equal(ran.code, 0, ran.stderr);
		const log = (await lab.exists(`templates/${name}.log`)) ? await lab.get(`templates/${name}.log`) : '';
		return log
			.split('--\n')
			.filter((part) => part !== '')
			.map((part) => part.trimEnd().split('\n'));
	};
	const checks: Check<Lab>[] = [
		{
			name: 'script_assimilator with the name alone: WU_ID and the path of the upload, in tmp_HOST',
			run: async (lab) => {
				const { job, output } = await firstTask(lab);
				const id = (await workunit(lab, job))?.id;
				const mine = (await calls(lab, '')).find((call) => call[2] === String(id));
				assert.deepEqual(mine, [lab.hostFolder('tmp'), '2', String(id), lab.uploadPath(output)]);
			},
		},
		{
			name: 'for a cancelled job: --error MASK NAME ID BATCH',
			run: async (lab) => {
				const app = await probeApp(lab);
				const name = `${lab.tag}_dead`;
				await createWork(lab, ['--wu_name', name]);
				await lab.tool('cancel_jobs', ['--name', name]);
				const row = await lab.until(
					'assimilate_state 1',
					async () => {
						const found = await workunit(lab, name);
						return found?.assimilate_state === 1 && found;
					},
					20,
				);
				const mine = (await calls(lab, '')).find((call) => call[4] === name);
				assert.deepEqual(mine?.slice(1), ['5', '--error', String(row.error_mask), name, String(row.id), String(app.batchId)]);
			},
		},
		{
			name: 'explicit tokens are not to be trusted: dropped by some releases, honoured by others',
			run: async (lab) => {
				const { job, output } = await firstTask(lab);
				const success = (await calls(lab, ' wu_name files')).filter((call) => call[2] !== '--error');
				const counts = success.map((call) => call[1]);
				if (counts.every((count) => count === '0')) {
					assert.ok(counts.length > 0, 'the script was not called');
					return 'dropped here';
				}
				assert.deepEqual(success[0]?.slice(1), ['2', job, lab.uploadPath(output)]);
				return 'honoured here';
			},
		},
	];
	return checks.map((check) => ({ timeoutMs: 120_000, ...check }));
}
