import { expect, test } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import type { Engine } from '../../../src/image/engine.js';
import { type ContainerRequest, submitContainer } from '../../../src/job/submitImage.js';
import { Project } from '../../../src/project/project.js';
import type { ProjectConfig } from '../../../src/project/types.js';

/** Neither server nor engine may be asked for what is wrong anyhow. */
const untouched = (what: string) =>
	new Proxy(
		{},
		{
			get: (_, name) => {
				throw new Error(`${what}.${String(name)} was used`);
			},
		},
	);

const REQUEST: ContainerRequest = {
	name: 'test',
	app: 'boinc2docker',
	image: { kind: 'dockerfile', contextDir: '/nowhere', dockerfile: 'Dockerfile' },
};

const submit = (changes: Partial<ContainerRequest>): Promise<unknown> =>
	submitContainer(
		new Project(untouched('connection') as Connection, '/project', untouched('config') as ProjectConfig),
		{ ...REQUEST, ...changes },
		{ engine: untouched('engine') as Engine },
		quietContext(),
	);

test.each<[string, Partial<ContainerRequest>, string]>([
	['no jobs', { count: 0 }, 'job-invalid'],
	['half a job', { count: 1.5 }, 'job-invalid'],
	['jobs given twice', { count: 2, jobs: [{}] }, 'job-invalid'],
	['an empty name', { name: '' }, 'job-invalid'],
	['a NUL in the command', { command: ['a\0'] }, 'job-invalid'],
	['a variable with an equals sign in its name', { env: { 'a=b': 'c' } }, 'job-invalid'],
	['an input that is not there', { inputs: [{ path: 'x', file: '/no/such/file' }] }, 'input-missing'],
	['an input that is a folder', { inputs: [{ path: 'x', file: '/' }] }, 'input-missing'],
	['an input outside of /root/shared', { inputs: [{ path: '../x', file: '/etc/passwd' }] }, 'job-invalid'],
	['limits that are none', { resources: { memoryBytes: -1 } }, 'job-invalid'],
	['more copies than are allowed in all', { replication: { targetNresults: 3, maxTotalResults: 2 } }, 'job-invalid'],
])('%s is refused before the image is built', async (_, changes, code) => {
	await expect(submit(changes)).rejects.toMatchObject({ code, remedy: expect.any(String) as string });
});

test('what can be right goes on to the server', async () => {
	await expect(submit({ replication: { maxErrorResults: 0 }, env: { A: '"\n🚀' } })).rejects.toThrow('was used');
});
