import { BoincError, isAbort, messageOf, throwIfAborted } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { mapped } from '../common/sequence.js';
import { equipmentOfApp, usesMachines } from '../project/apps.js';
import { releaseBatch, setBatchState } from '../project/batches.js';
import { daemonWarnings } from '../project/daemons.js';
import type { Equipment } from '../project/ownPlanClasses.js';
import type { Project } from '../project/project.js';
import { stageFiles } from '../project/staging.js';
import { cancelBatch } from './cancel.js';
import { chooseApp, needsOf } from './chooseApp.js';
import { createJobs, type OpenBatch } from './createJobs.js';
import { createWorkArguments, type CreateWorkOptions } from './createWork.js';
import { type HostNeeds, hostNeeds } from './hostNeeds.js';
import type { JobRange } from './jobChunks.js';
import { jobName } from './names.js';
import { openBatch } from './openBatch.js';
import { type BatchPlan, planBatch } from './planBatch.js';
import { boincBounds } from './resources.js';
import type { BatchSpec, SubmittedBatch } from './types.js';
import { writeTemplate } from './writeTemplate.js';

const TIDY_PASSES = 2;

/**
 * Submits a batch: checks everything, sends what the server lacks, creates the jobs and verifies in the database that all
 * exist. A bad batch is refused before anything is sent (`job-invalid`, `app-missing`, `app-incomplete`, …). When creating
 * fails or is cancelled midway, the jobs made so far are cancelled and the batch is marked as aborted; sent files stay, for they
 * have content-addressed names and the next try uses them. When this program or the connection ends midway, the same call
 * again goes on with that batch; jobs have names from batch and number, so none is made twice. `steps` makes the jobs in parts
 * and may wait between them.
 */
export async function submitBatch(
	project: Project,
	spec: BatchSpec,
	ctx: OperationContext,
	steps: SubmitSteps = allAtOnce,
): Promise<SubmittedBatch> {
	const plan = planBatch(spec, project.config);
	ctx.progress.report({ message: `Checking the app ${spec.app}` });
	const { app, appVersionNum } = await chooseApp(project, spec.app, needsOf(spec), ctx.signal);
	// Options that cannot be written are refused now; the number of the batch is not known yet.
	const hosts = hostNeeds(spec, usesMachines(app));
	const options = optionsOf(spec, plan, appVersionNum, hosts, equipmentOfApp(app));
	createWorkArguments({ ...options, batch: 1 });
	const staged = await stageFiles(project, [...plan.files, ...plan.jobFiles], ctx);
	const [warnings] = await Promise.all([
		daemonWarnings(project, spec.app, ctx.signal),
		writeTemplate(project, plan.input, ctx.signal),
		writeTemplate(project, plan.output, ctx.signal),
	]);
	throwIfAborted(ctx.signal);
	const { id, kind } = await openBatch(project, spec, plan, options, app.id, ctx);
	const submitted = (bytesSent: number, notes: readonly string[]): SubmittedBatch => ({
		id,
		name: spec.name,
		jobs: spec.jobs.length,
		jobNames: mapped(spec.jobs, ({ label }, index) => jobName(id, index, label)),
		bytesSent: staged.bytesSent + bytesSent,
		isOld: kind === 'there',
		notes: [...notes, ...hosts.notes, ...warnings.map((text) => `Warning: ${text}`)],
	});
	if (kind === 'there') {
		return submitted(0, []);
	}
	try {
		let bytesSent = 0;
		const batch: OpenBatch = { spec, plan, options: { ...options, batch: id }, existing: kind === 'new' ? 'none' : 'some' };
		const make = async (range: JobRange): Promise<void> => {
			bytesSent += (await createJobs(project, batch, range, ctx)).bytesSent;
		};
		if ((await steps({ project, id, jobs: spec.jobs.length, spec }, make, ctx)) === 'handed over') {
			return submitted(0, [
				`${project.connection.name} itself makes the jobs of batch ${id} from now on, and keeps doing so when this computer sleeps.`,
			]);
		}
		await setBatchState(project, id, 'in-progress', spec.jobs.length);
		ctx.log.info(`submitted batch ${id} with ${plural(spec.jobs.length, 'job')} to ${project.name}`);
		return submitted(bytesSent, kind === 'resumed' ? [`Batch ${id} of an earlier submission was completed.`] : []);
	} catch (error) {
		// Of an earlier submission some jobs may be done by now: that they are taken back was not asked for.
		throw await abandon(project, id, error, kind === 'resumed' || keepsAfter(error, spec), ctx);
	} finally {
		await releaseBatch(project, id).catch((error: unknown) => ctx.log.debug(messageOf(error)));
	}
}

/** Makes all jobs of a batch by calls of `make`, in the order of their numbers; or has another program begin with it: `handed over`. */
export type SubmitSteps = (
	batch: { readonly project: Project; readonly id: number; readonly jobs: number; readonly spec: BatchSpec },
	make: (range: JobRange) => Promise<void>,
	ctx: OperationContext,
) => Promise<'made' | 'handed over'>;

const allAtOnce: SubmitSteps = async ({ jobs }, make) => {
	await make({ from: 0, to: jobs });
	return 'made';
};

function optionsOf(
	spec: BatchSpec,
	plan: BatchPlan,
	appVersionNum: number | undefined,
	hosts: HostNeeds,
	equipment: Equipment,
): Omit<CreateWorkOptions, 'batch'> {
	return {
		appname: spec.app,
		wuTemplate: plan.input.path,
		resultTemplate: plan.output.path,
		...boincBounds(spec.resources, hosts, equipment),
		...spec.replication,
		...(spec.priority !== undefined && { priority: spec.priority }),
		...(appVersionNum !== undefined && { appVersionNum }),
		...spec.boinc,
	};
}

/** Whether the jobs that were made stay: that was asked for, and the person stopped it or the server is gone. */
const keepsAfter = (error: unknown, { stopped }: BatchSpec): boolean =>
	stopped === 'keep' && (isAbort(error) || BoincError.is(error, 'connection-lost', 'database-unreachable'));

/**
 * What becomes of a batch that could not be completed: it is taken back, or kept. Resolves to the error to throw, which says what remains.
 */
async function abandon(project: Project, id: number, cause: unknown, isKept: boolean, ctx: OperationContext): Promise<unknown> {
	// The person's signal has fired already, or must not stop the tidying.
	const tidy: OperationContext = { log: ctx.log, progress: ctx.progress, clock: ctx.clock };
	const left = isKept
		? `The jobs of batch ${id} that were made stay; submit the same again to make the others.`
		: await takeBack(project, id, tidy);
	if (isAbort(cause)) {
		ctx.log.warn(left);
		return cause;
	}
	ctx.log.info(left);
	const code = BoincError.is(cause) ? cause.code : 'submit-incomplete';
	const remedy = BoincError.is(cause) ? cause.remedy : undefined;
	return new BoincError(code, `${messageOf(cause)} ${left}`, {
		cause,
		...(remedy !== undefined && { remedy }),
		detail: { ...(BoincError.is(cause) ? cause.detail : {}), batch: id },
	});
}

async function takeBack(project: Project, id: number, ctx: OperationContext): Promise<string> {
	try {
		let cancelled = 0;
		// A create_work that was cut off may still be at work; what it adds is cancelled by the next pass.
		for (let pass = 0; pass < TIDY_PASSES; pass++) {
			await ctx.clock.sleep(pass * 1000);
			cancelled += (await cancelBatch(project, id, ctx)).cancelled;
		}
		return `Batch ${id} was marked as aborted${cancelled === 0 ? '' : ` and ${plural(cancelled, 'job')} of it cancelled`}.`;
	} catch (error) {
		return `Batch ${id} could not be taken back (${messageOf(error)}). When the server can be reached, submit the same again to complete it, or cancel it.`;
	}
}
