import { describe, expect, it } from 'vitest';

import { usableVersions } from '../../../src/sandbox/web/scheduler/catalog.js';
import { downReply, Reply } from '../../../src/sandbox/web/scheduler/reply.js';
import { appVersionXml, resultXml, workunitXml } from '../../../src/sandbox/web/scheduler/workXml.js';
import type { ServerConfig } from '../../../src/sandbox/web/serverConfig.js';

const use = { platform: 'x86_64-pc-linux-gnu', versionNum: 100, planClass: 'docker', avgNcpus: 1, flops: 1e9, commandLine: '' };
const config = { masterUrl: 'http://h/p/', longName: 'A & B', minSendworkInterval: 6, nextRpcDelay: 0 } as ServerConfig;

describe('texts of a scheduler reply', () => {
	it('puts names behind a result tag that stands alone on its line', () => {
		const xml = resultXml('<file_info>\n</file_info>\n<result>\n<file_ref>\n</file_ref>\n</result>\n', {
			name: 'a_0',
			wuName: 'a',
			deadline: 17,
			use,
		});
		expect(xml).toContain(
			'<result>\n    <report_deadline>17</report_deadline>\n    <wu_name>a</wu_name>\n    <name>a_0</name>\n<file_ref>',
		);
		expect(xml).toMatch(/<plan_class>docker<\/plan_class>\n<\/result>\n$/);
	});

	it.each(['<result>\r\n</result>', '<result> \n</result>', '<result><file_ref/></result>', '<result>\n'])(
		'does not deliver an instance described by %j',
		(text) => {
			expect(resultXml(text, { name: 'a_0', wuName: 'a', deadline: 1, use })).toBeUndefined();
		},
	);

	it('adds the numbers to a job and what depends on the host to a version', () => {
		const values = { name: 'a', appName: 'app', fpopsEst: 1e12, fpopsBound: 1e15, memoryBound: 5, diskBound: 6 };
		expect(workunitXml('<workunit>\n</workunit>', values)).toContain(
			'<workunit>\n    <rsc_fpops_est>1000000000000.000000</rsc_fpops_est>',
		);
		expect(workunitXml('<workunit></workunit>', values)).toBeUndefined();
		expect(appVersionXml('<app_version>\n</app_version>\n', { ...use, commandLine: '--nthreads 2' })).toContain(
			'<cmdline>--nthreads 2</cmdline>',
		);
		expect(appVersionXml('<app_version>', use)).toBeUndefined();
	});

	it('orders the blocks so that nothing refers to what comes later', () => {
		const reply = new Reply(config);
		reply.results.push('<result>R</result>\n');
		reply.workunits.set('w', '<workunit>W</workunit>\n');
		reply.appVersions.set('v', '<app_version>V</app_version>\n');
		reply.apps.set('a', '<app>A</app>\n');
		reply.acks.push('old_0');
		reply.codeSignKey = '1024\nab\n.';
		reply.dontUseDcf = true;
		reply.message('once');
		reply.message('once');
		const xml = reply.toXml();
		const order = [
			'<dont_use_dcf/>',
			'<master_url>',
			'<request_delay>7.000000<',
			'<message priority="low">once<',
			'<result_ack>\n<name>old_0</name>',
			'<app>',
			'<app_version>',
			'<workunit>',
			'<result>',
			'<code_sign_key>\n1024\n',
		];
		const positions = order.map((text) => xml.indexOf(text));
		expect(positions).toEqual([...positions].sort((a, b) => a - b));
		expect(Math.min(...positions)).toBeGreaterThan(0);
		expect(xml.match(/once/g)).toHaveLength(1);
		expect(xml).toContain('<project_name>A &amp; B</project_name>');
	});

	it('keeps clients away at most two days, and says when the project is down', () => {
		const reply = new Reply(config);
		reply.delayAtLeast(1e9);
		expect(reply.toXml()).toContain('<request_delay>172800.000000</request_delay>');
		expect(reply.toXml()).not.toContain('dont_use_dcf');
		expect(downReply('x', 3600)).toContain('<request_delay>3600</request_delay>\n    <project_is_down/>');
	});
});

describe('usable versions', () => {
	const version = (id: number, versionNum: number, planClass = '', appId = 1) => ({
		id,
		appId,
		versionNum,
		platformId: 1,
		platform: 'x86_64-pc-linux-gnu',
		planClass,
		minCoreVersion: 0,
		maxCoreVersion: 0,
	});
	const app = (minVersion: number) =>
		new Map([[1, { id: 1, name: 'a', friendlyName: 'A', minVersion, nonCpuIntensive: false, homogeneousAppVersion: false }]]);

	it('are the newest of each plan class', () => {
		const list = usableVersions([version(1, 100), version(2, 102), version(3, 101, 'docker'), version(4, 500, '', 9)], app(0));
		expect(list.map(({ id }) => id)).toEqual([2, 3]);
	});

	it('are all from the minimal version on when the app has one', () => {
		const list = usableVersions([version(1, 100), version(2, 101), version(3, 102)], app(101));
		expect(list.map(({ id }) => id)).toEqual([3, 2]);
	});
});
