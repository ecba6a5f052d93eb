import assert from 'node:assert/strict';

import { FakeClient, parseReply, type Reply, type Volunteer } from '../fakeClient.js';
import { httpGet } from '../http.js';
import type { Lab } from '../lab.js';
import { createWork, md5, oneFile, stageInput, template } from '../probe.js';
import { probeVersion } from './appVersions.js';
import { schedulerUrl } from './layout.js';

const PASSWORD = 'conformance';

/** Makes the account of the fake client through the project's web page; it and its hosts are removed at the end. */
export function volunteer(lab: Lab): Promise<Volunteer> {
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

export async function newClient(lab: Lab): Promise<FakeClient> {
	return new FakeClient(lab, await schedulerUrl(lab), await volunteer(lab));
}

/** The client that works; its host lives through several checks. */
export const worker = (lab: Lab): Promise<FakeClient> =>
	lab.once('worker', async () => {
		const client = await newClient(lab);
		await client.ask();
		return client;
	});

/** Creates a job whose instance is ready to be sent. */
export async function readyJob(lab: Lab, suffix: string, args: readonly string[] = []): Promise<string> {
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
export async function fetchTask(lab: Lab, client: FakeClient, job: string, instance = 0): Promise<Reply> {
	const name = `${job}_${instance}`;
	return lab.until(
		`${name} sent to the fake client`,
		async () => {
			const reply = await client.ask({ seconds: 1 });
			return reply.text.includes(`<name>${name}</name>`) && reply;
		},
		45,
	);
}

/** Asks until the scheduler has sent both instances of a job; which it sends first is left to chance. */
export function fetchBoth(lab: Lab, client: FakeClient, job: string): Promise<true> {
	const missing = new Set([`<name>${job}_0</name>`, `<name>${job}_1</name>`]);
	return lab.until(
		`${job}_0 and ${job}_1 sent to the fake client`,
		async () => {
			const { text } = await client.ask({ seconds: 1 });
			[...missing].filter((name) => text.includes(name)).forEach((name) => missing.delete(name));
			return missing.size === 0;
		},
		60,
	);
}

interface ResultRow {
	readonly priority: number;
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

export async function resultRow(lab: Lab, name: string): Promise<ResultRow> {
	const [row] = await lab.select<ResultRow>('SELECT * FROM result WHERE name = ?', name);
	assert.ok(row, `${name} is not in the database`);
	return row;
}

export const OUTPUT = Buffer.concat([Buffer.from('result of the fake client\n\0\r\n'), Buffer.alloc(20_000, 7)]);

/** A job that the fake client has fetched; the reply that brought it. */
export const firstTask = (lab: Lab): Promise<{ job: string; reply: Reply; output: string }> =>
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
