import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { numberOf, textOf } from '../database.js';
import { processOutputTemplate } from '../outputTemplate.js';
import { ToolExit } from '../toolProject.js';
import { type DaemonContext, nowSeconds } from './daemon.js';
import { SERVER_STATE } from './states.js';
import { type Instance, type Job, nextTransition, planTransition } from './transitionPlan.js';

/** Brings one job forward: reads it with its instances, plans, writes. */
export async function transition(context: DaemonContext, workunitId: number): Promise<void> {
	const { database } = context;
	const job = await readJob(context, workunitId);
	if (!job) {
		return;
	}
	const now = nowSeconds();
	const instances = await readInstances(context, workunitId);
	const plan = planTransition(job, instances, now);
	for (const line of plan.notes) {
		context.log('normal', `[WU#${job.id} ${job.name}] ${line}`);
	}
	for (const { instance, changes } of plan.changed) {
		const columns = Object.entries(changes);
		// The scheduler may have sent or received it in between; then the next transition sees that.
		await database.execute(
			`UPDATE result SET ${columns.map(([column]) => `${column} = ?`).join(', ')} WHERE id = ? AND server_state = ?`,
			[...columns.map(([, value]) => value), instance.id, instance.serverState],
		);
	}
	for (let index = 0; index < plan.create; index++) {
		await createInstance(context, job, instances.length + index, now);
	}
	const columns = Object.entries(plan.job);
	if (columns.length > 0) {
		await database.execute(`UPDATE workunit SET ${columns.map(([column]) => `${column} = ?`).join(', ')} WHERE id = ?`, [
			...columns.map(([, value]) => value),
			job.id,
		]);
	}
	// A report in between has set the time anew, and the job must be looked at again.
	await database.execute('UPDATE workunit SET transition_time = ? WHERE id = ? AND transition_time = ?', [
		nextTransition(job, plan, now),
		job.id,
		job.transitionTime,
	]);
}

async function readJob(context: DaemonContext, id: number): Promise<Job | undefined> {
	const [row] = await context.database.select(
		`SELECT id, name, appid, batch, priority, size_class, error_mask, canonical_resultid, need_validate, assimilate_state,
			file_delete_state, min_quorum, target_nresults, max_error_results, max_total_results, transitioner_flags, delay_bound,
			transition_time, result_template_file FROM workunit WHERE id = ?`,
		[id],
	);
	return (
		row && {
			id: numberOf(row, 'id'),
			name: textOf(row, 'name'),
			appId: numberOf(row, 'appid'),
			batch: numberOf(row, 'batch'),
			priority: numberOf(row, 'priority'),
			sizeClass: numberOf(row, 'size_class'),
			errorMask: numberOf(row, 'error_mask'),
			canonicalResultId: numberOf(row, 'canonical_resultid'),
			needValidate: numberOf(row, 'need_validate') !== 0,
			assimilateState: numberOf(row, 'assimilate_state'),
			fileDeleteState: numberOf(row, 'file_delete_state'),
			minQuorum: numberOf(row, 'min_quorum'),
			targetResults: numberOf(row, 'target_nresults'),
			maxErrorResults: numberOf(row, 'max_error_results'),
			maxTotalResults: numberOf(row, 'max_total_results'),
			transitionerFlags: numberOf(row, 'transitioner_flags'),
			delayBound: numberOf(row, 'delay_bound'),
			transitionTime: numberOf(row, 'transition_time'),
			outputTemplate: textOf(row, 'result_template_file'),
		}
	);
}

async function readInstances(context: DaemonContext, workunitId: number): Promise<Instance[]> {
	const rows = await context.database.select(
		`SELECT id, name, server_state, outcome, client_state, validate_state, file_delete_state, exit_status, report_deadline
			FROM result WHERE workunitid = ? ORDER BY id`,
		[workunitId],
	);
	return rows.map((row) => ({
		id: numberOf(row, 'id'),
		name: textOf(row, 'name'),
		serverState: numberOf(row, 'server_state'),
		outcome: numberOf(row, 'outcome'),
		validateState: numberOf(row, 'validate_state'),
		fileDeleteState: numberOf(row, 'file_delete_state'),
		exitStatus: numberOf(row, 'exit_status'),
		reportDeadline: numberOf(row, 'report_deadline'),
	}));
}

/** A template that is gone ends the daemon, as the real one does: the next start fails on the same job. */
async function createInstance(context: DaemonContext, job: Job, number: number, now: number): Promise<void> {
	const name = `${job.name}_${number}`;
	const template = await readFile(path.join(context.settings.root, job.outputTemplate), 'utf8').catch(() => {
		context.io.err(`Failed to read result template file '../${job.outputTemplate}': Error -1\n`);
		context.log('critical', `[WU#${job.id} ${job.name}] create_result_ti(): Error -1`);
		context.log('critical', `[WU#${job.id} ${job.name}] handle_wu: Error -1; quitting`);
		throw new ToolExit(1);
	});
	const xml = processOutputTemplate(template, name, randomInt(2_147_483_647), context.settings.uploadUrl);
	await context.database.execute(
		`INSERT INTO result (create_time, workunitid, server_state, outcome, client_state, hostid, userid, report_deadline,
			sent_time, received_time, name, cpu_time, xml_doc_in, xml_doc_out, stderr_out, batch, file_delete_state, validate_state,
			claimed_credit, granted_credit, opaque, random, app_version_num, appid, exit_status, teamid, priority, elapsed_time,
			flops_estimate, app_version_id, runtime_outlier, size_class, peak_working_set_size, peak_swap_size, peak_disk_usage)
			VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0, 0, ?, 0, ?, '', '', ?, 0, 0, 0, 0, 0, ?, 0, ?, 0, 0, ?, 0, 0, 0, 0, ?, 0, 0, 0)`,
		// A job with a size class waits for the size regulator.
		[
			now,
			job.id,
			job.sizeClass < 0 ? SERVER_STATE.unsent : SERVER_STATE.inactive,
			name,
			xml,
			job.batch,
			randomInt(2_147_483_647),
			job.appId,
			job.priority,
			job.sizeClass,
		],
	);
}
