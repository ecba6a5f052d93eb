import assert from 'node:assert/strict';

import { missingTools } from '../../../src/project/openProject.js';
import type { Check } from '../checks.js';
import { httpGet } from '../http.js';
import type { Lab } from '../lab.js';
import { PROBE_PLATFORM } from '../probe.js';

/** The scheduler's URL as clients find it: in the master page. */
export async function schedulerUrl(lab: Lab): Promise<string> {
	return lab.once('scheduler URL', async () => {
		const { status, body } = await httpGet(lab.connection, lab.project.config.masterUrl);
		assert.equal(status, 200, `the master page answers ${status}`);
		const lines = body.toString('latin1').split('\n');
		for (const line of lines) {
			const match = /<link rel="boinc_scheduler" href="([^"]+)">|<scheduler>([^<]+)<\/scheduler>/.exec(line);
			const url = match?.[1] ?? match?.[2];
			if (url !== undefined && line.length < 256) {
				return url.trim();
			}
		}
		throw new Error('the master page names no scheduler');
	});
}

export const layoutChecks: readonly Check<Lab>[] = [
	{
		name: 'config.xml names folders that exist, and URLs',
		run: async (lab) => {
			const { config } = lab.project;
			assert.match(config.masterUrl, /^https?:\/\/.+\/$/);
			assert.match(config.uploadUrl, /file_upload_handler/);
			assert.ok(config.uldlDirFanout > 0, `uldl_dir_fanout is ${config.uldlDirFanout}`);
			for (const folder of [config.downloadDir, config.uploadDir, config.keyDir, config.appDir, config.logDir]) {
				assert.ok(await lab.exists(folder), `${folder} is missing`);
			}
			return `fanout ${config.uldlDirFanout}, host ${config.host}`;
		},
	},
	{
		name: 'the tools of bin/ and the commands they call are there',
		run: async (lab) => {
			assert.deepEqual(await missingTools(lab.project), { tools: [], commands: [] });
			for (const name of [
				'dir_hier_path',
				'feeder',
				'transitioner',
				'file_deleter',
				'script_assimilator',
				'sample_trivial_validator',
			]) {
				assert.ok(await lab.exists(`bin/${name}`), `bin/${name} is missing`);
			}
		},
	},
	{
		name: 'log_HOST, pid_HOST and tmp_HOST carry the host of config.xml',
		run: async (lab) => {
			for (const kind of ['log', 'pid', 'tmp'] as const) {
				assert.ok(await lab.exists(lab.hostFolder(kind)), `${lab.hostFolder(kind)} is missing`);
			}
		},
	},
	{
		name: 'html/user/schedulers.txt and the master page name the same scheduler; config.xml has no cgi_url',
		run: async (lab) => {
			const url = await schedulerUrl(lab);
			assert.ok((await lab.get('html/user/schedulers.txt')).includes(`<scheduler>${url}</scheduler>`));
			assert.ok(!(await lab.get('config.xml')).includes('<cgi_url>'));
			return url;
		},
	},
	{
		name: 'get_project_config.php gives the name, the URL and platforms',
		run: async (lab) => {
			const { status, body } = await httpGet(lab.connection, `${lab.project.config.masterUrl}get_project_config.php`);
			const text = body.toString('utf8');
			assert.equal(status, 200);
			assert.ok(text.includes(`<master_url>${lab.project.config.masterUrl}</master_url>`), text);
			assert.match(text, /<project_config>[\s\S]*<name>[\s\S]*<min_passwd_length>\d+<[\s\S]*<platforms>/);
		},
	},
	{
		name: 'keys/ holds public keys in BOINC’s text form, and the transitioner’s private key',
		run: async (lab) => {
			for (const name of ['code_sign_public', 'upload_public']) {
				const text = await lab.get(`${lab.project.config.keyDir}/${name}`);
				assert.match(text, /^1024\n(?:[0-9a-f]{64}\n){8}\.\n?$/, `keys/${name}`);
			}
			assert.ok(await lab.exists(`${lab.project.config.keyDir}/upload_private`));
		},
	},
	{
		name: 'bin/status without a terminal says one line, with -v a table; both exit 0',
		run: async (lab) => {
			const brief = await lab.tool('status', []);
			assert.deepEqual([brief.code, brief.stdout], [0, 'BOINC is ENABLED\n']);
			const long = await lab.tool('status', ['-v']);
			assert.equal(long.code, 0);
			assert.match(long.stdout, /^BOINC is ENABLED\n\nDAEMON +pid +status +lockfile +disabled +commandline\n/);
			const row = /^ *\d+ +(\d+) +(running|NOT RUNNING) +(locked|UNLOCKED) +(yes|no) +(\S.*)$/gm;
			const daemons = [...long.stdout.matchAll(row)].map((match) => [match[2], match[3], match[4], match[5]?.split(' ')[0]]);
			for (const name of ['feeder', 'transitioner', 'file_deleter']) {
				assert.ok(
					daemons.some((found) => found.join(' ') === `running locked no ${name}`),
					`${name} is not shown as running:\n${long.stdout}`,
				);
			}
		},
	},
	{
		name: 'pid_HOST/*.pid name live processes with the daemon’s command line',
		run: async (lab) => {
			const out = await lab.sh(
				'for n in feeder transitioner file_deleter; do p=$(cat "$1/$n.pid"); printf "%s " "$n"; tr "\\0" " " < "/proc/$p/cmdline"; echo; done',
				lab.hostFolder('pid'),
			);
			for (const name of ['feeder', 'transitioner', 'file_deleter']) {
				assert.match(out, new RegExp(`^${name} .*${name}`, 'm'));
			}
		},
	},
	{
		name: 'the feeder takes reread_db away within seconds',
		run: async (lab) => {
			await lab.sh('touch reread_db');
			await lab.until('reread_db gone', async () => !(await lab.exists('reread_db')), 15);
		},
	},
	{
		name: 'the stock platforms are in the database',
		run: async (lab) => {
			const rows = await lab.select<{ name: string }>('SELECT name FROM platform');
			const names = new Set(rows.map((row) => row.name));
			const wanted = [
				'windows_x86_64',
				'windows_arm64',
				'x86_64-pc-linux-gnu',
				'aarch64-unknown-linux-gnu',
				'x86_64-apple-darwin',
				'arm64-apple-darwin',
				'anonymous',
				PROBE_PLATFORM,
			];
			assert.deepEqual(
				wanted.filter((name) => !names.has(name)),
				[],
			);
		},
	},
];
