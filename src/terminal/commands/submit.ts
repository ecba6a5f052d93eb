import { BoincError, isAbort } from '../../common/errors.js';
import { formatBytes, plural } from '../../common/format.js';
import { given } from '../../common/given.js';
import { listOf } from '../../common/sequence.js';
import { findEngine } from '../../image/engine.js';
import { describeJobs } from '../../job/describeJobs.js';
import type { ImageSource } from '../../job/imageSource.js';
import type { SubmissionPlan } from '../../job/submissionPlan.js';
import { type ContainerRequest, submitContainer } from '../../job/submitImage.js';
import type { SubmittedBatch } from '../../job/types.js';
import { cardText, type PlanCard, planCard } from '../../monitor/planCard.js';
import { submitSteps } from '../../monitor/submitSteps.js';
import { architecturesOf, installedApps } from '../../project/apps.js';
import { DEFAULT_APP } from '../../project/installChoices.js';
import { refillFiles } from '../../project/refills.js';
import { EXIT } from '../exitCode.js';
import { collected, printJson, type RegisterCommand } from '../register.js';
import { cacheDir, type GlobalOptions, type Session } from '../session.js';
import { printable, printableLines, table } from '../table.js';
import { followBatch } from './followBatch.js';
import { imageSource, nameOf, orNothingOfName, unusedJobFile } from './imageSource.js';
import { isJobFile, JOB_FILE, type NamedJobs, previewJson, previewOf, readJobFile, withOptions } from './jobFile.js';
import { addJobOptions, requestFor, stepsOf, type SubmitOptions } from './jobOptions.js';
import { keepSubmitting } from './keepSubmitting.js';
import { requireNode, stepsOnServer } from './onServer.js';

/** The app to submit to: the one that is named, else the only one that runs containers, else ours. */
async function appFor({ project, ctx, terminal }: Session, options: GlobalOptions): Promise<string> {
	if (options.app !== undefined) {
		return options.app;
	}
	const apps = (await installedApps(project, ctx.signal)).filter((app) => !app.deprecated && architecturesOf(app).length > 0);
	const [first, ...others] = apps;
	if (!first) {
		return DEFAULT_APP; // submitting says that it is missing and what to do
	}
	if (others.length > 0 && !apps.some(({ name }) => name === DEFAULT_APP)) {
		throw new BoincError('usage', `${project.name} has several apps that run containers.`, {
			remedy: `Add --app with one of: ${apps.map(({ name }) => name).join(', ')}.`,
		});
	}
	if (others.length > 0 && options.json !== true) {
		terminal.line(printable(`The app is ${DEFAULT_APP}; --app names another of: ${apps.map(({ name }) => name).join(', ')}.`));
	}
	return others.length > 0 ? DEFAULT_APP : first.name;
}

async function wholeRequest(
	session: Session,
	{ name, words, file }: SubmitWish,
	options: SubmitOptions,
): Promise<Partial<ContainerRequest> & Pick<ContainerRequest, 'name' | 'app'>> {
	const said = await requestFor(options, words);
	const request = file ? withOptions(file, said, options.app) : said;
	return {
		...request,
		name: options.name ?? file?.request.name ?? name,
		app: options.app ?? file?.request.app ?? (await appFor(session, options)),
	};
}

/** What is to be submitted, besides what the options say. */
export interface SubmitWish {
	readonly image: ImageSource;
	/** Of the batch, unless an option or the file gives one. */
	readonly name: string;
	/** Instead of the image’s command; empty for that. */
	readonly words: readonly string[];
	readonly file?: NamedJobs;
}

/** Submits, and waits and fetches if asked to; prints what happened, or the plan alone. `begun` is told when the person has agreed. */
export async function submitAndReport(
	session: Session,
	wish: SubmitWish,
	options: SubmitOptions,
	begun: () => void = () => undefined,
): Promise<number> {
	const { batch, card } = await submitWish(session, wish, options, begun);
	const plan = card && { ...card.plan, hosts: card.hosts, warnings: card.warnings };
	if (!batch) {
		console.log(options.json === true ? JSON.stringify({ plan }) : printableLines(card ? cardText(card) : ''));
		return EXIT.ok;
	}
	if (options.json !== true) {
		sayBatch(session, batch, options);
	}
	if (options.wait === true || options.fetch !== undefined) {
		return followBatch(session, { batch: batchJson(batch), plan }, { id: batch.id, then: wish.file?.then }, options);
	}
	if (options.json === true) {
		printJson({ batch: batchJson(batch), plan });
	}
	return EXIT.ok;
}

async function submitWish(
	session: Session,
	wish: SubmitWish,
	options: SubmitOptions,
	begun: () => void,
): Promise<{ batch: SubmittedBatch | undefined; card: PlanCard | undefined }> {
	const { project, terminal, ctx } = session;
	const { image } = wish;
	if (options.onServer === true) {
		await requireNode(project, ctx.signal);
	}
	const request = await wholeRequest(session, wish, options);
	const engine = image.kind === 'archive' ? undefined : await findEngine(ctx, given({ command: options.engine }));
	const onLog = options.verbose === true ? { onLog: (line: string) => terminal.line(printable(line)) } : {};
	let card: PlanCard | undefined;
	const approve = async (plan: SubmissionPlan): Promise<boolean> => {
		card = await planCard(project, plan);
		const isAgreed = options.dryRun !== true && (await approved(session, card, options));
		if (isAgreed) {
			begun();
		}
		return isAgreed;
	};
	const parts = stepsOf(options);
	const steps = options.onServer === true ? stepsOnServer(parts) : submitSteps(parts);
	const services = { engine, cacheDir: cacheDir(), approve, steps };
	try {
		return { batch: await submitContainer(project, { ...request, image, ...onLog }, services, ctx), card };
	} catch (error) {
		if (options.dryRun === true && card && isAbort(error)) {
			return { batch: undefined, card };
		}
		throw error;
	} finally {
		terminal.clear();
	}
}

/** Names of jobs that are told; they follow from the batch’s number. */
const MOST_NAMES = 10_000;

const batchJson = (batch: SubmittedBatch): unknown => ({
	...batch,
	jobNames: batch.jobs > MOST_NAMES ? undefined : listOf(batch.jobNames),
});

/** Shows the card, and asks once where there is somebody to ask: a script said what it wants. */
async function approved({ terminal, project }: Session, card: PlanCard, options: SubmitOptions): Promise<boolean> {
	if (options.json !== true) {
		terminal.line(printableLines(cardText(card)));
	}
	if (options.yes === true || !process.stdin.isTTY) {
		return true;
	}
	const message = `Submit ${plural(card.plan.jobs, 'job')} to ${project.name}?`;
	const isAgreed = await terminal.prompts.confirm({ title: 'Submit', message, accept: 'Submit' });
	if (!isAgreed) {
		terminal.line('Nothing was sent. Add --yes to submit without this question.');
	}
	return isAgreed;
}

function sayBatch({ terminal, project }: Session, batch: SubmittedBatch, options: SubmitOptions): void {
	for (const note of batch.notes) {
		terminal.line(printable(note));
	}
	const name = `${batch.id} “${printable(batch.name)}”`;
	console.log(
		batch.isOld
			? `Batch ${name} has ${batch.jobs === 1 ? 'this job' : `these ${plural(batch.jobs, 'job')}`} already; nothing was submitted.`
			: `Submitted batch ${name}: ${plural(batch.jobs, 'job')}, ${formatBytes(batch.bytesSent)} sent.`,
	);
	if (options.onServer === true) {
		const { spec, log } = refillFiles(project, batch.id);
		console.log(`The server makes its jobs from ${spec} and writes ${log}; boinc2docker cancel ${batch.id} ends that.`);
	}
	if (options.wait !== true && options.fetch === undefined) {
		console.log(`Follow it with: boinc2docker status ${batch.id} --wait`);
	}
}

async function submitFile(name: string, options: SubmitOptions, words: readonly string[]): Promise<number> {
	const jobs = await readJobFile(name);
	if (options.preview === true) {
		const preview = await previewOf(jobs, await requestFor(options, words));
		if (options.json === true) {
			printJson(previewJson(preview));
		} else {
			const { rows, summary } = describeJobs(preview);
			console.log(rows ? `${table(rows.heading, rows.cells)}\n${summary}` : summary);
		}
		return EXIT.ok;
	}
	return keepSubmitting(options, (session, current, begun) =>
		submitAndReport(session, { image: jobs.image, name: jobs.fallbackName, words, file: jobs }, current, begun),
	);
}

/** Submits what is no job file. */
async function submitNamed(what: string, options: SubmitOptions, words: readonly string[]): Promise<number> {
	const unused = await unusedJobFile(what);
	if (options.preview === true) {
		throw new BoincError('usage', '--preview shows the jobs of a job file.', {
			remedy: unused ?? `Name a file such as ${JOB_FILE}. What a submission would do is shown by --dry-run.`,
		});
	}
	const image = await imageSource(what, options);
	if (unused !== undefined) {
		console.error(printable(unused));
	}
	return orNothingOfName(image, () =>
		keepSubmitting(options, (session, current, begun) =>
			submitAndReport(session, { image, name: nameOf(image), words }, current, begun),
		),
	);
}

export const submitCommand: RegisterCommand = (program, setExitCode) => {
	addJobOptions(
		program
			.command('submit')
			.description(
				'build a Dockerfile (or take an image) and submit it as a batch of jobs; shows its plan, and asks only in a terminal and without --yes',
			)
			.argument(
				'[what]',
				`a Dockerfile, a folder with one, a saved image (.tar), the name of an image, or a job file such as ${JOB_FILE}, which is the default`,
			)
			.argument('[command...]', 'instead of the image’s command; after --')
			.option('-f, --file <name>', 'Dockerfile in the folder', 'Dockerfile')
			.option('--build-arg <name=value>', 'argument of the build; may be repeated', collected)
			.option('--target <stage>', 'stage of the Dockerfile')
			.option('--platform <os/arch>', 'platform to build for')
			.option('--preview', 'show the jobs of a job file; send nothing')
			.option('--dry-run', 'build and show the plan: what would be sent, and which hosts can take the jobs; send nothing'),
	).action(async (what: string | undefined, words: string[], _own: unknown, command: { optsWithGlobals(): SubmitOptions }) => {
		const options = command.optsWithGlobals();
		if (what === undefined || isJobFile(what)) {
			setExitCode(await submitFile(what ?? JOB_FILE, options, words));
			return;
		}
		setExitCode(await submitNamed(what, options, words));
	});
};
