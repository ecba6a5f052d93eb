import assert from 'node:assert/strict';

import { quietContext } from '../../../src/common/ports.js';
import { cancelJobs } from '../../../src/job/cancel.js';
import { setPriority } from '../../../src/job/priority.js';
import { retryFailed } from '../../../src/job/retry.js';
import { ERROR_BIT } from '../../../src/project/errorMask.js';
import { reopenJobs } from '../../../src/project/jobRows.js';
import type { Check } from '../checks.js';
import { parseReply, type Reply, report } from '../fakeClient.js';
import type { Lab } from '../lab.js';
import { noFiles, onePass, template, whenJob } from '../probe.js';
import { fetchBoth, fetchTask, readyJob, resultRow, worker } from './sentTask.js';

/** A template whose jobs need `quorum` that agree and have no further instance, so that they fail with the first failed one. */
const failsAtOnce = (lab: Lab, quorum: number): Promise<string> =>
	template(
		lab,
		`once${quorum}`,
		noFiles(`<min_quorum>${quorum}</min_quorum>\n<target_nresults>${quorum}</target_nresults>\n`)
			.replace('<max_error_results>3', '<max_error_results>1')
			.replace('<max_total_results>5', `<max_total_results>${quorum}`),
	);

/** `error_mask` of a job that has no instances left. */
const TOO_MANY = 8;

const ended = (job: string, instance: number, exitStatus: number): string =>
	report({ name: `${job}_${instance}`, appVersionNum: 100, exitStatus, state: exitStatus === 0 ? 5 : 3 });

/** An instance is sent and succeeds; then the job is judged and its result collected. Resolves to what the scheduler said. */
async function succeeds(lab: Lab, job: string, instance: number): Promise<Reply> {
	const client = await worker(lab);
	const reply = await fetchTask(lab, client, job, instance);
	await client.ask({ reports: [ended(job, instance, 0)] });
	await whenJob(lab, job, 'asks for validation', (row) => row.need_validate === 1);
	await onePass(lab, 'sample_trivial_validator');
	await onePass(lab, 'sample_dummy_assimilator');
	const row = await whenJob(lab, job, 'assimilated', ({ assimilate_state: state }) => state === 2);
	assert.deepEqual([row.error_mask, row.canonical_resultid > 0], [0, true]);
	return reply;
}

/** What our retry and our cancelling of failed jobs write into the tables, as BOINC's own programs take it. */
export const retryChecks: readonly Check<Lab>[] = [
	{
		name: 'a failed and collected job that is tried again: new instance, raised bounds, sent, validated, assimilated',
		timeoutMs: 240_000,
		run: async (lab) => {
			const job = await readyJob(lab, 'retried', ['--wu_template', await failsAtOnce(lab, 1)]);
			const client = await worker(lab);
			await fetchTask(lab, client, job);
			await client.ask({ reports: [ended(job, 0, 7)] });
			const { id } = await whenJob(lab, job, 'failed', ({ error_mask: mask }) => mask === TOO_MANY);
			await onePass(lab, 'sample_dummy_assimilator');
			await whenJob(lab, job, 'assimilated', ({ assimilate_state: state }) => state === 2);

			const bounds = { tries: 1, diskBytes: 7e9, delayBoundSeconds: 1_000_000 };
			assert.deepEqual(await retryFailed(lab.project, { jobIds: [id] }, bounds, quietContext()), { retried: 1, left: 0 });
			assert.equal(await setPriority(lab.project, { jobIds: [id] }, 1500, quietContext()), 1);
			const reply = await succeeds(lab, job, 1);
			assert.equal(Number(/<rsc_disk_bound>([^<]*)</.exec(reply.one('workunit') ?? '')?.[1]), 7e9);
			const instance = await resultRow(lab, `${job}_1`);
			assert.equal(instance.report_deadline - instance.sent_time, 1_000_000);
			assert.equal(instance.priority, 1500);
		},
	},
	{
		name: 'what is left of a failed job goes on until the job is cancelled as we do it; the job keeps its failure',
		timeoutMs: 240_000,
		run: async (lab) => {
			const job = await readyJob(lab, 'leftover', ['--wu_template', await failsAtOnce(lab, 2)]);
			const client = await worker(lab);
			await fetchBoth(lab, client, job);
			await client.ask({ reports: [ended(job, 0, 7)], inProgress: [`${job}_1`] });
			const { id } = await whenJob(lab, job, 'failed', ({ error_mask: mask }) => mask === TOO_MANY);
			const aborted = async (): Promise<(string | undefined)[]> =>
				(await client.ask({ inProgress: [`${job}_1`] })).all('result_abort').map((block) => parseReply(block).one('name'));
			assert.deepEqual(await aborted(), []);

			const done = await cancelJobs(lab.project, { jobIds: [id] }, quietContext());
			assert.deepEqual(done, { cancelled: 0, calledBack: 1, running: 1 });
			if (lab.project.config.sendResultAbort) {
				assert.deepEqual(await aborted(), [`${job}_1`]);
			}
			await lab.write('UPDATE workunit SET transition_time = 1000 WHERE id = ?', id);
			const left = await whenJob(lab, job, 'looked at again', ({ transition_time: time }) => time > 1000);
			assert.equal(left.error_mask, TOO_MANY | ERROR_BIT.cancelled | ERROR_BIT.noCanonicalResult);
			await client.ask({ reports: [ended(job, 1, 202)] });
		},
	},
	{
		name: 'a retry that dies between its two statements leaves the job failed; the next one has it done',
		timeoutMs: 240_000,
		run: async (lab) => {
			const job = await readyJob(lab, 'halfway', ['--wu_template', await failsAtOnce(lab, 2)]);
			const client = await worker(lab);
			await fetchBoth(lab, client, job);
			await client.ask({ reports: [ended(job, 0, 0)] });
			await client.ask({ reports: [ended(job, 1, 7)] });
			const { id } = await whenJob(lab, job, 'failed', ({ error_mask: mask }) => mask === TOO_MANY);
			// The success of a failed job is not judged.
			assert.equal((await resultRow(lab, `${job}_0`)).validate_state, 3);

			let statements = 0;
			const dying = {
				write: (sql: string, params: Parameters<Lab['project']['write']>[1]) =>
					statements++ === 0 ? lab.project.write(sql, params) : Promise.reject(new Error('the connection was cut')),
			};
			await assert.rejects(reopenJobs(dying, [id], 1, {}), /was cut/);
			await lab.write('UPDATE workunit SET transition_time = 1000 WHERE id = ?', id);
			const left = await whenJob(lab, job, 'looked at again', ({ transition_time: time }) => time > 1000);
			assert.deepEqual([left.error_mask, left.canonical_resultid, left.need_validate], [TOO_MANY, 0, 0]);

			assert.deepEqual(await retryFailed(lab.project, { jobIds: [id] }, {}, quietContext()), { retried: 1, left: 0 });
			await succeeds(lab, job, 2);
			for (const valid of [`${job}_0`, `${job}_2`]) {
				assert.equal((await resultRow(lab, valid)).validate_state, 1, valid);
			}
		},
	},
];
