import assert from 'node:assert/strict';

import type { Check } from '../checks.js';
import type { Lab } from '../lab.js';
import { createWork, probeApp, workunit } from '../probe.js';

/** Columns that tools, queries and the sandbox use. A type is the class that queries rely on. */
const COLUMNS: Readonly<Record<string, string>> = {
	platform: 'id:int create_time:int name:text user_friendly_name:text deprecated:int',
	app: `id:int create_time:int name:text user_friendly_name:text min_version:int deprecated:int weight:real beta:int
		homogeneous_redundancy:int homogeneous_app_version:int target_nresults:int min_avg_pfc:real host_scale_check:int
		non_cpu_intensive:int locality_scheduling:int n_size_classes:int fraction_done_exact:int`,
	app_version: `id:int create_time:int appid:int version_num:int platformid:int xml_doc:blob min_core_version:int
		max_core_version:int deprecated:int plan_class:text beta:int pfc_n:real pfc_avg:real pfc_scale:real expavg_credit:real
		expavg_time:real`,
	workunit: `id:int create_time:int appid:int name:text xml_doc:blob batch:int rsc_fpops_est:real rsc_fpops_bound:real
		rsc_memory_bound:real rsc_disk_bound:real rsc_bandwidth_bound:real need_validate:int canonical_resultid:int
		canonical_credit:real transition_time:int delay_bound:int error_mask:int file_delete_state:int assimilate_state:int
		min_quorum:int target_nresults:int max_error_results:int max_total_results:int max_success_results:int
		result_template_file:text priority:int transitioner_flags:int hr_class:int app_version_id:int app_version_num:int
		size_class:int keywords:text opaque:real fileset_id:int mod_time:time`,
	result: `id:int create_time:int workunitid:int appid:int batch:int priority:int name:text server_state:int outcome:int
		client_state:int validate_state:int file_delete_state:int hostid:int userid:int teamid:int sent_time:int
		report_deadline:int received_time:int exit_status:int cpu_time:real elapsed_time:real flops_estimate:real
		runtime_outlier:int app_version_id:int app_version_num:int xml_doc_in:blob xml_doc_out:blob stderr_out:blob
		claimed_credit:real granted_credit:real peak_working_set_size:real peak_swap_size:real peak_disk_usage:real random:int
		opaque:real size_class:int mod_time:time`,
	batch: `id:int user_id:int create_time:int logical_start_time:real logical_end_time:real est_completion_time:real njobs:int
		fraction_done:real nerror_jobs:int state:int completion_time:real credit_estimate:real credit_canonical:real
		credit_total:real name:text app_id:int project_state:int description:text expire_time:real`,
	host: `id:int create_time:int userid:int rpc_time:int rpc_seqno:int domain_name:text last_ip_addr:text external_ip_addr:text
		p_ncpus:int p_vendor:text p_model:text p_fpops:real m_nbytes:real m_swap:real d_total:real d_free:real
		d_boinc_used_project:real os_name:text os_version:text p_ngpus:int p_gpu_fpops:real product_name:text total_credit:real
		expavg_credit:real avg_turnaround:real nresults_today:int max_results_day:int host_cpid:text on_frac:real
		active_frac:real serialnum:text misc:text`,
	host_app_version: `host_id:int app_version_id:int pfc_n:real pfc_avg:real et_n:real et_avg:real et_var:real et_q:real
		max_jobs_per_day:int n_jobs_today:int turnaround_n:real turnaround_avg:real turnaround_var:real turnaround_q:real
		consecutive_valid:int`,
	user: `id:int name:text email_addr:text authenticator:text passwd_hash:text teamid:int total_credit:real expavg_credit:real
		global_prefs:blob project_prefs:blob seti_id:int`,
	assignment: 'id:int create_time:int target_id:int target_type:int multi:int workunitid:int resultid:int',
	user_submit: 'user_id:int quota:real logical_start_time:real submit_all:int manage_all:int max_jobs_in_progress:int',
	user_submit_app: 'user_id:int app_id:int manage:int',
};

/** Keys that make our queries cheap, or names unique: `!` marks a unique one. */
const KEYS: Readonly<Record<string, string>> = {
	platform: '!id !name',
	app: '!id !name',
	app_version: '!id !appid,platformid,version_num,plan_class',
	workunit: '!id !name appid,need_validate transition_time file_delete_state appid,assimilate_state batch',
	result: `!id !name workunitid server_state,priority appid,server_state file_delete_state userid,id userid,validate_state
		hostid,id batch`,
	batch: '!id',
	host: '!id userid,host_cpid domain_name',
	host_app_version: '!host_id,app_version_id',
	user: '!id !email_addr !authenticator',
};

const CLASSES: Readonly<Record<string, readonly string[]>> = {
	int: ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'],
	real: ['double', 'float', 'decimal'],
	text: ['varchar', 'char', 'text', 'tinytext', 'mediumtext', 'longtext'],
	blob: ['blob', 'mediumblob', 'longblob', 'tinyblob', 'text', 'mediumtext'],
	time: ['timestamp'],
};

interface ColumnRow {
	readonly t: string;
	readonly c: string;
	readonly type: string;
	readonly nullable: string;
	readonly dflt: string | null;
	readonly length: number | null;
}

const columns = (lab: Lab): Promise<ColumnRow[]> =>
	lab.once('columns', () =>
		lab.select<ColumnRow>(
			`SELECT TABLE_NAME AS t, COLUMN_NAME AS c, DATA_TYPE AS type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS dflt,
				CHARACTER_MAXIMUM_LENGTH AS length FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()`,
		),
	);

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

const columnChecks = Object.entries(COLUMNS).map(([table, wanted]): Check<Lab> => ({
	name: `${table} has its columns`,
	run: async (lab) => {
		const found = new Map((await columns(lab)).filter((row) => row.t === table).map((row) => [row.c, row.type]));
		const wrong = words(wanted).flatMap((word) => {
			const [name = '', kind = ''] = word.split(':');
			const type = found.get(name);
			return type === undefined
				? [`${name} is missing`]
				: CLASSES[kind]!.includes(type)
					? []
					: [`${name} is ${type}, not ${kind}`];
		});
		assert.deepEqual(wrong, []);
	},
}));

const keyChecks = Object.entries(KEYS).map(([table, wanted]): Check<Lab> => ({
	name: `${table} has its keys`,
	run: async (lab) => {
		const rows = await lab.select<{ unique_key: number; cols: string }>(
			`SELECT NON_UNIQUE = 0 AS unique_key, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) AS cols
				FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? GROUP BY INDEX_NAME, NON_UNIQUE`,
			table,
		);
		const missing = words(wanted).filter((word) => {
			const unique = word.startsWith('!');
			const cols = unique ? word.slice(1) : word;
			return !rows.some((row) => row.cols === cols && (!unique || row.unique_key === 1));
		});
		assert.deepEqual(missing, [], `keys are ${rows.map((row) => (row.unique_key ? '!' : '') + row.cols).join(' ')}`);
	},
}));

export const tableChecks: readonly Check<Lab>[] = [
	...columnChecks,
	...keyChecks,
	{
		name: 'batch columns are NOT NULL without default: a row needs them all',
		run: async (lab) => {
			const batch = (await columns(lab)).filter((row) => row.t === 'batch' && row.c !== 'id');
			assert.deepEqual(
				batch.filter((row) => row.nullable !== 'NO' || row.dflt !== null).map((row) => row.c),
				[],
			);
		},
	},
	{
		name: 'names hold 191 characters, result_template_file 63, plan_class 128, batch.name 255',
		run: async (lab) => {
			const length = new Map((await columns(lab)).map((row) => [`${row.t}.${row.c}`, Number(row.length)]));
			const wanted: Record<string, number> = {
				'workunit.name': 191,
				'result.name': 191,
				'app.name': 191,
				'workunit.result_template_file': 63,
				'app_version.plan_class': 128,
				'batch.name': 255,
				'batch.description': 255,
				'workunit.xml_doc': 65535,
				'result.stderr_out': 65535,
			};
			for (const [name, size] of Object.entries(wanted)) {
				assert.equal(length.get(name), size, name);
			}
		},
	},
	{
		name: 'bin/xadd says “added app” once, “already in DB” afterwards, exit 0',
		run: async (lab) => {
			const app = await probeApp(lab);
			assert.equal(app.added.code, 0);
			assert.match(app.added.stdout, new RegExp(`^added app: .*'${app.name}'`, 'm'));
			const again = await lab.tool('xadd', []);
			assert.equal(again.code, 0);
			assert.match(again.stdout, new RegExp(`^app ${app.name} already in DB$`, 'm'));
		},
	},
	{
		name: 'an app starts with weight 1, not deprecated',
		run: async (lab) => {
			const app = await probeApp(lab);
			const rows = await lab.select('SELECT user_friendly_name, weight, deprecated, min_version FROM app WHERE id = ?', app.id);
			assert.deepEqual(
				rows.map((row) => ({ ...(row as object) })),
				[{ user_friendly_name: `Conformance ${app.name}`, weight: 1, deprecated: 0, min_version: 0 }],
			);
		},
	},
	{
		name: 'mod_time follows every real change, in seconds',
		run: async (lab) => {
			const name = `${lab.tag}_modtime`;
			await createWork(lab, ['--wu_name', name, '--priority', '-5']);
			const job = await workunit(lab, name);
			assert.ok(job);
			const read = async (): Promise<number> => {
				const [row] = await lab.select<{ m: number }>('SELECT UNIX_TIMESTAMP(mod_time) AS m FROM workunit WHERE id = ?', job.id);
				return Number(row?.m);
			};
			await lab.write('UPDATE workunit SET mod_time = FROM_UNIXTIME(1000000000) WHERE id = ?', job.id);
			await lab.write('UPDATE workunit SET opaque = opaque WHERE id = ?', job.id);
			const same = await read();
			await lab.write('UPDATE workunit SET opaque = 7 WHERE id = ?', job.id);
			const now = await read();
			// A daemon may have touched the row between the statements.
			assert.ok(same === 1_000_000_000 || now - same < 60, `an update without a change set mod_time to ${same}`);
			assert.ok(now > 1_700_000_000, `after a change mod_time is ${now}`);
		},
	},
	{
		name: 'the session is read-only and in UTC',
		run: async (lab) => {
			const [row] = await lab.select<{ d: number; ro: number }>(
				'SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW()) AS d, @@tx_read_only AS ro',
			);
			assert.equal(Number(row?.d), 0);
			await assert.rejects(lab.select('UPDATE app SET weight = weight WHERE id = 0'), 'the reading session could write');
		},
	},
];
