import assert from 'node:assert/strict';

import type { Check } from '../checks.js';
import { parseReply, report } from '../fakeClient.js';
import type { Lab } from '../lab.js';
import { md5, noFiles, template, workunit } from '../probe.js';
import { fetchTask, firstTask, OUTPUT, readyJob, resultRow, worker } from './sentTask.js';

export const reportChecks: readonly Check<Lab>[] = [
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
