import assert from 'node:assert/strict';

import { editPlanClassSpec } from '../../../src/project/configEdit.js';
import type { Check } from '../checks.js';
import type { Reply, RequestOptions } from '../fakeClient.js';
import type { Lab } from '../lab.js';
import { PROBE_CLASS, PROBE_PLATFORM, probeApp } from '../probe.js';
import { definePlanClass, place, probeVersion, updateVersions } from './appVersions.js';
import { newClient, readyJob } from './sentTask.js';

/** BOINC goes by the part `vbox` in the name. */
const MACHINE_CLASS = 'b2dprobe_vbox64';
const VIRTUALBOX = { dockerVersion: '', virtualboxVersion: '7.0.20', features: 'fpu vmx' } as const;

/** Gives the probe app a version for VirtualBox beside the one for Docker, with the class that Install App defines. */
function machineVersion(lab: Lab): Promise<void> {
	return lab.once('probe version for VirtualBox', async () => {
		await probeVersion(lab);
		const ours = /<plan_class>[^]*<\/plan_class>\n/.exec(editPlanClassSpec(undefined, [], ['vm']).text)?.[0] ?? '';
		await definePlanClass(lab, ours.replace('vbox64_mt', MACHINE_CLASS));
		await place(lab, `1.00/${PROBE_PLATFORM}__${MACHINE_CLASS}`, [
			{ name: `${lab.tag}_vboxwrapper_1`, text: '#!/bin/sh\nexit 1\n', listed: '<main_program/>', mode: '755' },
			{ name: `${lab.tag}_vm_1.iso`, text: 'iso\n', listed: '<logical_name>vm_isocontext.iso</logical_name><copy_file/>' },
			{ name: `${lab.tag}_disk_1.vdi`, text: 'disk\n', listed: '<logical_name>vm_cache.vdi</logical_name><copy_file/>' },
		]);
		const { stdout, stderr } = await updateVersions(lab);
		const { id } = await probeApp(lab);
		lab.defer('probe version for VirtualBox', () => withdraw(lab, id));
		const rows = await lab.select('SELECT 1 FROM app_version WHERE appid = ? AND plan_class = ?', id, MACHINE_CLASS);
		assert.equal(rows.length, 1, `${stdout}${stderr}`);
		await lab.until('reread_db gone', async () => !(await lab.exists('reread_db')), 15);
	});
}

/** The other checks know one version of the app. */
export async function withdraw(lab: Lab, appId: number, planClass = MACHINE_CLASS): Promise<void> {
	await lab.write('UPDATE app_version SET deprecated = 1 WHERE appid = ? AND plan_class = ?', appId, planClass);
	await lab.sh('touch reread_db');
}

/** Asks as new hosts of one kind until the job is sent. */
export async function sentTo(lab: Lab, job: string, host: RequestOptions): Promise<Reply> {
	const client = await newClient(lab);
	return lab.until(
		`${job}_0 sent`,
		async () => {
			const reply = await client.ask(host.coprocs === undefined ? { seconds: 1, ...host } : host);
			return reply.text.includes(`<name>${job}_0</name>`) && reply;
		},
		45,
	);
}

export const machineChecks: readonly Check<Lab>[] = [
	{
		name: 'a host with VirtualBox and no engine is sent the version for VirtualBox, its ISO and disk as copies',
		run: async (lab) => {
			await machineVersion(lab);
			const reply = await sentTo(lab, await readyJob(lab, 'vm'), VIRTUALBOX);
			const version = reply.one('app_version') ?? '';
			assert.ok(version.includes(`<plan_class>${MACHINE_CLASS}</plan_class>`), version);
			assert.match(version, /<open_name>vm_isocontext\.iso<\/open_name>\s*<copy_file\/>/);
			assert.match(version, /<open_name>vm_cache\.vdi<\/open_name>\s*<copy_file\/>/);
			assert.match(version, /<avg_ncpus>1(\.0+)?<\/avg_ncpus>/);
			assert.doesNotMatch(reply.one('cmdline') ?? '', /\S/);
		},
		timeoutMs: 120_000,
	},
	{
		name: 'an old VirtualBox, or a processor that does not virtualise, is sent nothing',
		run: async (lab) => {
			await machineVersion(lab);
			const job = await readyJob(lab, 'novm');
			for (const host of [
				{ ...VIRTUALBOX, virtualboxVersion: '5.2.44' },
				{ ...VIRTUALBOX, features: 'fpu' },
			]) {
				const reply = await (await newClient(lab)).ask({ seconds: 1, ...host });
				assert.equal(reply.one('result'), undefined, JSON.stringify(host));
			}
			// The job was there for the taking.
			await sentTo(lab, job, VIRTUALBOX);
		},
		timeoutMs: 120_000,
	},
	{
		name: 'a host with both is sent either; BOINC adds chance to its guesses',
		run: async (lab) => {
			await machineVersion(lab);
			const job = await readyJob(lab, 'both');
			const reply = await sentTo(lab, job, { ...VIRTUALBOX, dockerVersion: '5.1.0' });
			const sent = [PROBE_CLASS, MACHINE_CLASS].filter((name) =>
				reply.one('app_version')?.includes(`<plan_class>${name}</plan_class>`),
			);
			assert.equal(sent.length, 1, reply.text);
			await withdraw(lab, (await probeApp(lab)).id);
			return `this time ${sent.join('')}`;
		},
		timeoutMs: 120_000,
	},
];
