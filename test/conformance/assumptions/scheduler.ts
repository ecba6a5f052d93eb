import assert from 'node:assert/strict';

import { parsePublicKey, verifyMd5 } from '../../../src/project/boincKeys.js';
import type { Check } from '../checks.js';
import { FakeClient, parseReply, type Reply } from '../fakeClient.js';
import { httpGet } from '../http.js';
import type { Lab } from '../lab.js';
import { md5, PROBE_CLASS, PROBE_PLATFORM } from '../probe.js';
import { schedulerUrl } from './layout.js';
import { firstTask, newClient, readyJob, resultRow, volunteer, worker } from './sentTask.js';

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
		name: 'a first request: host id, delay ≥ 1 s, project name, the master URL as announced, no factor on our estimates',
		run: async (lab) => {
			const client = await newClient(lab);
			const reply = await client.ask();
			assert.ok(Number(reply.one('hostid')) > 0, reply.text);
			assert.ok(reply.delay >= 1, `request_delay ${reply.delay}`);
			assert.equal(reply.one('master_url'), lab.project.config.masterUrl);
			assert.equal(reply.one('project_name'), lab.project.config.longName);
			assert.ok(reply.text.includes('<dont_use_dcf/>'), reply.text);
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
			const url = await schedulerUrl(lab);
			const client = await newClient(lab);
			// A client of its own with the same host id, which does not wait; made before, for the delay is short on a fast project.
			const hasty = new FakeClient(lab, url, await volunteer(lab));
			for (let number = 0; ; number++) {
				await readyJob(lab, `soon${number}`);
				const start = Date.now();
				const first = await client.ask({ seconds: 1, dockerVersion: '' });
				const reply = await hasty.ask({ hostId: client.hostId, seconds: 1 });
				const passed = Date.now() - start;
				await lab.tool('cancel_jobs', ['--name', `${lab.tag}_soon${number}`]);
				if (reply.one('result') === undefined) {
					return;
				}
				// On a busy computer the second request may come after the delay.
				assert.ok(passed > 1000 * first.delay && number < 5, `work after ${passed} ms`);
			}
		},
		timeoutMs: 90_000,
	},
	{
		name: 'without docker_version the docker class gets nothing, and the reason',
		run: async (lab) => {
			await readyJob(lab, 'nodocker');
			const client = await newClient(lab);
			// Until the feeder has the job, the scheduler says that there are none.
			await lab.until(
				'the reason',
				async () => {
					const reply = await client.ask({ seconds: 1, dockerVersion: '' });
					assert.equal(reply.one('result'), undefined);
					return reply.messages().includes('Docker not present');
				},
				45,
			);
		},
		timeoutMs: 90_000,
	},
	{
		name: 'with dont_use_docker it gets nothing, although the version is there, and the reason',
		run: async (lab) => {
			const reply = await (await newClient(lab)).ask({ seconds: 1, dontUseDocker: 'yes' });
			assert.equal(reply.one('result'), undefined);
			assert.ok(reply.messages().includes('Client config does not allow using Docker'), reply.messages().join(' / '));
			await lab.tool('cancel_jobs', ['--name', `${lab.tag}_nodocker`]);
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
];
