import { block, type ElementSpec, flag, number, text } from './element.js';

const DAEMON: readonly ElementSpec[] = [
	text('cmd', 'Program of bin/ with its arguments; started directly, without a shell.', {
		trap: 'No >, | or $VARIABLE unless use_shell is set.',
	}),
	text('host', 'Runs only on the machine with this short name.', {
		default: 'host of config',
		trap: 'It must equal the machine’s short host name, or nothing is started.',
	}),
	flag('disabled', '1: listed, not started.', { default: '0' }),
	text('output', 'Log in log_HOST.', { default: 'base name of the program + .log' }),
	text('pid_file', 'File in pid_HOST.', {
		default: 'base name of the program + .pid',
		trap: 'Two daemons of one program need a pid_file each: else bin/stop ends only one.',
	}),
	text('lock_file', 'File in pid_HOST.', { default: 'output + .lock' }),
	flag('use_shell', 'Run through a shell.', { default: '0' }),
	flag('silent_start', 'Do not log the start.', { default: '0' }),
];
const TASK: readonly ElementSpec[] = [
	...DAEMON,
	text('period', 'Time between two runs: 5 min, 24 hours, 1 days.', {
		trap: 'A unit that begins with m is minutes: “1 month” is one minute.',
	}),
	flag('always_run', 'Run even when the project is stopped.', { default: '0' }),
];

const CONFIG: readonly ElementSpec[] = [
	text('db_host', 'MySQL host, may be host:port.', { default: 'localhost' }),
	text('db_name', 'Name of the database.'),
	text('db_user', 'User of the database.'),
	text('db_passwd', 'Password of the database; whoever can read this file can read it.'),
	text('replica_db_host', 'Read-only replica for web pages.', { default: 'db_host' }),
	text('replica_db_name', 'Database on the replica.', { default: 'db_name' }),
	text('replica_db_user', 'User on the replica.', { default: 'db_user' }),
	text('replica_db_passwd', 'Password on the replica.', { default: 'db_passwd' }),
	text('host', 'Short name of the main host; daemons without a host run there.', {
		trap: 'If the machine’s host name changes, nothing is started.',
	}),
	text('shmem_key', 'System V key of the memory between feeder and scheduler.'),
	text('master_url', 'Address of the project, with a slash at the end.'),
	text('long_name', 'Name of the project, for volunteers.'),
	text('download_url', 'Address of downloads.'),
	text('download_dir', 'Folder of downloads.'),
	text('upload_url', 'Address of file_upload_handler.'),
	text('upload_dir', 'Folder of uploads.'),
	text('key_dir', 'Folder of keys.'),
	text('app_dir', 'Folder of apps.'),
	text('log_dir', 'Folder of logs.'),
	number('uldl_dir_fanout', 'Number of hash folders.', { default: '0 (flat)', trap: 'Never change it in a live project.' }),
	flag('cache_md5_info', 'Keep .md5 side files.', { default: '0' }),
	flag('ignore_upload_certificates', 'The upload handler accepts unsigned uploads.', { default: '0' }),
	flag('dont_generate_upload_certificates', 'Do not sign descriptions of outputs.', { default: '0' }),
	flag('one_result_per_user_per_wu', 'Never two copies of a job to one user.', { default: '0' }),
	flag('one_result_per_host_per_wu', 'Never two copies of a job to one host.', { default: '0' }),
	number('daily_result_quota', 'Jobs per day for each host and app version.', { default: '0 (no limit)' }),
	number('max_wus_to_send', 'Jobs in one request, times processors.', { default: '10' }),
	number('max_wus_in_progress', 'Unfinished jobs per processor.', { default: '0 (no limit)' }),
	number('max_wus_in_progress_gpu', 'Unfinished jobs per GPU.', { default: '0 (no limit)' }),
	number('min_sendwork_interval', 'Least time between two requests of a host that get jobs.', { unit: 'seconds', default: '0' }),
	flag('send_result_abort', 'Tell clients to abort jobs that were cancelled.', { default: '0' }),
	flag('resend_lost_results', 'Send jobs again that a host lost.', { default: '0' }),
	number('next_rpc_delay', 'Ask clients to contact again at least this often.', { unit: 'seconds', default: '0' }),
	flag('enable_assignment', 'Targeted jobs.', { default: '0' }),
	flag('enable_assignment_multi', 'Broadcast jobs.', { default: '0' }),
	flag('disable_account_creation', 'Close registration.', { default: '0' }),
	flag('disable_account_creation_rpc', 'Close registration from clients.', { default: '0' }),
	flag('disable_web_account_creation', 'Close registration on the web site.', { default: '0' }),
	flag('show_results', 'Web pages list results.', { default: '0' }),
	number('delete_delay_hours', 'The file deleter waits this long.', { unit: 'hours', default: '0' }),
	number('grace_period_hours', 'Added to the deadline in the database; the client is not told.', { unit: 'hours', default: '0' }),
	number('report_grace_period', 'Added to the deadline in the database; the client is not told.', {
		unit: 'seconds',
		default: '0',
	}),
	number('max_ncpus', 'Most processors of a multi-thread app.', { default: '64' }),
	number('default_disk_min_free_gb', 'Disk that clients leave free.', { unit: 'GB', default: '1' }),
	number('shmem_work_items', 'Slots of the feeder.', { default: '100', trap: 'A change needs a restart of the feeder.' }),
	number('feeder_query_size', 'Rows that the feeder reads at once.', { default: '200' }),
	text('httpd_user', 'Account of the web server, for antique_file_deleter.', {
		default: 'apache',
		trap: 'On Debian and Ubuntu it is www-data.',
	}),
	flag('user_filter', 'Send a job only to the user whose number is the job’s batch.', {
		default: '0',
		trap: 'With it batches of jobs are sent to nobody else.',
	}),
	text('fuh_set_completed_permission', 'Octal mode of uploaded files.'),
	text('fuh_set_initial_permission', 'Octal mode of files during upload.'),
	number('sched_debug_level', '1 critical to 4 debug.', { default: '3' }),
	number('fuh_debug_level', '1 critical to 4 debug.', { default: '3' }),
	text('debug_req_reply_dir', 'Save every request and reply there.'),
	text('project_dir', 'Overrides the project folder of native tools.'),
	flag('dont_send_jobs', 'The scheduler sends no jobs.', { default: '0' }),
	flag('ended', 'The project has ended.', { default: '0' }),
	number('maintenance_delay', 'Clients stay away for this long while the project is down.', { unit: 'seconds', default: '3600' }),
	number('min_core_client_version', 'Oldest client.', { trap: 'Values under 10000 are multiplied by 100.' }),
	text('project_user_name', 'Account that may start the daemons.'),
];

/** `config.xml`, read by `sched/sched_config.cpp`, PHP and Python. */
export const CONFIG_XML: readonly ElementSpec[] = [
	block('boinc', 'The project’s configuration.', [
		block('config', 'Settings. Elements that BOINC does not know are ignored.', CONFIG, { open: true }),
		block('daemons', 'Programs that bin/start keeps running.', [block('daemon', 'One program.', DAEMON, { repeat: true })]),
		block('tasks', 'Programs that cron runs now and then.', [block('task', 'One program.', TASK, { repeat: true })]),
	]),
];

/** `project.xml`, read by `bin/xadd`. */
export const PROJECT_XML: readonly ElementSpec[] = [
	block('boinc', 'Platforms and apps for bin/xadd.', [
		block(
			'platform',
			'One platform.',
			[text('name', 'BOINC’s name of the platform.'), text('user_friendly_name', 'Name for people.')],
			{ repeat: true, open: true },
		),
		block(
			'app',
			'One app.',
			[
				text('name', 'Short name: letters, digits, dashes, underscores.'),
				text('user_friendly_name', 'Name for volunteers.', {
					trap: 'xadd puts it into SQL unescaped: a quote breaks the statement.',
				}),
				number('min_version', 'Oldest version that is used.', {
					trap: 'Ignored when the app is added; a later xadd applies it.',
				}),
				number('weight', 'Share among apps, with feeder --allapps.', { default: '1' }),
			],
			{ repeat: true, open: true },
		),
	]),
];

/** `version.xml` of an app version, read by `bin/update_versions`. */
export const VERSION_XML: readonly ElementSpec[] = [
	block('version', 'Files and flags of an app version.', [
		block(
			'file',
			'One file of the version.',
			[
				text('physical_name', 'Name of the file in this folder. It means one content for ever, in the whole project.', {
					trap: 'Use letters, digits, dots, dashes and underscores: names reach shell commands and SQL as they are. Put a version into the name.',
				}),
				text('logical_name', 'Name in the slot folder.'),
				flag('main_program', 'The program that the client starts; exactly one file has it.'),
				flag('copy_file', 'A real copy in the slot instead of a link file.', {
					trap: 'Containers and virtual machines need it.',
				}),
				flag('gzip', 'Announce NAME.gz too.'),
				text('url', 'Instead of the project’s download address.', { repeat: true }),
			],
			{ repeat: true },
		),
		flag('dont_throttle', 'The client does not throttle it.'),
		flag('needs_network', 'It needs the network.'),
		flag('is_wrapper', 'The main program is a wrapper.'),
		flag('beta', 'A test version.'),
		text('file_prefix', 'Prefix of file names.'),
		text('api_version', 'Version of the BOINC library.', { default: 'found in the main program' }),
	]),
];

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

/** `vbox_job.xml`, read by vboxwrapper. */
export const VBOX_JOB: readonly ElementSpec[] = [
	block('vbox_job', 'How vboxwrapper makes the virtual machine. Elements that it does not know are only logged.', [
		text('os_name', 'VirtualBox’s type of the system; with _64 in it hardware virtualisation is needed.'),
		number('memory_size_mb', 'Memory of the machine.', {
			unit: 'MB',
			default: '512, the least',
			trap: 'Keep it 200 MB below the job’s rsc_memory_bound, which is what the scheduler compares.',
		}),
		number('vram_size_mb', 'Video memory, 16 to 128.', { unit: 'MB', default: '16' }),
		text('vm_disk_controller_type', 'Disk controller.', { default: 'sata' }),
		text('vm_disk_controller_model', 'Model of the disk controller.', { default: 'IntelAHCI' }),
		text('vm_network_driver', 'Network card.', { default: 'the type’s own' }),
		number('job_duration', 'After this time the machine is removed and the task succeeds.', {
			unit: 'seconds',
			default: '0 (none)',
		}),
		number('minimum_checkpoint_interval', 'Time between snapshots.', { unit: 'seconds', default: '600' }),
		flag('disable_automatic_checkpoints', 'No snapshots.', {
			trap: 'Each restart of the client repeats the job from the start.',
		}),
		flag('enable_vm_savestate_usage', 'Save the state at the end of the client.'),
		text('heartbeat_filename', 'File in the shared folder whose time must grow.'),
		number('minimum_heartbeat_interval', 'Time between heartbeats.', { unit: 'seconds', default: '600' }),
		text('fraction_done_filename', 'File in the shared folder with the progress, 0 to 1.'),
		text('completion_trigger_file', 'File in the shared folder that ends the job; its first line is the exit code.', {
			trap: 'Write it under another name and rename it: an empty file is success.',
		}),
		text('temporary_exit_trigger_file', 'File in the shared folder that pauses the job.'),
		flag('enable_isocontextualization', 'The machine boots vm_isocontext.iso instead of a disk.'),
		flag('boot_iso', 'The DVD comes before the disk.'),
		flag('enable_cache_disk', 'Attach vm_cache.vdi.'),
		text('multiattach_vdi_file', 'Disk of the project folder that machines share.'),
		flag('enable_shared_directory', 'Share the slot’s shared/ folder.'),
		flag('share_slot_dir', 'Share the whole slot folder.', {
			trap: 'Not together with enable_shared_directory or copy_to_shared (206).',
		}),
		flag('enable_scratch_directory', 'Share scratch/ of the project’s folder.'),
		flag('share_project_dir', 'Share the project’s folder.', { trap: 'Not together with enable_scratch_directory (206).' }),
		text('copy_to_shared', 'A slot file to copy into shared/ before the start.', {
			repeat: true,
			trap: 'Needs enable_shared_directory (206).',
		}),
		flag('copy_cmdline_to_shared', 'Write the wrapper’s arguments to shared/cmdline.'),
		flag('enable_floppyio', 'A floppy with init_data.xml.', { trap: 'It holds the volunteer’s account key.' }),
		flag('enable_network', 'Connect the network cable.'),
		flag('network_bridged_mode', 'Bridged instead of NAT.'),
		flag('enable_nat_dns_host_resolver', 'Names are resolved by the host.'),
		number('pf_guest_port', 'Port of the guest that is announced as graphics.'),
		number('pf_host_port', 'Its port on the host; 0 is chosen.'),
		block(
			'port_forward',
			'A forwarded port.',
			[
				number('host_port', 'Port of the host.', { trap: '0 is not accepted here.' }),
				number('guest_port', 'Port of the guest.'),
				flag('is_remote', 'Reachable from other computers.'),
				number('nports', 'Number of ports.', { default: '1' }),
			],
			{ repeat: true },
		),
		text('trickle_trigger_file', 'File that becomes a trickle-up.', { repeat: true }),
		text('intermediate_upload_file', 'Output that is uploaded when it appears.', { repeat: true }),
		flag('enable_remotedesktop', 'Remote desktop.'),
		flag('enable_screenshots_on_error', 'Screenshots when it fails.'),
		flag('enable_graphics_support', 'Graphics.'),
		flag('enable_cern_dataformat', 'Writes a file “output” at the end.'),
	]),
];
