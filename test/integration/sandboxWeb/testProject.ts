import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { generateBoincKeys, parsePrivateKey, signBytes } from '../../../src/project/boincKeys.js';
import { hierarchyPath } from '../../../src/project/hierarchy.js';
import { type Database, installSchema, numberOf, openDatabase, type Row } from '../../../src/sandbox/database.js';
import { freePort } from '../../../src/sandbox/freePort.js';
import { type Mariadb, startMariadb } from '../../../src/sandbox/mariadb.js';
import { insertUser } from '../../../src/sandbox/web/accounts.js';
import { startWebServer, type WebServer } from '../../../src/sandbox/web/webServer.js';

const FANOUT = 16;

export interface TestFile {
	readonly name: string;
	readonly content: string | Uint8Array;
	/** Name in the slot; copied there. */
	readonly openName?: string;
	readonly sticky?: boolean;
	/** How long a sticky file is kept after the last job with it, in seconds. Default: for ever. */
	readonly lifetime?: number;
}

/** A project of rows and files written by the test itself: no tools, no daemons; the feeder is a variable. */
export class TestProject {
	feederRunning = true;
	web!: WebServer;

	private constructor(
		readonly dir: string,
		readonly root: string,
		readonly masterUrl: string,
		readonly database: Database,
		readonly authenticator: string,
		private readonly mariadb: Mariadb,
		private readonly port: number,
	) {}

	/** `config` is XML in front of the rest of `<config>`: the first of two equal elements counts. */
	static async create(config = ''): Promise<TestProject> {
		const dir = await mkdtemp(path.join(tmpdir(), 'b2d-web-'));
		const root = path.join(dir, 'proj');
		const mariadb = await startMariadb({ dir: path.join(dir, 'mariadb') });
		const database = await openDatabase(mariadb);
		await installSchema(database);
		const port = await freePort();
		const base = `http://127.0.0.1:${port}`;
		for (const folder of ['download', 'upload', 'keys', 'html/user', 'log_test']) {
			await mkdir(path.join(root, folder), { recursive: true });
		}
		const keys = await generateBoincKeys();
		await writeFile(path.join(root, 'keys/code_sign_private'), keys.privateKey);
		await writeFile(path.join(root, 'keys/code_sign_public'), keys.publicKey);
		await writeFile(path.join(root, 'html/user/schedulers.txt'), `<scheduler>${base}/test_cgi/cgi</scheduler>\n`);
		await writeFile(
			path.join(root, 'config.xml'),
			`<boinc><config>
${config}
<long_name>Test project</long_name><host>test</host>
<db_host>127.0.0.1:${mariadb.port}</db_host><db_name>${mariadb.database}</db_name><db_user>${mariadb.user}</db_user>
<db_passwd>${mariadb.password}</db_passwd>
<master_url>${base}/test/</master_url><download_url>${base}/test/download</download_url><download_dir>${root}/download</download_dir>
<upload_url>${base}/test_cgi/file_upload_handler</upload_url><upload_dir>${root}/upload</upload_dir>
<key_dir>${root}/keys/</key_dir><log_dir>${root}/log_test</log_dir><uldl_dir_fanout>${FANOUT}</uldl_dir_fanout>
<ignore_upload_certificates>1</ignore_upload_certificates><send_result_abort>1</send_result_abort>
<max_wus_to_send>50</max_wus_to_send><min_sendwork_interval>1</min_sendwork_interval>
</config><daemons></daemons><tasks></tasks></boinc>\n`,
		);
		await database.execute('INSERT INTO platform (create_time, name, user_friendly_name) VALUES (0, ?, ?)', [
			'x86_64-pc-linux-gnu',
			'Linux on x86-64',
		]);
		const authenticator = await insertUser(database, { email: 'volunteer@example.org', name: 'volunteer' });
		const project = new TestProject(dir, root, `${base}/test/`, database, authenticator, mariadb, port);
		await project.startWeb();
		return project;
	}

	/** Writes a file of the project. */
	async write(relative: string, text: string): Promise<void> {
		await writeFile(path.join(this.root, relative), text);
	}

	async startWeb(): Promise<void> {
		this.web = await startWebServer({ projectRoot: this.root, port: this.port, feederRunning: () => this.feederRunning });
	}

	async remove(): Promise<void> {
		await this.web.stop();
		await this.database.end();
		await this.mariadb.stop();
		await rm(this.dir, { recursive: true, force: true });
	}

	/** An app with one version whose first file is the main program. */
	async addApp(
		name: string,
		files: readonly TestFile[],
		version: { planClass?: string; apiVersion?: string; versionNum?: number } = {},
	) {
		const privateKey = parsePrivateKey(await readFile(path.join(this.root, 'keys/code_sign_private'), 'utf8'))!;
		const [known] = await this.database.select('SELECT id FROM app WHERE name = ?', [name]);
		const appId = known
			? numberOf(known, 'id')
			: (
					await this.database.execute('INSERT INTO app (create_time, name, user_friendly_name) VALUES (0, ?, ?)', [
						name,
						`The app ${name}`,
					])
				).insertId;
		const infos: string[] = [];
		const refs: string[] = [];
		for (const [index, file] of files.entries()) {
			await writeFile(path.join(this.root, 'download', file.name), file.content);
			infos.push(
				`<file_info>\n<name>${file.name}</name>\n<url>${this.masterUrl}download/${file.name}</url>\n<executable/>\n` +
					`<file_signature>\n${signBytes(file.content, privateKey)}</file_signature>\n<nbytes>${Buffer.byteLength(file.content)}</nbytes>\n</file_info>\n`,
			);
			refs.push(
				`<file_ref>\n<file_name>${file.name}</file_name>\n${index === 0 ? '<main_program/>\n' : ''}${file.openName === undefined ? '' : `<open_name>${file.openName}</open_name>\n<copy_file/>\n`}</file_ref>\n`,
			);
		}
		const number = version.versionNum ?? 100;
		const api = version.apiVersion === undefined ? '' : `<api_version>${version.apiVersion}</api_version>\n`;
		await this.database.execute(
			'INSERT INTO app_version (create_time, appid, version_num, platformid, plan_class, xml_doc) VALUES (0, ?, ?, 1, ?, ?)',
			[
				appId,
				number,
				version.planClass ?? '',
				`${infos.join('')}<app_version>\n<app_name>${name}</app_name>\n<version_num>${number}</version_num>\n${api}${refs.join('')}</app_version>\n`,
			],
		);
		return appId;
	}

	/** A job with one unsent instance, as `create_work` and the transitioner leave it. */
	async addJob(
		appId: number,
		name: string,
		job: {
			inputs?: readonly TestFile[];
			commandLine?: string;
			outputName?: string;
			resultXml?: (xml: string) => string;
			fpops?: number;
			memory?: number;
			disk?: number;
			priority?: number;
			appVersionNum?: number;
		} = {},
	): Promise<void> {
		const infos: string[] = [];
		const refs: string[] = [];
		for (const file of job.inputs ?? []) {
			const relative = hierarchyPath(file.name, FANOUT);
			await mkdir(path.dirname(path.join(this.root, 'download', relative)), { recursive: true });
			await writeFile(path.join(this.root, 'download', relative), file.content);
			const lifetime = file.lifetime === undefined ? '' : `<sticky_lifetime>${file.lifetime}</sticky_lifetime>\n`;
			infos.push(
				`<file_info>\n<name>${file.name}</name>\n<url>${this.masterUrl}download/${relative}</url>\n${file.sticky === true ? `<sticky/>\n${lifetime}` : ''}` +
					`<md5_cksum>${createHash('md5').update(file.content).digest('hex')}</md5_cksum>\n<nbytes>${Buffer.byteLength(file.content)}</nbytes>\n</file_info>\n`,
			);
			refs.push(
				`<file_ref>\n<file_name>${file.name}</file_name>\n<open_name>${file.openName ?? file.name}</open_name>\n<copy_file/>\n</file_ref>\n`,
			);
		}
		const fpops = job.fpops ?? 1e9;
		const { insertId } = await this.database.execute(
			`INSERT INTO workunit (create_time, appid, name, xml_doc, batch, rsc_fpops_est, rsc_fpops_bound, rsc_memory_bound, rsc_disk_bound,
				need_validate, canonical_resultid, canonical_credit, transition_time, delay_bound, error_mask, file_delete_state, assimilate_state,
				hr_class, opaque, min_quorum, target_nresults, max_error_results, max_total_results, max_success_results, result_template_file,
				priority, rsc_bandwidth_bound, fileset_id, app_version_id, transitioner_flags, keywords, app_version_num)
				VALUES (0, ?, ?, ?, 0, ?, ?, ?, ?, 0, 0, 0, 2147483647, 86400, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 'templates/none', ?, 0, 0, 0, 0, '', ?)`,
			[
				appId,
				name,
				`${infos.join('')}<workunit>\n<command_line>${job.commandLine ?? ''}</command_line>\n${refs.join('')}</workunit>\n`,
				fpops,
				fpops * 1e6,
				job.memory ?? 1e7,
				job.disk ?? 1e7,
				job.priority ?? 0,
				job.appVersionNum ?? 0,
			],
		);
		const output = `${name}_0_r123_0`;
		const xml =
			`<file_info>\n<name>${output}</name>\n<generated_locally/>\n<upload_when_present/>\n<max_nbytes>100000000</max_nbytes>\n` +
			`<url>${this.masterUrl.replace('/test/', '/test_cgi/')}file_upload_handler</url>\n</file_info>\n` +
			`<result>\n<file_ref>\n<file_name>${output}</file_name>\n<open_name>${job.outputName ?? 'out'}</open_name>\n<copy_file/>\n</file_ref>\n</result>\n`;
		await this.database.execute(
			`INSERT INTO result (create_time, workunitid, server_state, outcome, client_state, hostid, userid, report_deadline, sent_time,
				received_time, name, cpu_time, xml_doc_in, batch, file_delete_state, validate_state, claimed_credit, granted_credit, opaque, random,
				app_version_num, appid, exit_status, teamid, priority, elapsed_time, flops_estimate, app_version_id, runtime_outlier,
				peak_working_set_size, peak_swap_size, peak_disk_usage)
				VALUES (0, ?, 2, 0, 0, 0, 0, 0, 0, 0, ?, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, ?, 0, 0, ?, 0, 0, 0, 0, 0, 0, 0)`,
			[insertId, `${name}_0`, job.resultXml ? job.resultXml(xml) : xml, appId, job.priority ?? 0],
		);
	}

	async result(job: string): Promise<Row> {
		const [row] = await this.database.select('SELECT * FROM result WHERE name = ?', [`${job}_0`]);
		return row!;
	}

	uploadPath(job: string): string {
		return path.join(this.root, 'upload', hierarchyPath(`${job}_0_r123_0`, FANOUT));
	}

	async accessLog(): Promise<string[]> {
		return (await readFile(path.join(this.root, 'log_test/access.log'), 'utf8').catch(() => '')).split('\n');
	}
}

/** Waits until `probe` answers something other than `undefined` or false; calls `nudge` every few seconds. */
export async function until<T>(
	what: string,
	probe: () => Promise<T | undefined | false>,
	options: { readonly nudge?: () => Promise<unknown>; readonly withinMs?: number } = {},
): Promise<T> {
	const deadline = Date.now() + (options.withinMs ?? 120_000);
	let nudged = Date.now();
	for (;;) {
		const value = await probe();
		if (value !== undefined && value !== false) {
			return value;
		}
		if (Date.now() > deadline) {
			throw new Error(`Waited in vain: ${what}`);
		}
		if (options.nudge && Date.now() - nudged > 3000) {
			nudged = Date.now();
			await options.nudge();
		}
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
}
