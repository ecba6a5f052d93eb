import { block, type ElementSpec, flag, number, text } from './element.js';

const names = (doc: string, ...list: string[]): ElementSpec[] => list.map((name) => text(name, doc));

/** `plan_class_spec.xml`, read by `sched/plan_class_spec.cpp`. */
export const PLAN_CLASSES: readonly ElementSpec[] = [
	block('plan_classes', 'All plan classes. While this file exists, those that are built in are not consulted.', [
		block(
			'plan_class',
			'One plan class: which hosts get versions of it, and what they use.',
			[
				text('name', 'Its name.', {
					trap: 'A name without docker is no Docker app for the client, one without vbox no VirtualBox app.',
				}),
				flag('docker', 'The host needs Docker or Podman.'),
				flag('wsl', 'The host needs WSL.'),
				number('min_boinc_wsl_distro_version', 'Oldest distribution of BOINC for WSL; other distributions do not count then.'),
				flag('virtualbox', 'The host needs VirtualBox.', { trap: 'Matched with the primary platform only: use is64bit.' }),
				flag('is64bit', 'The primary platform has 64 bits; with virtualbox only.'),
				flag('vm_accel_required', 'The host needs virtualisation in hardware.', {
					trap: 'Without it hosts that lack it get jobs that fail.',
				}),
				number('min_vbox_version', 'Oldest VirtualBox: 10000·major + 100·minor + release.'),
				number('max_vbox_version', 'Newest VirtualBox.'),
				number('exclude_vbox_version', 'A VirtualBox that is refused.', { repeat: true }),
				number('min_ncpus', 'Least processors of the host.'),
				number('max_threads', 'Most processors of a job.'),
				number('avg_ncpus', 'Processors of a job.'),
				number('cpu_frac', 'Share of a GPU job’s work on the processor.'),
				number('mem_usage_base_mb', 'Memory, fixed part; adds --memory_size_mb to the command line.', { unit: 'MB' }),
				number('mem_usage_per_cpu_mb', 'Memory for each processor.', { unit: 'MB' }),
				flag('nthreads_cmdline', 'Adds --nthreads N to the command line.'),
				number('projected_flops_scale', 'Scales the speed that is expected.'),
				text('gpu_type', 'Kind of GPU.', { values: ['nvidia', 'amd', 'ati', 'intel_gpu', 'apple_gpu'] }),
				text('gpu_type_regex', 'Expression for the kind of GPU.'),
				...[
					'cuda',
					'cal',
					'opencl',
					'without_opencl',
					'double_precision_fp',
					'need_ati_libs',
					'need_amd_libs',
					'project_prefs_default_true',
				].map((name) => flag(name, 'A condition on the host.')),
				number('ngpus', 'GPUs of a job.'),
				number('min_gpu_ram_mb', 'Memory that the GPU must have.', { unit: 'MB' }),
				number('gpu_ram_used_mb', 'Memory of the GPU that a job uses.', { unit: 'MB' }),
				...names(
					'A condition on the host.',
					'os_regex',
					'cpu_vendor_regex',
					'cpu_model_regex',
					'project_prefs_tag',
					'project_prefs_regex',
					'gpu_utilization_tag',
				),
				text('cpu_feature', 'A feature that the processor must have.', { repeat: true }),
				...[
					...[
						'min_core_client_version',
						'max_core_client_version',
						'user_id',
						'infeasible_random',
						'min_os_version',
						'max_os_version',
					],
					...[
						'min_android_version',
						'max_android_version',
						'min_libc_version',
						'min_wu_id',
						'max_wu_id',
						'min_batch',
						'max_batch',
					],
					...['gpu_peak_flops_scale', 'min_gpu_peak_flops', 'max_gpu_peak_flops', 'min_driver_version', 'max_driver_version'],
					...[
						'min_cuda_version',
						'max_cuda_version',
						'min_nvidia_compcap',
						'max_nvidia_compcap',
						'min_opencl_version',
						'max_opencl_version',
					],
					...[
						'min_opencl_driver_revision',
						'max_opencl_driver_revision',
						'min_cal_target',
						'max_cal_target',
						'min_metal_support',
					],
				].map((name) => number(name, 'A condition on the host.')),
			],
			{ repeat: true },
		),
	]),
];
