import assert from 'node:assert/strict';

import type { Check } from '../checks.js';
import type { Lab } from '../lab.js';
import { createWork, whenJob, workunit } from '../probe.js';

interface InstanceRow {
	readonly server_state: number;
	readonly outcome: number;
}

const instancesOf = (lab: Lab, job: string): Promise<InstanceRow[]> =>
	lab.select<InstanceRow>(
		'SELECT r.server_state, r.outcome FROM result r JOIN workunit w ON w.id = r.workunitid WHERE w.name = ? ORDER BY r.id',
		job,
	);

/** Jobs with consecutive ids (nothing else is inserted in one statement) that have an unsent instance each. */
async function unsentJobs(lab: Lab, prefix: string, count: number): Promise<{ id: number; name: string }[]> {
	const names = Array.from({ length: count }, (_, i) => `${lab.tag}_${prefix}${i}`);
	const ran = await createWork(lab, ['--stdin'], names.map((name) => `--wu_name ${name}\n`).join(''));
	assert.equal(ran.code, 0, ran.stderr);
	return lab.until(
		'instances',
		async () => {
			const rows = await lab.select<{ id: number; name: string }>(
				'SELECT w.id, w.name FROM workunit w JOIN result r ON r.workunitid = w.id WHERE w.name IN (?) AND r.server_state = 2 ORDER BY w.id',
				names,
			);
			return rows.length === count && rows;
		},
		20,
	);
}

export const cancelChecks: readonly Check<Lab>[] = [
	{
		name: 'a range is inclusive; silent, exit 0; unsent instances end with outcome 5, bit 16 is set',
		run: async (lab) => {
			const jobs = await unsentJobs(lab, 'k', 4);
			assert.equal(jobs[3]!.id - jobs[0]!.id, 3, 'the ids of one statement are not consecutive');
			const ran = await lab.tool('cancel_jobs', [String(jobs[1]!.id), String(jobs[2]!.id)]);
			assert.deepEqual(ran, { code: 0, stdout: '', stderr: '' });
			for (const [i, { name }] of jobs.entries()) {
				const cancelled = i === 1 || i === 2;
				const row = await workunit(lab, name);
				assert.equal((row?.error_mask ?? 0) & 16, cancelled ? 16 : 0, name);
				const [instance] = await instancesOf(lab, name);
				assert.deepEqual([instance?.server_state, instance?.outcome], cancelled ? [5, 5] : [2, 0], name);
			}
		},
	},
	{
		name: '--name cancels one job',
		run: async (lab) => {
			const [job] = await unsentJobs(lab, 'n', 1);
			const ran = await lab.tool('cancel_jobs', ['--name', job!.name]);
			assert.deepEqual(ran, { code: 0, stdout: '', stderr: '' });
			assert.equal(((await workunit(lab, job!.name))?.error_mask ?? 0) & 16, 16);
		},
	},
	{
		name: 'the transitioner then hands the job to the assimilator and never looks again soon',
		run: async (lab) => {
			const name = `${lab.tag}_n0`;
			const row = await whenJob(lab, name, 'to be collected', ({ assimilate_state: state }) => state === 1);
			assert.ok(row.error_mask & 16, `error_mask ${row.error_mask}`);
			return `error_mask ${row.error_mask}`;
		},
	},
	{
		name: 'a job that is cancelled before it has instances gets none that can be sent',
		run: async (lab) => {
			const name = `${lab.tag}_early`;
			await createWork(lab, ['--wu_name', name]);
			await lab.tool('cancel_jobs', ['--name', name]);
			await whenJob(lab, name, 'to be collected', ({ assimilate_state: state }) => state === 1);
			const instances = await instancesOf(lab, name);
			assert.ok(instances.every((instance) => instance.server_state === 5 && instance.outcome === 5));
		},
	},
	{
		name: 'an unknown name, a wrong number of arguments, words for numbers: exit 1',
		run: async (lab) => {
			for (const args of [['--name', `${lab.tag}_nobody`], ['1'], ['1', '2', '3'], [], ['a', 'b']]) {
				assert.equal((await lab.tool('cancel_jobs', args)).code, 1, args.join(' '));
			}
		},
	},
	{
		name: 'a range without jobs: exit 0',
		run: async (lab) => {
			const [row] = await lab.select<{ id: number }>('SELECT MAX(id) AS id FROM workunit');
			const none = (row?.id ?? 0) + 1_000_000;
			const ran = await lab.tool('cancel_jobs', [String(none), String(none + 5)]);
			assert.deepEqual([ran.code, ran.stdout], [0, '']);
		},
	},
];
