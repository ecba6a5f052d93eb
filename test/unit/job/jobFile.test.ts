import { describe, expect, test } from 'vitest';

import { parseJobFile } from '../../../src/job/jobFile.js';

describe('the job keys of boinc2docker.yml', () => {
	test('become a request', async () => {
		const text = `
appname: mysci            # the installation's keys may stand beside
validator: bitwise
name: Räksmörgås
dockerfile: docker/Dockerfile
context: docker
build_args: { VERSION: 1.10 }
command: run --all "two words" $HOME
entrypoint: [/bin/sh, -c]
env:
  GREETING: "it's: ok"
  EMPTY:
inputs:
  data/in.csv: ../in.csv
  abs: /abs/file
resources: { memory: 1.5 GB, disk: 2GiB, time: 90 min, time_limit: 1 d, deadline: 2 w, max_output: 10MB }
replication: { min_quorum: 2, max_error_results: 5 }
network: bridge
runtimes: [docker, vm]
vbox_job_xml: <vram_size_mb>32</vram_size_mb>
count: 20
priority: -1
`;
		expect(await parseJobFile(text, '/work')).toEqual({
			name: 'Räksmörgås',
			app: 'mysci',
			image: {
				kind: 'dockerfile',
				contextDir: '/work/docker',
				dockerfile: '/work/docker/Dockerfile',
				buildArgs: { VERSION: '1.10' },
			},
			command: ['run', '--all', 'two words', '$HOME'],
			entrypoint: ['/bin/sh', '-c'],
			env: { GREETING: "it's: ok", EMPTY: '' },
			inputs: [
				{ path: 'data/in.csv', file: '/in.csv' },
				{ path: 'abs', file: '/abs/file' },
			],
			resources: {
				memoryBytes: 1.5e9,
				diskBytes: 2 ** 31,
				expectedSeconds: 5400,
				limitSeconds: 86_400,
				delayBoundSeconds: 1_209_600,
				maxOutputBytes: 1e7,
			},
			replication: { minQuorum: 2, maxErrorResults: 5 },
			network: 'bridge',
			vboxJobXml: '<vram_size_mb>32</vram_size_mb>',
			count: 20,
			priority: -1,
		});
	});

	test('an image by name or in a file; inputs as a list keep their names', async () => {
		expect(await parseJobFile('image: alpine:3\ninputs: [a/b.txt, /c]\n', '/f')).toEqual({
			image: { kind: 'reference', reference: 'alpine:3' },
			inputs: [
				{ path: 'b.txt', file: '/f/a/b.txt' },
				{ path: 'c', file: '/c' },
			],
		});
		expect(await parseJobFile('archive: img.tar', '/f')).toEqual({ image: { kind: 'archive', file: '/f/img.tar' } });
		expect(await parseJobFile('', '/f')).toEqual({});
	});

	test.each([
		['a: [', 1, 'end with a ]'],
		['\nmemory: 1 GB', 2, 'memory: the key is unknown'],
		['resources:\n  memory: 1 GB\n  ram: 2', 3, 'ram: the key is unknown'],
		['resources: 5', 1, 'lines is expected'],
		['resources:\n  memory: plenty', 2, 'memory: “plenty” cannot be read. Write it as 500 MB or 2 GiB'],
		['count: 1.5', 1, 'not a whole number'],
		['network: wifi', 1, 'network: “wifi” is not one of none, bridge, host'],
		['image: a\ndockerfile: b', 2, 'given as image already'],
		["command: run 'x", 1, 'single quote that is not closed'],
		['env: [A=1]', 1, 'lines is expected'],
	])('%j is refused with its line', async (text, line, words) => {
		await expect(parseJobFile(text, '/f')).rejects.toMatchObject({
			code: 'job-file-invalid',
			message: expect.stringMatching(new RegExp(`^boinc2docker\\.yml, line ${String(line)}: `)) as string,
			detail: { line },
		});
		await expect(parseJobFile(text, '/f')).rejects.toThrow(words);
	});
});
