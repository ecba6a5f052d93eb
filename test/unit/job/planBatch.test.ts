import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';

import { MOST_PACKS } from '../../../src/image/pack/partition.js';
import { checkCommandLength, createArguments, jobToml } from '../../../src/job/jobToml.js';
import { jobName, templatePath } from '../../../src/job/names.js';
import { planBatch } from '../../../src/job/planBatch.js';
import { inputTemplate, outputTemplate } from '../../../src/job/templates.js';
import { NETWORK_POLICIES } from '../../../src/job/types.js';
import { InputTemplate } from '../../../src/sandbox/inputTemplate.js';
import { CONFIG, input, sampleBatch } from './sampleBatch.js';

describe('a plan', () => {
	const plan = planBatch(sampleBatch({ inputs: [input('data/in.csv'), input('it’s odd.txt')] }), CONFIG);

	test('names all shared files as constants that stay on the server, and packs that stay on hosts', () => {
		expect(plan.files.map(({ name }) => name)).toEqual([
			expect.stringMatching(/^b2d_dockerfile_[0-9a-f]{32}$/),
			expect.stringMatching(/^b2d_job_[0-9a-f]{32}\.toml$/),
			expect.stringMatching(/^b2d_vm_[0-9a-f]{32}$/),
			expect.stringMatching(/^b2d_vbox_[0-9a-f]{32}\.xml$/),
			input('data/in.csv').file.name,
			input('it’s odd.txt').file.name,
		]);
		const infos = plan.input.text.split('<file_info>').slice(1);
		expect(infos).toHaveLength(9);
		// Volunteers keep what other jobs need as well, but not for ever.
		const kept = '<sticky/>\n<sticky_lifetime>2592000</sticky_lifetime>\n';
		expect(infos.map((info) => info.includes(kept))).toEqual([true, true, true, true, false, false, false, false, false]);
		expect(infos.every((info) => info.includes('<no_delete/>'))).toBe(true);
		expect(infos.filter((info) => !info.includes('<physical_name>'))).toHaveLength(1);
	});

	test('gives each file its place in the slot; odd names travel under plain ones', () => {
		expect([...plan.input.text.matchAll(/<open_name>(.*)<\/open_name>/g)].map(([, name]) => name)).toEqual([
			'b2d_pack_1.tar.gz',
			'b2d_pack_2.tar.gz',
			'Dockerfile',
			'job.toml',
			'b2d_vm',
			'vbox_job.xml',
			'shared/data/in.csv',
			'shared/b2d_input_1',
			'b2d_params',
		]);
		expect(plan.input.text.match(/<copy_file\/>/g)).toHaveLength(9);
		expect(plan.common).toContain(' I=b2d_input_1=it\\0342\\0200\\0231s\\0040odd.txt ');
	});

	test('for another architecture than the virtual machine’s has no files for it', () => {
		const { image } = sampleBatch();
		const arm = planBatch(sampleBatch({ image: { ...image, config: { ...image.config, architecture: 'arm64' } } }), CONFIG);
		expect(arm.files.map(({ name }) => name).join()).not.toMatch(/b2d_vm|b2d_vbox/);
		expect(arm.input.text).not.toContain('vbox_job.xml');
	});

	test('follows Docker’s rules for entry point and command', () => {
		const argv = (line: string): string[] => [...line.matchAll(/(?:^| )A=(\S*)/g)].map(([, word]) => word!);
		expect(argv(plan.wordsOf({}))).toEqual(['/bin/tool', '--default']);
		expect(argv(plan.wordsOf(sampleBatch().jobs.at(1)!))).toEqual(['/bin/tool', '--other', 'x\\0040y']);
		const other = planBatch(sampleBatch({ entrypoint: ['/bin/sh'] }), CONFIG);
		expect(argv(other.wordsOf({}))).toEqual(['/bin/sh']);
		const none = planBatch(sampleBatch({ entrypoint: [], jobs: [{ command: ['run'] }] }), CONFIG);
		expect(argv(none.wordsOf({ command: ['run'] }))).toEqual(['run']);
	});

	test('names what differs between jobs as arguments of create_work', () => {
		const own = planBatch(sampleBatch({ jobs: [{ inputs: [input('a', 'x')] }, { inputs: [input('a', 'yy')] }] }), CONFIG);
		expect(own.jobFiles.map(({ name }) => name)).toEqual([input('', 'x').file.name, input('', 'yy').file.name]);
		expect(own.input.text.split('<file_info>').filter((info) => !info.includes('<physical_name>'))).toHaveLength(3);
	});

	test('has template names that depend on the text alone and fit BOINC’s columns', () => {
		expect(plan.input.path).toBe(templatePath('in', plan.input.text));
		expect(plan.output.path.length).toBeLessThanOrEqual(63);
		expect(planBatch(sampleBatch(), CONFIG).output.path).toBe(plan.output.path);
		expect(planBatch(sampleBatch(), CONFIG).input.path).not.toBe(plan.input.path);
	});

	test('leaves log and times out of results that are compared', () => {
		const replication = { minQuorum: 2, targetNresults: 2, maxErrorResults: 3, maxTotalResults: 6, maxSuccessResults: 4 };
		expect(planBatch(sampleBatch({ replication }), CONFIG).common).toContain(' R=1 ');
		expect(plan.common).not.toContain(' R=1 ');
	});
});

describe('templates', () => {
	test('the output template begins with its element and has the scheduler’s tags alone on their lines', () => {
		const text = outputTemplate(1234.5);
		expect(text.startsWith('<output_template>\n')).toBe(true);
		expect(text).toMatch(/\n<file_info>\n<name><OUTFILE_0\/><\/name>\n<max_nbytes>1235<\/max_nbytes>\n/);
		expect(text).toMatch(/\n<result>\n/);
		expect(text).toContain('<open_name>shared/results.tgz</open_name>');
		expect(text).not.toMatch(/[\r'\\]/);
	});

	test.each(["it's", 'a\\b', '../x', '<x>', 'a b', 'ü', '', '/etc', 'a&b', 'a"b'])(
		'no file named %j gets into a template',
		(name) => {
			expect(() => inputTemplate([{ openName: name, sticky: false }], '')).toThrow(
				expect.objectContaining({ code: 'job-invalid' }),
			);
		},
	);

	test('too many files are refused', () => {
		const files = Array.from({ length: 101 }, (_, index) => ({ openName: `f${String(index)}`, sticky: false }));
		expect(() => inputTemplate(files, CONFIG.downloadUrl)).toThrow(expect.objectContaining({ code: 'job-invalid' }));
		expect(inputTemplate(files.slice(1), CONFIG.downloadUrl)).toContain('<open_name>f100</open_name>');
	});

	test('an image in as many packs as there may be fits, and what is accepted is not too long for create_work', async () => {
		const packs = Array.from({ length: MOST_PACKS }, (_, index) => `b2d_pack_${String(index).padStart(32, '0')}.tar.gz`);
		const files = [
			...[...packs, 'Dockerfile', 'job.toml'].map((openName) => ({
				openName,
				physicalName: openName.padEnd(40, 'x'),
				sticky: true,
			})),
			...Array.from({ length: 6 }, (_, index) => ({ openName: `shared/${String(index)}`, sticky: false })),
		];
		const urlOf = (length: number): string => `https://${'p'.repeat(length - 8)}`;
		expect(inputTemplate(files, urlOf(80))).toContain(packs.at(-1));
		let longest = 80;
		for (;;) {
			try {
				inputTemplate(files, urlOf(longest + 1));
				longest++;
			} catch (error) {
				expect(error).toMatchObject({ code: 'job-invalid' });
				break;
			}
		}
		const { xmlDoc } = await new InputTemplate(inputTemplate(files, urlOf(longest))).fill({
			files: Array.from({ length: 6 }, (_, index) => `b2d_in_${String(index).padStart(70, '0')}`),
			commandLine: '',
			findStaged: (name) =>
				Promise.resolve({ md5: '0'.repeat(32), size: 2 ** 40, url: `${urlOf(longest)}/3ff/${name}`, gzippedSize: 2 ** 40 }),
		});
		expect(xmlDoc.match(/<sticky_lifetime>/g)).toHaveLength(MOST_PACKS + 2);
	});

	test('a description beyond BOINC’s 64 KiB is refused', () => {
		const files = Array.from({ length: 100 }, () => ({ openName: 'x'.repeat(190), sticky: false }));
		expect(() => inputTemplate(files, `https://example.org/${'y'.repeat(150)}`)).toThrow(
			expect.objectContaining({ code: 'job-invalid' }),
		);
	});
});

describe('job.toml', () => {
	test.each(NETWORK_POLICIES)('is read back with network %s', (network) => {
		const text = jobToml('boinc__b2d_abc', { network });
		expect(parse(text)).toEqual({ workdir: '/boinc', image_name: 'boinc__b2d_abc', create_args: createArguments(network) });
		// The wrapper's shell must see words and nothing else.
		expect(createArguments(network)).toMatch(/^[A-Za-z0-9_ -]+$/);
	});

	test('asks for the GPU by the wrapper’s own key', () => {
		const text = jobToml('boinc__b2d_abc', { network: 'none', gpu: { type: 'nvidia' } });
		expect(parse(text)).toEqual({
			workdir: '/boinc',
			image_name: 'boinc__b2d_abc',
			create_args: createArguments('none'),
			use_gpu: true,
		});
	});

	test('protects the volunteer by default', () => {
		const args = createArguments('none');
		expect(args).toContain('--network none');
		expect(args).toContain('--security-opt no-new-privileges');
		expect(args).toContain('--cap-drop ALL');
		expect(args).toMatch(/--pids-limit \d+/);
		expect(args).not.toMatch(/SYS_|NET_|privileged/);
	});

	test('commands that docker_wrapper would cut are refused', () => {
		const image = `boinc__b2d_${'f'.repeat(32)}`;
		const longest = jobName(2 ** 31, 999_999);
		expect(() =>
			checkCommandLength(`https://${'long.'.repeat(20)}org/${'p'.repeat(60)}/`, longest, image, { network: 'none' }),
		).not.toThrow();
		expect(() => checkCommandLength(`https://${'x'.repeat(600)}/`, longest, image, { network: 'none' })).toThrow(
			expect.objectContaining({ code: 'job-invalid' }),
		);
	});
});

describe('refused with a clear message', () => {
	const cases: [string, Parameters<typeof sampleBatch>[0], string][] = [
		['no name', { name: ' ' }, 'no name'],
		['an app with a quote', { app: "a'b" }, 'name of a BOINC app'],
		['no jobs', { jobs: [] }, 'no jobs'],
		['an unknown network', { network: 'all' as never }, 'network “all”'],
		[
			'a Windows image',
			{ image: { ...sampleBatch().image, config: { ...sampleBatch().image.config, os: 'windows' } } },
			'windows',
		],
		['an image without files', { image: { ...sampleBatch().image, packs: [] } }, 'no files'],
		['nothing to run', { entrypoint: [], jobs: [{}] }, 'nothing to run'],
		['a NUL in an argument', { jobs: [{ command: ['a\0'] }] }, 'NUL'],
		['a variable without a name', { env: { '': 'x' } }, 'environment variable'],
		['a variable with an equals sign', { jobs: [{ env: { 'A=B': 'x' } }] }, 'environment variable'],
		['an argument that Linux cannot pass', { jobs: [{ command: ['x'.repeat(140_000)] }] }, 'bytes'],
		[
			'arguments that are too long together',
			{ jobs: [{ command: Array.from({ length: 11 }, () => 'x'.repeat(100_000)) }] },
			'in all',
		],
		['an input outside of the folder', { inputs: [input('../x')] }, 'path of the input'],
		['an absolute input', { inputs: [input('/etc/passwd')] }, 'path of the input'],
		['an input among the results', { inputs: [input('results/x')] }, 'used for results'],
		['two inputs at one place', { inputs: [input('a')], jobs: [{ inputs: [input('a')] }] }, 'Two inputs'],
		['an input in the place of a folder', { inputs: [input('a'), input('a/b')] }, 'file and the folder'],
		['jobs with different inputs', { jobs: [{ inputs: [input('a')] }, {}] }, 'other inputs'],
		['no memory', { resources: { ...sampleBatch().resources, memoryBytes: 0 } }, 'memory limit'],
		['memory without its unit', { resources: { ...sampleBatch().resources, memoryBytes: 512 } }, 'below 8 MB'],
		['a time that is no number', { resources: { ...sampleBatch().resources, limitSeconds: Number.NaN } }, 'time limit'],
		['a disk smaller than the image', { resources: { ...sampleBatch().resources, diskBytes: 20 } }, 'disk limit'],
		['fewer copies than must agree', { replication: { ...sampleBatch().replication, minQuorum: 2 } }, 'agreement'],
		['limits below the number of copies', { replication: { ...sampleBatch().replication, targetNresults: 3 } }, 'limits'],
		['more failures than copies', { replication: { ...sampleBatch().replication, maxErrorResults: 6 } }, 'in all'],
		['more successes than copies', { replication: { ...sampleBatch().replication, maxSuccessResults: 6 } }, 'in all'],
		['half a copy', { replication: { ...sampleBatch().replication, maxErrorResults: 1.5 } }, 'number of failures'],
	];
	test.each(cases)('%s', (_, changes, words) => {
		let thrown: unknown;
		try {
			planBatch(sampleBatch(changes), CONFIG);
		} catch (error) {
			thrown = error;
		}
		expect(thrown).toMatchObject({
			name: 'BoincError',
			message: expect.stringContaining(words) as string,
			remedy: expect.any(String) as string,
		});
	});

	test('and hostile text is no reason to refuse', () => {
		const hostile = ['\'"`$(rm -rf /)\\\n🚀', '--help', '%s', ''];
		const plan = planBatch(
			sampleBatch({ name: "'; DROP TABLE batch; -- 🚀\n", jobs: [{ command: hostile }], env: { X: hostile[0]! } }),
			CONFIG,
		);
		expect(`${plan.input.text}${plan.output.text}${plan.common}${plan.wordsOf({})}`).not.toMatch(/['"`$]|rm -rf/);
	});
});
