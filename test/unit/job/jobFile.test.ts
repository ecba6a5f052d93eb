import { describe, expect, test } from 'vitest';

import { expandJobFile } from '../../../src/job/expandJobFile.js';
import { parseJobFile } from '../../../src/job/jobFile.js';

describe('the job keys of boinc2docker.yml', () => {
	test('become a request', async () => {
		const text = `
appname: mysci            # the installation's keys may stand beside
validator: bitwise
assimilator: { script: collect_mine }
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
		const { request, inputs } = await parseJobFile(text, '/work');
		expect(inputs).toMatchObject([
			{ kind: 'file', path: 'data/in.csv', what: ['../in.csv'] },
			{ kind: 'file', path: 'abs', what: ['/abs/file'] },
		]);
		expect(request).toEqual({
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
		const { request } = await expandJobFile(await parseJobFile('image: alpine:3\ninputs: [a/b.txt, /c]\n', '/f'));
		expect(request).toEqual({
			image: { kind: 'reference', reference: 'alpine:3' },
			inputs: [
				{ path: 'b.txt', file: '/f/a/b.txt', place: 'boinc2docker.yml, line 2, column 10' },
				{ path: 'c', file: '/c', place: 'boinc2docker.yml, line 2, column 19' },
			],
			jobFile: 'image: alpine:3\ninputs: [a/b.txt, /c]\n',
		});
		expect((await parseJobFile('archive: img.tar', '/f')).request).toEqual({ image: { kind: 'archive', file: '/f/img.tar' } });
		expect((await parseJobFile('', '/f')).request).toEqual({});
	});

	test('outputs, a file from the web, options of the engine, and the task at the end', async () => {
		const sha256 = 'AB'.repeat(32);
		const text = `
after: tidy all
outputs: { files: ["*.csv", /work/log], metrics: out/figures.json }
inputs: [{ url: "https://example.org/data/in%20put.csv?x=1", sha256: ${sha256} }, { url: "http://example.org/b", sha256: ${sha256}, path: c/d }]
job_toml: { create_args: "--shm-size=1g --ulimit=nofile=1024:4096 --hostname=node-1" }
then: python3 collect.py "two words"
`;
		const from = { sha256: sha256.toLowerCase() };
		expect(await expandJobFile(await parseJobFile(text, '/f'))).toMatchObject({
			request: {
				after: ['tidy', 'all'],
				outputs: { files: ['*.csv', '/work/log'], metrics: 'out/figures.json' },
				inputs: [
					{ path: 'in put.csv', from: { ...from, url: 'https://example.org/data/in%20put.csv?x=1' } },
					{ path: 'c/d', from: { ...from, url: 'http://example.org/b' } },
				],
				createArgs: '--shm-size=1g --ulimit=nofile=1024:4096 --hostname=node-1',
			},
			then: { words: ['python3', 'collect.py', 'two words'], folder: '/f' },
		});
	});

	test('the options of create_work, and the short forms', async () => {
		const text = `
boinc: { credit: 2.5, hr_class: 1, keywords: [7, 12], sub_appname: Pi, target: { user: 3 }, user_id: 4, app_version_num: 102 }
replication: { min_quorum: 2, retries: 3 }
outputs: { max_size: 20 MB }
`;
		expect((await parseJobFile(text, '/f')).request).toEqual({
			boinc: {
				...{ credit: 2.5, hrClass: 1, keywords: [7, 12], subAppname: 'Pi' },
				...{ target: { kind: 'user', id: 3 }, appVersionNum: 102 },
			},
			userId: 4,
			replication: { minQuorum: 2, maxErrorResults: 3, maxTotalResults: 5 },
			resources: { maxOutputBytes: 20e6 },
		});
		expect((await parseJobFile('boinc: { broadcast: all }', '/f')).request.boinc).toEqual({ broadcast: { kind: 'all' } });
		expect((await parseJobFile('boinc: { broadcast: { team: 3 } }', '/f')).request.boinc).toEqual({
			broadcast: { kind: 'team', id: 3 },
		});
	});

	test.each([
		['a: [', 1, 5, 'This is not YAML'],
		['\nmemory: 1 GB', 2, 1, 'the key “memory” is unknown'],
		['imge: x', 1, 1, 'did you mean “image”?'],
		['resources:\n  memory: 1 GB\n  ram: 2', 3, 3, 'resources: the key “ram” is unknown'],
		['resources: 5', 1, 12, 'lines'],
		['resources:\n  memory: plenty', 2, 11, 'memory: “plenty” is not a size'],
		['resources: { memory: 500 }', 1, 22, 'memory: “500” has no unit'],
		['count: 1.5', 1, 8, 'not a whole number'],
		['count: 0', 1, 8, 'not a whole number from 1 to 1000000'],
		['network: wifi', 1, 10, 'network: “wifi” is not one of none, bridge, host'],
		['image: a:1\ndockerfile: b', 2, 1, 'given as image already'],
		['image: a:1\ntarget: b', 2, 1, 'no effect without dockerfile'],
		["command: run 'x", 1, 10, 'single quote that is not closed'],
		['env: [A=1]', 1, 6, 'lines'],
		['name: "a\\0b"', 1, 7, 'NUL'],
		['name: a\nname: b', 2, 1, 'given twice'],
		['name: !tag a', 1, 7, 'Tags'],
		['env: { a: !!binary aGk= }', 1, 20, 'Tags'],
		['schema: 2', 1, 9, 'The file has form 2'],
		['image: x:1\n---\nimage: y:1', 2, 1, 'not YAML'],
		['command: run {{x}}', 1, 10, 'There is no sweep'],
		['command: run {{x}}\nsweep: { grid: { y: [1] } }', 1, 10, 'There is no parameter x; there are y, index, repetition'],
		['count: 2\nsweep: { grid: { y: [1] } }', 1, 1, 'both say'],
		['sweep: { grid: { y: [1] }, list: [{ y: 2 }] }', 1, 28, 'grid is given already'],
		['sweep: { repeat: 3 }', 1, 8, 'one of grid, list'],
		['sweep: { grid: { PATH: [1] } }', 1, 18, 'used already'],
		['sweep: { list: [{ a: 1 }, { a: 1, b: 2 }] }', 1, 27, 'a, b, and the first one has a'],
		['boinc: { target: { user: 1, host: 2 } }', 1, 29, 'user is given already'],
		['inputs: [{ path: x }]', 1, 10, 'one of file, files, folder, url'],
		['resources: { gpu: amd }', 1, 19, 'gpu: GPUs of AMD do not reach containers'],
		['resources: { gpu: nvidea }', 1, 19, 'gpu: “nvidea” is not one of nvidia'],
		['resources: { gpu: { type: intel } }', 1, 27, 'type: GPUs of Intel do not reach containers'],
		['resources: { gpu: { memory: 4 GB } }', 1, 19, 'one of type is expected'],
		['resources: { gpu: { type: nvidia, count: 2 } }', 1, 35, 'count has no effect yet'],
		['resources: { gpu: { type: nvidia, cuda: 12 } }', 1, 41, 'two numbers with a dot'],
		['resources: { gpu: nvidia }\nruntimes: [docker, vm]', 1, 14, 'no GPU'],
		['resources: { gpu: nvidia }\nruntimes: vm', 1, 14, 'no GPU'],
		['iso: a.iso\nresources: { gpu: nvidia }', 2, 14, 'no GPU'],
		['resources: { cpus: 0 }', 1, 20, 'cpus'],
		['job_toml: { use_gpu: true }', 1, 13, 'the key “use_gpu” is unknown'],
		['job_toml: { create_args: "--privileged" }', 1, 26, 'others could reach the volunteer’s computer'],
		['job_toml: { create_args: "--shm-size=1g -v=/:/host" }', 1, 26, 'cannot be used'],
		['job_toml: { create_args: "--hostname=a;b" }', 1, 26, 'cannot be used'],
		['job_toml: { create_args: "--tmpfs=/scratch:size=1g" }', 1, 26, 'cannot be used'],
		['inputs: [{ url: "https://example.org/a" }]', 1, 17, 'needs its SHA-256'],
		['inputs: [{ url: "ftp://example.org/a", sha256: ab }]', 1, 17, 'begins with https'],
		['outputs: { metrics: figures.txt }', 1, 21, 'ends with .json or .csv'],
		['env: &a\n  x: *a', 2, 6, 'stands inside of what it stands for'],
	])('%j is refused with its place', async (text, line, column, words) => {
		await expect(parseJobFile(text, '/f')).rejects.toMatchObject({
			code: 'job-file-invalid',
			message: expect.stringMatching(
				new RegExp(`^boinc2docker\\.yml, line ${String(line)}, column ${String(column)}: `),
			) as string,
			detail: { line, column },
		});
		await expect(parseJobFile(text, '/f')).rejects.toThrow(words);
	});

	test('aliases that multiply are stopped before they take memory', async () => {
		const levels = Array.from(
			{ length: 12 },
			(_, k) =>
				`  l${k}: &l${k} [${Array(10)
					.fill(k === 0 ? 'x' : `*l${k - 1}`)
					.join(', ')}]`,
		);
		const started = process.cpuUsage();
		await expect(parseJobFile(`env:\n${levels.join('\n')}\n`, '/f')).rejects.toThrow(/aliases of this file stand for more than/);
		// Of the processor, for a busy computer lets it wait.
		expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
	});

	test('a file of very deep lists is refused', async () => {
		await expect(parseJobFile(`env: ${'['.repeat(300)}${']'.repeat(300)}`, '/f')).rejects.toThrow('levels deep');
	});

	test('a misspelt key comes before what follows from it, and the other mistakes are told too', async () => {
		const text = 'image: x\nname: "{{alpha}}"\ncommand: [run, "{{alpha}}"]\nsweeep: { grid: { alpha: [1] } }\n';
		await expect(parseJobFile(text, '/f', 'jobs.yml')).rejects.toMatchObject({
			message: expect.stringMatching(
				/^jobs\.yml, line 4, column 1: the key “sweeep” is unknown; did you mean “sweep”\?\nLine \d, column \d+: [^\n]*alpha/,
			) as string,
		});
	});

	test('of many mistakes five are told, and the others counted', async () => {
		const error = await parseJobFile('a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7', '/f').catch((found: unknown) => found);
		const lines = (error as Error).message.split('\n');
		expect(lines).toHaveLength(6);
		expect(lines[4]).toBe('Line 5, column 1: the key “e” is unknown.');
		expect(lines[5]).toBe('There are 2 more mistakes.');
	});
});
