import { expect, test } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { parseConfig } from '../../../src/project/config.js';

const CONFIG = `<?xml version="1.0" ?>
<boinc>
  <config>
    <long_name>Räder &amp; Ritzel</long_name>
    <master_url>https://example.org/proj</master_url>
    <host>head</host>
    <db_host>db.example.org:3307</db_host>
    <db_name>proj</db_name>
    <db_user>boinc</db_user>
    <db_passwd>s&lt;cret</db_passwd>
    <download_dir>/srv/proj/download/</download_dir>
    <download_url>https://example.org/proj/download</download_url>
    <upload_dir>/srv/proj/upload</upload_dir>
    <upload_url>https://example.org/proj_cgi/file_upload_handler</upload_url>
    <key_dir>/srv/proj/keys/</key_dir>
    <app_dir>/srv/proj/apps</app_dir>
    <log_dir>/srv/proj/log_head</log_dir>
    <uldl_dir_fanout>1024</uldl_dir_fanout>
    <send_result_abort>1</send_result_abort>
    <daemon_start_script>bin/start</daemon_start_script>
  </config>
  <tasks><task><cmd>update_stats</cmd></task></tasks>
  <daemons>
    <daemon><cmd>feeder -d 3</cmd></daemon>
    <!-- <daemon><cmd>off</cmd></daemon> -->
    <daemon>
      <cmd>sample_trivial_validator --app mysci -d 3</cmd>
      <output>validator_mysci.log</output>
      <pid_file>validator_mysci.pid</pid_file>
      <disabled>1</disabled>
      <host>other</host>
    </daemon>
  </daemons>
</boinc>
`;

test('reads everything a project says about itself', async () => {
	const config = await parseConfig(CONFIG, '/srv/proj');
	expect(config).toEqual({
		longName: 'Räder & Ritzel',
		masterUrl: 'https://example.org/proj/',
		host: 'head',
		database: { host: 'db.example.org:3307', name: 'proj', user: 'boinc', password: 's<cret' },
		downloadDir: '/srv/proj/download',
		downloadUrl: 'https://example.org/proj/download',
		uploadDir: '/srv/proj/upload',
		uploadUrl: 'https://example.org/proj_cgi/file_upload_handler',
		keyDir: '/srv/proj/keys',
		appDir: '/srv/proj/apps',
		logDir: '/srv/proj/log_head',
		uldlDirFanout: 1024,
		sendResultAbort: true,
		dontSendJobs: false,
		daemonUser: undefined,
		daemons: [
			{ command: 'feeder -d 3', output: undefined, pidFile: undefined, disabled: false, host: undefined },
			{
				command: 'sample_trivial_validator --app mysci -d 3',
				output: 'validator_mysci.log',
				pidFile: 'validator_mysci.pid',
				disabled: true,
				host: 'other',
			},
		],
	});
});

test('uses the defaults of BOINC’s own code for what is absent', async () => {
	const config = await parseConfig(
		'<boinc><config><master_url>http://a/p/</master_url><db_name>p</db_name><host>h</host></config></boinc>',
		'/p',
	);
	expect(config).toMatchObject({
		downloadDir: '/p/download',
		downloadUrl: 'http://a/p/download',
		uploadDir: '/p/upload',
		keyDir: '/p/keys',
		appDir: '/p/apps',
		logDir: '/p/log_h',
		uldlDirFanout: 0,
		sendResultAbort: false,
		database: { host: '', user: '', password: '' },
		daemons: [],
	});
});

test('an empty flag is on, as in BOINC', async () => {
	const config = await parseConfig(CONFIG.replace('<send_result_abort>1</send_result_abort>', '<send_result_abort/>'), '/p');
	expect(config.sendResultAbort).toBe(true);
	const off = await parseConfig(
		CONFIG.replace('<send_result_abort>1</send_result_abort>', '<send_result_abort>0</send_result_abort>'),
		'/p',
	);
	expect(off.sendResultAbort).toBe(false);
});

test('reads a file with a byte order mark and CRLF', async () => {
	const config = await parseConfig(`\uFEFF${CONFIG.replaceAll('\n', '\r\n')}`, '/srv/proj');
	expect(config.daemons).toHaveLength(2);
	expect(config.longName).toBe('Räder & Ritzel');
});

test.each([
	['a tag that is not closed', CONFIG.replace('</config>', '')],
	['an empty file', ''],
	['another document', '<html><config/></html>'],
	['no <config>', '<boinc><daemons/></boinc>'],
	['no master_url', CONFIG.replace(/<master_url>.*/, '')],
	['no db_name', CONFIG.replace(/<db_name>.*/, '')],
])('refuses %s and names the file', async (_what, xml) => {
	const error: unknown = await parseConfig(xml, '/srv/proj').catch((cause: unknown) => cause);
	expect(BoincError.is(error, 'config-invalid')).toBe(true);
	expect(String(error)).toContain('/srv/proj/config.xml');
	expect(JSON.stringify(error) + String(error)).not.toContain('cret');
});
