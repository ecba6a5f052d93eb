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
