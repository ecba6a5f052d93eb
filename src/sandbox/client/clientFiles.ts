import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Settings of the client that a sandbox sets; everything else stays as BOINC has it. */
export interface ClientSettings {
	/** Processors that the client may use; default all. */
	readonly ncpus?: number;
}

const LOG_FLAGS = ['task', 'file_xfer', 'sched_ops', 'sched_op_debug', 'file_xfer_debug', 'task_debug'];

/** `cc_config.xml`: nothing leaves this machine, several clients may run side by side, finished tasks are reported at once. */
export function clientConfig(settings: ClientSettings): string {
	const options: Readonly<Record<string, number>> = {
		allow_multiple_clients: 1,
		dont_check_file_sizes: 0,
		dont_contact_ref_site: 1,
		no_gpus: 1,
		no_info_fetch: 1,
		report_results_immediately: 1,
		skip_cpu_benchmarks: 1,
		...(settings.ncpus !== undefined && { ncpus: settings.ncpus }),
	};
	return [
		'<cc_config>',
		'<log_flags>',
		...LOG_FLAGS.map((flag) => `<${flag}>1</${flag}>`),
		'</log_flags>',
		'<options>',
		...Object.entries(options).map(([name, value]) => `<${name}>${value}</${name}>`),
		'</options>',
		'</cc_config>',
		'',
	].join('\n');
}

/** `global_prefs_override.xml`: work is never suspended because the machine is busy, in use or on battery. */
export function clientPreferences(): string {
	const preferences: Readonly<Record<string, number>> = {
		run_on_batteries: 1,
		run_if_user_active: 1,
		run_gpu_if_user_active: 1,
		suspend_cpu_usage: 0,
		cpu_usage_limit: 100,
		max_ncpus_pct: 100,
		ram_max_used_busy_pct: 90,
		ram_max_used_idle_pct: 90,
		disk_max_used_pct: 95,
		disk_min_free_gb: 0.1,
		disk_max_used_gb: 0,
		disk_interval: 5,
		work_buf_min_days: 0.01,
		work_buf_additional_days: 0.01,
		leave_apps_in_memory: 1,
	};
	return [
		'<global_preferences>',
		...Object.entries(preferences).map(([name, value]) => `<${name}>${value}</${name}>`),
		'</global_preferences>',
		'',
	].join('\n');
}

/** Writes the client's files into `dir`. The password of its control port is kept over restarts. */
export async function writeClientFiles(dir: string, settings: ClientSettings): Promise<void> {
	await mkdir(dir, { recursive: true, mode: 0o755 });
	await writeFile(path.join(dir, 'cc_config.xml'), clientConfig(settings));
	await writeFile(path.join(dir, 'global_prefs_override.xml'), clientPreferences());
	// The stand-in for docker_wrapper is a CommonJS script without an extension; a package.json further up must not say otherwise.
	await writeFile(path.join(dir, 'package.json'), '{"type":"commonjs"}\n');
	const file = path.join(dir, 'gui_rpc_auth.cfg');
	if ((await readFile(file, 'utf8').catch(() => '')).trim() === '') {
		await writeFile(file, randomBytes(16).toString('hex'), { mode: 0o600 });
	}
}
