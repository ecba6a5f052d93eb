import type { DatabaseSettings } from './database.js';
import { STOCK_PLATFORMS } from './platforms.js';
import { escapeXml } from './web/lenientXml.js';

/** What the files of a new project are made of. */
export interface ProjectDescription {
	readonly root: string;
	readonly name: string;
	readonly longName: string;
	readonly host: string;
	readonly fanout: number;
	readonly webPort: number;
	readonly database: DatabaseSettings;
}

/** `http://127.0.0.1:PORT` */
export const urlBase = (port: number): string => `http://127.0.0.1:${port}`;

/** The project's address. */
export const masterUrlOf = (project: Pick<ProjectDescription, 'name' | 'webPort'>): string =>
	`${urlBase(project.webPort)}/${project.name}/`;

/** `config.xml` as people leave it after some years: comments, mixed indentation, elements nobody needs. */
export function configXml(project: ProjectDescription): string {
	const { root, name, host, database, webPort } = project;
	const base = urlBase(webPort);
	return `<?xml version="1.0" ?>
<!-- Project configuration. Keep a copy before you change anything! -->
<boinc>
    <config>
        <long_name>${escapeXml(project.longName)}</long_name>
        <db_user>${database.user}</db_user>
        <db_name>${database.database}</db_name>
        <db_passwd>${database.password}</db_passwd>
        <db_host>127.0.0.1:${database.port}</db_host>
        <shmem_key>0x1111${webPort.toString(16).padStart(4, '0')}</shmem_key>
        <uldl_dir_fanout>${project.fanout}</uldl_dir_fanout>
        <host>${escapeXml(host)}</host>
	<!-- tabs on purpose -->
	<min_sendwork_interval>   1 </min_sendwork_interval>
        <max_wus_to_send>50</max_wus_to_send>
        <daily_result_quota>500</daily_result_quota>

        <disable_account_creation>0</disable_account_creation>
        <disable_account_creation_rpc>0</disable_account_creation_rpc>
        <account_creation_rpc_require_consent>0</account_creation_rpc_require_consent>
        <disable_web_account_creation>0</disable_web_account_creation>
        <enable_login_mustagree_termsofuse>0</enable_login_mustagree_termsofuse>
        <enable_privacy_by_default>0</enable_privacy_by_default>
        <show_results>1</show_results>
        <cache_md5_info>1</cache_md5_info>
        <sched_debug_level>3</sched_debug_level>
        <fuh_debug_level>3</fuh_debug_level>
        <one_result_per_user_per_wu>0</one_result_per_user_per_wu>
        <send_result_abort>1</send_result_abort>
        <dont_generate_upload_certificates>1</dont_generate_upload_certificates>
        <ignore_upload_certificates>1</ignore_upload_certificates>
        <enable_delete_account>0</enable_delete_account>
        <master_url>${base}/${name}/</master_url>
        <download_url>${base}/${name}/download</download_url>
        <upload_url>${base}/${name}_cgi/file_upload_handler</upload_url>
        <download_dir>${escapeXml(root)}/download</download_dir>
        <upload_dir>${escapeXml(root)}/upload</upload_dir>
        <key_dir>${escapeXml(root)}/keys/</key_dir>
        <app_dir>${escapeXml(root)}/apps</app_dir>
        <log_dir>${escapeXml(root)}/log_${escapeXml(host)}</log_dir>
        <maintenance_delay>10</maintenance_delay>
        <!-- only in the sandbox: clients too old to say so count as having a container engine -->
        <sandbox_assume_docker/>
    </config>
    <tasks>
${STOCK_TASKS.map(taskXml).join('')}    </tasks>
    <daemons>
        <daemon>
            <cmd>feeder -d 3 </cmd>
        </daemon>
        <daemon>
            <cmd>transitioner -d 3 </cmd>
        </daemon>
        <daemon> <cmd>file_deleter -d 3 </cmd> </daemon>
        <!-- <daemon><cmd>db_purge -d 3 -min_age_days 30</cmd></daemon> -->
    </daemons>
</boinc>
`;
}

const STOCK_TASKS: readonly (readonly [command: string, period: string, disabled: 0 | 1])[] = [
	['antique_file_deleter -d 2', '24 hours', 0],
	['db_dump -d 2 --dump_spec ../db_dump_spec.xml', '24 hours', 1],
	['run_in_ops ./update_uotd.php', '1 days', 0],
	['update_stats', '1 days', 0],
];

function taskXml([command, period, disabled]: (typeof STOCK_TASKS)[number]): string {
	const [program = '', script = ''] = command.split(' ');
	const base = program === 'run_in_ops' ? script.replace(/^\.\/|\.php$/g, '') : program;
	return `        <task>
            <period>${period}</period>
            <output>${base}.out</output>
            <cmd>${command}</cmd>
            <disabled>${disabled}</disabled>
        </task>
`;
}

/** The stock `project.xml`. */
export function projectXml(): string {
	const platforms = STOCK_PLATFORMS.map(
		([name, friendlyName]) => `    <platform>
        <name>${name}</name>
        <user_friendly_name>${escapeXml(friendlyName)}</user_friendly_name>
    </platform>
`,
	);
	return `<boinc>\n${platforms.join('')}</boinc>\n`;
}

/** `html/user/schedulers.txt`. */
export function schedulersText(project: Pick<ProjectDescription, 'name' | 'webPort'>): string {
	const url = `${urlBase(project.webPort)}/${project.name}_cgi/cgi`;
	return `\n<!-- <scheduler>${url}</scheduler> -->\n<link rel="boinc_scheduler" href="${url}">\n        `;
}
