import { describe, expect, it } from 'vitest';

import { editPlanClassSpec } from '../../../src/project/configEdit.js';
import type { Capacity } from '../../../src/sandbox/web/scheduler/capacity.js';
import { checkPlanClass } from '../../../src/sandbox/web/scheduler/planClasses.js';
import { parsePlanClassSpecs } from '../../../src/sandbox/web/scheduler/planClassSpec.js';
import { parseRequest } from '../../../src/sandbox/web/scheduler/request.js';
import { nvidia, schedulerRequest } from './requestText.js';

const DOCKER = '<docker_version>24.0</docker_version><docker_type>1</docker_type>';
/** A host with VirtualBox whose processor virtualises. */
const machine = (version: string): string =>
	`<virtualbox_version>${version}</virtualbox_version><p_features>fpu vmx</p_features>`;
const job = { workunitId: 7, batch: 3 };

function host(
	options: { host?: string; body?: string; assumeDocker?: boolean; ncpus?: number; usableRam?: number } = {},
): Capacity {
	const request = parseRequest(schedulerRequest(options))!;
	return {
		request,
		userId: 1,
		ncpus: options.ncpus ?? 2,
		usableRam: options.usableRam ?? 4e9,
		assumeDocker: options.assumeDocker ?? false,
	};
}
const specs = (body: string, name = 'docker') =>
	parsePlanClassSpecs(`<plan_classes><plan_class><name>${name}</name>${body}</plan_class></plan_classes>`);

describe('plan classes', () => {
	it('lets a version without a class run anywhere on one processor', () => {
		expect(checkPlanClass('', undefined, host(), job)).toEqual({
			fits: true,
			usage: { avgNcpus: 1, flops: 1e9, commandLine: '' },
		});
	});

	it('knows the built-in classes only while the project has no list of its own', () => {
		expect(checkPlanClass('mt', undefined, host(), job)).toMatchObject({
			fits: true,
			usage: { avgNcpus: 2, commandLine: '--nthreads 2' },
		});
		expect(checkPlanClass('mt', specs('<docker/>'), host(), job)).toEqual({ fits: false });
		expect(checkPlanClass('vbox64', undefined, host(), job)).toEqual({ fits: false, message: 'VirtualBox is not installed' });
		expect(checkPlanClass('vbox64', undefined, host({ host: machine('7.0.20') }), job).fits).toBe(true);
		expect(checkPlanClass('vbox32', undefined, host({ host: machine('7.0.20') }), job).fits).toBe(false);
	});

	it.each([
		['VirtualBox', machine('7.0.20'), true],
		['the oldest that our class takes', machine('6.0.0'), true],
		['one that is older', machine('5.2.44'), false],
		['a version that cannot be read', machine('7.0'), false],
		['a processor that does not virtualise', '<virtualbox_version>7.0.20</virtualbox_version>', false],
		['virtualisation switched off', `${machine('7.0.20')}<p_vm_extensions_disabled>1</p_vm_extensions_disabled>`, false],
		['VirtualBox that cannot be used', machine('7.0.20 (unusable - Podman/Docker present)'), false],
		['no VirtualBox', '', false],
	])('sends our virtual machine to a host with %s', (_, hostXml, fits) => {
		const classes = parsePlanClassSpecs(editPlanClassSpec(undefined, [], ['docker', 'vm']).text);
		const answer = checkPlanClass('vbox64_mt', classes, host({ host: hostXml }), job);
		expect(answer).toMatchObject(fits ? { fits, usage: { avgNcpus: 1, flops: 0.1e9, commandLine: '' } } : { fits });
	});

	it('gives a virtual machine several processors only where they virtualise', () => {
		const many = specs('<virtualbox/><is64bit/><max_threads>4</max_threads>', 'vbox64_mt');
		const avgNcpus = (hostXml: string): unknown => {
			const answer = checkPlanClass('vbox64_mt', many, host({ host: hostXml, ncpus: 4 }), job);
			return answer.fits && answer.usage.avgNcpus;
		};
		expect(avgNcpus(machine('7.0.20'))).toBe(4);
		expect(avgNcpus('<virtualbox_version>7.0.20</virtualbox_version>')).toBe(1);
	});

	it('sends a job with several processors of ours only to hosts that have them, and counts all of them', () => {
		const classes = parsePlanClassSpecs(editPlanClassSpec(undefined, [], ['docker', 'vm'], { cpus: 4 }).text);
		const usage = (name: string, hostXml: string, ncpus: number): unknown => {
			const answer = checkPlanClass(name, classes, host({ host: hostXml, ncpus }), job);
			return answer.fits && [answer.usage.avgNcpus, answer.usage.flops];
		};
		expect(usage('docker_cpu4', DOCKER, 8)).toEqual([4, 4e9]);
		expect(usage('docker_cpu4', DOCKER, 3)).toBe(false);
		expect(usage('vbox64_cpu4', machine('7.0.20'), 4)).toEqual([4, 0.4e9]);
	});

	describe('with a GPU', () => {
		const gpu = { type: 'nvidia', memoryMib: 4000, computeCapability: 705, cuda: 12_040 } as const;
		const name = 'docker_nvidia_ram4000_cc705_cuda12040_cpu2';
		const classes = parsePlanClassSpecs(editPlanClassSpec(undefined, [], ['docker'], { cpus: 2, gpu }).text);
		const check = (coprocs: string, hostXml = DOCKER, ncpus = 2): ReturnType<typeof checkPlanClass> =>
			checkPlanClass(name, classes, host({ host: hostXml, body: coprocs, ncpus }), job);

		it('goes to a host that has it, and reserves it', () => {
			expect(check(nvidia())).toEqual({
				fits: true,
				usage: {
					avgNcpus: 2,
					flops: expect.closeTo(1e12, -6) as number,
					commandLine: '',
					gpu: { type: 'nvidia', count: 1, ramBytes: 4000 * (1 << 20) },
				},
			});
		});

		it.each([
			['no GPU', '', undefined],
			[
				'a GPU of another kind',
				'<coprocs><coproc_ati><count>1</count><have_opencl>1</have_opencl></coproc_ati></coprocs>',
				undefined,
			],
			['too little memory', nvidia({ totalGlobalMem: 4e9 }), undefined],
			['a lower compute capability', nvidia({ major: 6, minor: 9 }), undefined],
			['an older driver', nvidia({ cudaVersion: 12_030 }), undefined],
			['no CUDA', nvidia({ major: 0, minor: 0, cudaVersion: 0 }), undefined],
			['no engine', nvidia(), ''],
		])('does not go to a host with %s', (_, coprocs, hostXml) => {
			expect(check(coprocs, hostXml).fits).toBe(false);
		});

		it('does not go to a host with fewer processors', () => {
			expect(check(nvidia(), DOCKER, 1).fits).toBe(false);
		});

		it('goes to a Windows host only when its Linux has CUDA', () => {
			const windows = (wslGpu: string): boolean => {
				const distro = `<wsl><distro><distro_name>d</distro_name><docker_version>24</docker_version>${wslGpu}</distro></wsl>`;
				const text = schedulerRequest({ host: distro, body: nvidia() }).replace('Linux Debian', 'Microsoft Windows 11');
				return checkPlanClass(name, classes, { ...host(), request: parseRequest(text)! }, job).fits;
			};
			expect(windows('<wsl_gpu><name>nvidia</name><has_cuda/></wsl_gpu>')).toBe(true);
			expect(windows('<wsl_gpu><name>nvidia</name></wsl_gpu>')).toBe(false);
			expect(windows('')).toBe(false);
		});

		it('counts a GPU without a believable speed as an ordinary one', () => {
			const answer = check(nvidia({ peak_flops: 2e15 }));
			expect(answer.fits && answer.usage.flops).toBeCloseTo(1e10, -4);
		});
	});

	it('never sends a class that nobody defines', () => {
		expect(checkPlanClass('docker', undefined, host({ host: DOCKER }), job)).toEqual({ fits: false });
	});

	it.each([
		['an engine', { host: DOCKER }, undefined],
		['no engine', {}, 'Docker not present'],
		['no engine where one is assumed', { assumeDocker: true }, undefined],
		[
			'an engine that must not be used',
			{ host: DOCKER, body: '<dont_use_docker/>' },
			'Client config does not allow using Docker',
		],
	])('docker with %s', (_, options, message) => {
		const answer = checkPlanClass('docker', specs('<docker/>'), host(options), job);
		expect(answer).toMatchObject(message === undefined ? { fits: true } : { fits: false, message });
	});

	it('looks for an engine in WSL distributions on Windows', () => {
		const windows = (body: string, hostXml: string) => {
			const text = schedulerRequest({ host: hostXml, body }).replace('Linux Debian', 'Microsoft Windows 11');
			return { ...host(), request: parseRequest(text)! };
		};
		const distro = '<wsl><distro><distro_name>d</distro_name><docker_version>24</docker_version></distro></wsl>';
		expect(checkPlanClass('docker', specs('<docker/>'), windows('', distro), job).fits).toBe(true);
		expect(checkPlanClass('docker', specs('<docker/>'), windows('', ''), job)).toMatchObject({
			message: 'No usable WSL distros found',
		});
		expect(checkPlanClass('docker', specs('<docker/>'), windows('<dont_use_wsl/>', distro), job)).toMatchObject({
			message: 'Client config does not allow using WSL',
		});
	});

	it('gives threads up to the limit and passes them on when asked to', () => {
		const mt = specs('<docker/><max_threads>16</max_threads><nthreads_cmdline/>');
		expect(checkPlanClass('docker', mt, host({ host: DOCKER, ncpus: 4 }), job)).toEqual({
			fits: true,
			usage: { avgNcpus: 4, flops: 4e9, commandLine: '--nthreads 4' },
		});
	});

	it('limits threads by memory', () => {
		const memory = specs(
			'<max_threads>8</max_threads><mem_usage_base_mb>100</mem_usage_base_mb><mem_usage_per_cpu_mb>100</mem_usage_per_cpu_mb>',
		);
		const answer = checkPlanClass('docker', memory, host({ ncpus: 8, usableRam: 350 * (1 << 20) }), job);
		expect(answer).toMatchObject({ fits: true, usage: { avgNcpus: 2, commandLine: '--memory_size_mb 300' } });
		expect(checkPlanClass('docker', memory, host({ ncpus: 8, usableRam: 1e8 }), job).fits).toBe(false);
	});

	it.each([
		['<min_core_client_version>80100</min_core_client_version>', 'A newer BOINC may be required for some tasks.'],
		['<max_core_client_version>70000</max_core_client_version>', undefined],
		['<min_ncpus>3</min_ncpus>', undefined],
		['<os_regex>Windows</os_regex>', undefined],
		['<os_regex>(</os_regex>', undefined],
		['<cpu_feature>avx512</cpu_feature>', undefined],
		['<gpu_type>nvidia</gpu_type>', undefined],
		['<user_id>2</user_id>', undefined],
		['<min_batch>4</min_batch>', undefined],
		['<max_wu_id>6</max_wu_id>', undefined],
	])('refuses a host or job outside %s', (body, message) => {
		expect(checkPlanClass('docker', specs(body), host(), job)).toEqual({
			fits: false,
			...(message !== undefined && { message }),
		});
	});

	it('reads the stock sample, whose classes hold unclosed tags', () => {
		const list = parsePlanClassSpecs(
			'<plan_classes>\n<plan_class>\n<name>a</name>\n<opencl>\n</plan_class>\n<plan_class><name> docker </name><docker/></plan_class>\n</plan_classes>',
		);
		expect(list.map(({ name, docker }) => [name, docker])).toEqual([
			['a', false],
			['docker', true],
		]);
	});
});
