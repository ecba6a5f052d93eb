import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { clientConfig, clientPreferences, writeClientFiles } from '../../../src/sandbox/client/clientFiles.js';
import { parseTaskList, parseTransferNames } from '../../../src/sandbox/client/taskList.js';

const TASKS = `
======== Tasks ========
1) -----------
   name: long_0
   WU name: long
   project URL: http://127.0.0.1:1/test/
   received: Mon Nov 23 00:54:43 2026
   report deadline: Tue Nov 24 00:54:43 2026
   ready to report: no
   state: downloaded
   scheduler state: scheduled
   active_task_state: EXECUTING
   app version num: 100
   resources: 1 CPU
   estimated CPU time remaining: 1.000000
   CPU time at last checkpoint: 0.000000
   current CPU time: 0.010000
   fraction done: 0.250000
   slot: 3
   PID: 99
2) -----------
   name: done_0
   WU name: done
   ready to report: yes
   state: aborted
   scheduler state: uninitialized
   active_task_state: UNINITIALIZED
   exit_status: 202
`;

describe('the BOINC client', () => {
	it('shows its tasks', () => {
		expect(parseTaskList(TASKS)).toEqual([
			{
				name: 'long_0',
				wuName: 'long',
				state: 'downloaded',
				schedulerState: 'scheduled',
				activeState: 'EXECUTING',
				exitStatus: 0,
				readyToReport: false,
				fractionDone: 0.25,
				slot: 3,
			},
			expect.objectContaining({ name: 'done_0', exitStatus: 202, readyToReport: true, slot: -1 }),
		]);
		expect(parseTaskList('\n======== Tasks ========\n')).toEqual([]);
	});

	it('shows its transfers', () => {
		expect(
			parseTransferNames('======== File transfers ========\n1) -----------\n   name: a_0_r1_0\n   direction: upload\n'),
		).toEqual(['a_0_r1_0']);
	});

	it('is told to stay on this machine and never to pause', () => {
		expect(clientConfig({ ncpus: 1 })).toMatch(/<no_info_fetch>1<[\s\S]*<ncpus>1</);
		expect(clientPreferences()).toContain('<suspend_cpu_usage>0<');
	});

	it('keeps its password, for its owner only', async () => {
		const dir = await mkdtemp(path.join(tmpdir(), 'b2d-clientunit-'));
		try {
			await writeClientFiles(dir, {});
			const file = path.join(dir, 'gui_rpc_auth.cfg');
			const password = await readFile(file, 'utf8');
			await writeClientFiles(dir, {});
			expect(password).toMatch(/^[0-9a-f]{32}$/);
			expect(await readFile(file, 'utf8')).toBe(password);
			expect((await stat(file)).mode & 0o077).toBe(0);
		} finally {
			await rm(dir, { recursive: true, force: true });
		}
	});
});
