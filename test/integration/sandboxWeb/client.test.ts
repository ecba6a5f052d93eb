import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type BoincClient, startClient } from '../../../src/sandbox/client/boincClient.js';
import { numberOf, textOf } from '../../../src/sandbox/database.js';
import { TestProject, until } from './testProject.js';

/** `program WHAT`: works on `in`, says so on standard error. */
const PROGRAM = `#!/bin/sh
echo "started with $*" >&2
case $1 in
copy) cat in > out ;;
fail) echo "it went wrong" >&2; echo partial > out; exit 42 ;;
wait) while [ ! -e go ]; do sleep 1; done; cat in > out ;;
esac
touch boinc_finish_called
`;

describe('an unmodified BOINC client', () => {
	let project: TestProject;
	let client: BoincClient;
	let clientDir: string;
	let appId: number;

	beforeAll(async () => {
		project = await TestProject.create();
		appId = await project.addApp('plain', [{ name: 'plain_1.sh', content: PROGRAM }]);
		clientDir = await mkdtemp(path.join(tmpdir(), 'b2d-client-'));
		client = await startClient({ dir: clientDir, masterUrl: project.masterUrl, authenticator: project.authenticator });
	});

	afterAll(async () => {
		await client.stop();
		await project.remove();
		await rm(clientDir, { recursive: true, force: true });
	});

	const reported = (job: string) =>
		until(
			`report of ${job}`,
			async () => {
				const row = await project.result(job);
				return numberOf(row, 'server_state') === 5 && row;
			},
			{ nudge: () => client.update() },
		);

	it('downloads, runs, uploads more than 8 KiB and reports', async () => {
		const content = 'x'.repeat(100_000);
		await project.addJob(appId, 'copy1', {
			commandLine: 'copy',
			inputs: [{ name: 'pack_1', content, openName: 'in', sticky: true }],
		});
		const row = await reported('copy1');
		expect(numberOf(row, 'outcome')).toBe(1);
		expect(numberOf(row, 'exit_status')).toBe(0);
		expect(numberOf(row, 'client_state')).toBe(5);
		expect(textOf(row, 'stderr_out')).toContain('started with copy');
		expect(textOf(row, 'xml_doc_out')).toContain('<nbytes>100000');
		expect(await readFile(project.uploadPath('copy1'), 'utf8')).toBe(content);
	});
});
