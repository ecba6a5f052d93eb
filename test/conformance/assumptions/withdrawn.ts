import assert from 'node:assert/strict';

import type { Check } from '../checks.js';
import { report } from '../fakeClient.js';
import type { Lab } from '../lab.js';
import { noFiles, probeApp, template, whenJob, workunit } from '../probe.js';
import { fetchTask, readyJob, resultRow, worker } from './sentTask.js';

/** Switches the probe's app or its version 1.00 off or on; resolves when the feeder knows. */
async function turn(lab: Lab, what: 'app' | 'version', which: 'off' | 'on'): Promise<void> {
	const { id } = await probeApp(lab);
	const sql =
		what === 'app'
			? 'UPDATE app SET deprecated = ? WHERE id = ?'
			: 'UPDATE app_version SET deprecated = ? WHERE appid = ? AND version_num = 100';
	await lab.write(sql, which === 'off' ? 1 : 0, id);
	await lab.sh('touch reread_db');
	await lab.until('reread_db gone', async () => !(await lab.exists('reread_db')), 20);
}

/** What becomes of jobs when an installation is taken back: app and versions are marked as deprecated, daemons removed. */
export const withdrawnChecks: readonly Check<Lab>[] = [
	{
		name: 'jobs of an app that is switched off, or for a version that is, wait without failing, and go when it is back',
		timeoutMs: 240_000,
		run: async (lab) => {
			const options = ['--wu_template', await template(lab, 'in', noFiles()), '--app_version_num', '100'];
			const job = await readyJob(lab, 'waits', options);
			const client = await worker(lab);
			for (const what of ['app', 'version'] as const) {
				await turn(lab, what, 'off');
				try {
					for (let i = 0; i < 3; i++) {
						const reply = await client.ask({ seconds: 1 });
						assert.ok(!reply.text.includes(`<name>${job}_0</name>`), `sent although the ${what} is off`);
					}
					const row = await resultRow(lab, `${job}_0`);
					assert.deepEqual([row.server_state, row.outcome, (await workunit(lab, job))?.error_mask], [2, 0, 0]);
				} finally {
					await turn(lab, what, 'on');
				}
			}
			await fetchTask(lab, client, job);
		},
	},
	{
		name: 'what a host has of it is taken when it is reported, and waits for the validator',
		timeoutMs: 120_000,
		run: async (lab) => {
			const job = `${lab.tag}_waits`;
			await turn(lab, 'app', 'off');
			try {
				await (await worker(lab)).ask({ reports: [report({ name: `${job}_0`, appVersionNum: 100, exitStatus: 0, state: 5 })] });
				assert.equal((await resultRow(lab, `${job}_0`)).outcome, 1);
				await whenJob(lab, job, 'asks for validation', (row) => row.need_validate === 1);
			} finally {
				await turn(lab, 'app', 'on');
			}
		},
	},
];
