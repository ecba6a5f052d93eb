import { block, type ElementSpec, flag, number, text } from './element.js';

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
