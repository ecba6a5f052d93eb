import assert from 'node:assert/strict';

import type { Check } from '../checks.js';
import { report } from '../fakeClient.js';
import type { Lab } from '../lab.js';
import { createWork, noFiles, onePass, probeApp, template, whenJob, workunit } from '../probe.js';
import { fetchTask, firstTask, readyJob, resultRow, worker } from './sentTask.js';

export const assimilatorChecks: readonly Check<Lab>[] = [
	{
		name: 'the transitioner asks for validation; nobody validates by itself',
		run: async (lab) => {
			const { job } = await firstTask(lab);
			const row = await whenJob(lab, job, 'asks for validation', ({ need_validate: need }) => need === 1);
			assert.equal(row.canonical_resultid, 0);
		},
	},
	{
		name: 'sample_trivial_validator --one_pass accepts it: canonical instance, ready for the assimilator',
		run: async (lab) => {
			const { job } = await firstTask(lab);
			await onePass(lab, 'sample_trivial_validator');
			const row = await workunit(lab, job);
			assert.equal(row?.assimilate_state, 1);
			assert.ok(row.canonical_resultid > 0);
			assert.equal((await resultRow(lab, `${job}_0`)).validate_state, 1);
		},
	},
	...scriptChecks(),
	{
		name: 'a success that is reported after the cancellation is judged all the same, and becomes the result of the job',
		run: async (lab) => {
			const job = await readyJob(lab, 'toolate', ['--wu_template', await template(lab, 'in', noFiles())]);
			const client = await worker(lab);
			await fetchTask(lab, client, job);
			await lab.tool('cancel_jobs', ['--name', job]);
			await client.ask({ reports: [report({ name: `${job}_0`, appVersionNum: 100, exitStatus: 0, state: 5 })] });
			await whenJob(lab, job, 'asks for validation', (row) => row.need_validate === 1);
			await onePass(lab, 'sample_trivial_validator');
			const row = await workunit(lab, job);
			assert.ok(row && row.canonical_resultid > 0 && (row.error_mask & 16) === 16, JSON.stringify(row));
		},
		timeoutMs: 150_000,
	},
];

/** `script_assimilator` on the validated job and on a cancelled one; our script only writes down its arguments. */
function scriptChecks(): Check<Lab>[] {
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
				const row = await whenJob(lab, name, 'to be collected', ({ assimilate_state: state }) => state === 1);
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
