import { expect, it } from 'vitest';

import { type FailedRow, FailureLogs } from '../../../src/monitor/explain/failedInstances.js';
import { failureClusters } from '../../../src/monitor/explain/failureClusters.js';
import type { Queries } from '../../../src/monitor/rows.js';

const failed = (id: number, exitStatus = 3): FailedRow => ({
	id,
	jobId: 1000 + (id >> 1),
	hostId: 1 + (id % 5),
	outcome: 3,
	clientState: 3,
	validateState: 2,
	exitStatus,
});

/** Logs by instance; instances that are not in it have been purged. */
function database(logs: ReadonlyMap<number, string>): Queries & { readonly asked: number[] } {
	const asked: number[] = [];
	return {
		asked,
		select: (_sql, params = []) => {
			asked.push(...params.map(Number));
			return Promise.resolve(
				params.map(Number).flatMap((id) => {
					const said = logs.get(id);
					const log = `<stderr_txt>\nstderr from container:\n${said ?? ''}\nstderr end\n</stderr_txt>`;
					return said === undefined ? [] : [{ id, name: `job_${String(id)}`, stderr_out: Buffer.from(log) }];
				}),
			);
		},
	};
}

it('counts instances with one cause exactly, and shows the newest', async () => {
	const all = Array.from({ length: 100 }, (_, id) => failed(id));
	const db = database(new Map(all.map(({ id }) => [id, `ValueError: row ${String(id)}`])));
	const clusters = await failureClusters(db, all, new FailureLogs());
	expect(clusters).toMatchObject([{ kind: 'program-failed', instances: 100, jobs: 50, hosts: 5 }]);
	expect(clusters[0]?.examples.map(({ name }) => name)).toEqual(['job_99', 'job_98', 'job_97']);
	expect(db.asked).toHaveLength(20);
});

it('splits what has the same codes by what was said, as often as in the newest', async () => {
	const all = Array.from({ length: 200 }, (_, id) => failed(id));
	const db = database(new Map(all.map(({ id }) => [id, id % 4 === 0 ? 'No such table' : 'Out of cheese'])));
	const clusters = await failureClusters(db, all, new FailureLogs());
	expect(clusters.map(({ instances, jobs }) => [instances, jobs])).toEqual([
		[150, 75],
		[50, 25],
	]);
});

it('reads each log once, and goes on when rows have vanished between two queries', async () => {
	const logs = new Map([
		[1, 'a'],
		[2, 'a'],
	]);
	const reader = new FailureLogs();
	const db = database(logs);
	expect(await failureClusters(db, [failed(1), failed(2), failed(3, 9)], reader)).toMatchObject([{ instances: 2 }]);
	logs.clear();
	expect(await failureClusters(db, [failed(1), failed(2)], reader)).toMatchObject([{ instances: 2 }]);
	expect(db.asked.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
	expect(await failureClusters(db, [], reader)).toEqual([]);
});
