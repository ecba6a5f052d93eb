import { describe, expect, it } from 'vitest';

import { hostMisc } from '../../../src/sandbox/web/scheduler/hosts.js';
import { parseRequest } from '../../../src/sandbox/web/scheduler/request.js';
import { schedulerRequest } from './requestText.js';

describe('reading a scheduler request', () => {
	it('reads what a client reports about a finished task, byte for byte', () => {
		const stderr =
			'<core_client_version>7.20.5</core_client_version>\n<![CDATA[\n<message>\nprocess exited with code 42</message>\n]]>\n';
		const request = parseRequest(
			schedulerRequest({
				body: `<result>\n<name>a_0</name>\n<final_cpu_time>1.5</final_cpu_time>\n<final_elapsed_time>2.5</final_elapsed_time>\n<exit_status>42</exit_status>\n<state>3</state>\n<app_version_num>100</app_version_num>\n<stderr_out>\n${stderr}</stderr_out>\n<file_info>\n<name>a_0_r1_0</name>\n<nbytes>5</nbytes>\n</file_info>\n</result>`,
			}),
		)!;
		expect(request.reports).toHaveLength(1);
		expect(request.reports[0]).toMatchObject({
			name: 'a_0',
			exitStatus: 42,
			clientState: 3,
			cpuTime: 1.5,
			elapsedTime: 2.5,
			appVersionNum: 100,
		});
		expect(request.reports[0]?.stderrOut).toBe(`\n${stderr}`);
		expect(request.reports[0]?.xmlDocOut).toBe('<file_info>\n<name>a_0_r1_0</name>\n<nbytes>5</nbytes>\n</file_info>\n');
	});

	it('puts the primary platform first and reads limits from the preferences', () => {
		const request = parseRequest(
			schedulerRequest({
				body: '<alt_platform>\n<name>i686-pc-linux-gnu</name>\n</alt_platform><working_global_preferences><global_preferences><ram_max_used_busy_pct>20</ram_max_used_busy_pct><ram_max_used_idle_pct>60</ram_max_used_idle_pct><max_ncpus_pct>50</max_ncpus_pct></global_preferences></working_global_preferences>',
			}),
		)!;
		expect(request.platforms).toEqual(['x86_64-pc-linux-gnu', 'i686-pc-linux-gnu']);
		expect([request.ramFraction, request.cpuFraction, request.clientVersion]).toEqual([0.6, 0.5, 72_005]);
	});

	it('tells an empty list of tasks from none', () => {
		expect(parseRequest(schedulerRequest({}))?.otherResults).toBeUndefined();
		expect(parseRequest(schedulerRequest({ body: '<other_results>\n</other_results>' }))?.otherResults).toEqual([]);
	});

	it('refuses what is no request', () => {
		expect(parseRequest('')).toBeUndefined();
		expect(parseRequest('<html></html>')).toBeUndefined();
	});

	it('describes the engine of the host, reported or assumed', () => {
		const without = parseRequest(schedulerRequest({}))!;
		const reported = parseRequest(
			schedulerRequest({ host: '<docker_version>24.0</docker_version><docker_type>1</docker_type>' }),
		)!;
		expect(JSON.parse(hostMisc(without, false))).toEqual({ client_version: '7.20.5' });
		expect(JSON.parse(hostMisc(without, true))).toMatchObject({ docker: { type: 2 } });
		expect(JSON.parse(hostMisc(reported, true))).toMatchObject({ docker: { version: '24.0', type: 1 } });
		const refused = parseRequest(schedulerRequest({ body: '<dont_use_docker/>' }))!;
		expect(JSON.parse(hostMisc(refused, false))).toMatchObject({ config: { dont_use_docker: true } });
	});
});
