import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { md5OfFile } from '../../common/content.js';
import { BoincError, messageOf } from '../../common/errors.js';
import { eachParallel } from '../../common/parallel.js';
import type { OperationContext } from '../../common/ports.js';
import type { Project } from '../../project/project.js';
import { type EnginePlan, enginePlan } from './enginePlan.js';
import { type FileReference, fileReferences } from './fileReferences.js';

/** A folder as BOINC's client makes it for a job: what docker_wrapper finds when it starts. */
export interface LocalSlot {
	/** Absolute path of the folder. */
	readonly dir: string;
	readonly job: string;
	/** How the engine is called. */
	readonly plan: EnginePlan;
	/** Bytes that the folder may hold before a client ends the job. */
	readonly diskBytes: number;
	/** Puts what the image is made of into the folder; not needed where the engine has the image. */
	fetchImage(ctx: OperationContext): Promise<void>;
}

interface UnitRow {
	readonly appid: number;
	readonly rsc_disk_bound: number;
	readonly xml_doc: Buffer | string;
}

interface VersionRow {
	readonly platform: string;
	readonly xml_doc: Buffer | string;
}

const PARALLEL = 3;
/** What only a virtual machine needs. */
const MACHINE = ['vbox_job.xml', 'b2d_vm'];
/** Where the client's platform has no version, any Linux one will do: what is taken of it runs in the container. */
const PREFERRED: Partial<Readonly<Record<NodeJS.Architecture, string>>> = {
	x64: 'x86_64-pc-linux-gnu',
	arm64: 'aarch64-unknown-linux-gnu',
};

/**
 * Makes the slot folder of a job from the files on the server: parameter table, inputs, recipe, runner. Files are compared with the
 * MD5 that volunteers' clients compare them with. Rejects with `result-missing` when the project has no such job any more,
 * `app-incomplete`, `job-invalid` for a job that is not ours, or as downloads do.
 */
export async function fetchSlot(project: Project, job: string, dir: string, ctx: OperationContext): Promise<LocalSlot> {
	const database = await project.database();
	const [unit] = await database.select<UnitRow>('SELECT appid, rsc_disk_bound, xml_doc FROM workunit WHERE name = ?', [job]);
	if (!unit) {
		throw new BoincError('result-missing', `${project.name} has no job “${job}”.`, {
			remedy: 'For the names of jobs: boinc2docker status BATCH. Projects purge old jobs from their database.',
			detail: { job },
		});
	}
	const files = fileReferences(unit.xml_doc.toString());
	const version = await versionFor(project, unit.appid);
	const programs = fileReferences(version).filter(({ openName }) => openName === 'busybox' || openName === 'runner');
	if (!files.some(({ openName }) => openName === 'job.toml') || programs.length < 2) {
		throw new BoincError('job-invalid', `The job “${job}” was not submitted by boinc2docker, so it cannot be run here.`, {
			remedy: 'Choose another job.',
			detail: { job },
		});
	}
	await mkdir(path.join(dir, 'shared'), { recursive: true });
	// The client's account and that of the container may differ.
	await chmod(dir, 0o755);
	const isRecipe = ({ openName }: FileReference): boolean => openName === 'job.toml' || openName === 'Dockerfile';
	await fetchFiles(project, files.filter(isRecipe), dir, ctx);
	const recipe = await readFile(path.join(dir, 'Dockerfile'), 'utf8');
	const packs = new Set(/^ADD (.*) \/$/m.exec(recipe)?.[1]?.split(' ') ?? []);
	const isRest = ({ openName }: FileReference): boolean => !packs.has(openName) && !MACHINE.includes(openName);
	const staged = programs.map((file) => ({ ...file, source: `${project.config.downloadDir}/${file.name}` }));
	await fetchFiles(project, [...files.filter((file) => isRest(file) && !isRecipe(file)), ...staged], dir, ctx);
	await Promise.all(['busybox', 'runner'].map((name) => chmod(path.join(dir, name), 0o755)));
	await writeFile(
		path.join(dir, 'init_data.xml'),
		`<app_init_data>\n<wu_name>${job}</wu_name>\n<result_name>${job}_local</result_name>\n</app_init_data>\n`,
	);
	return {
		dir,
		job,
		plan: enginePlan(await readFile(path.join(dir, 'job.toml'), 'utf8')),
		diskBytes: unit.rsc_disk_bound,
		fetchImage: (context) =>
			fetchFiles(
				project,
				files.filter(({ openName }) => packs.has(openName)),
				dir,
				context,
			),
	};
}

/** The XML of the newest version that runs our containers, for this computer's architecture if there is one. */
async function versionFor(project: Project, appId: number): Promise<string> {
	const database = await project.database();
	const rows = await database.select<VersionRow>(
		`SELECT p.name AS platform, av.xml_doc FROM app_version av JOIN platform p ON p.id = av.platformid
		WHERE av.appid = ? AND av.deprecated = 0 AND av.plan_class LIKE '%docker%' AND INSTR(av.xml_doc, 'b2d_runner_') > 0
		ORDER BY av.version_num DESC`,
		[appId],
	);
	const linux = rows.filter(({ platform }) => platform.includes('linux'));
	const found = linux.find(({ platform }) => platform === PREFERRED[process.arch]) ?? linux[0] ?? rows[0];
	if (!found) {
		throw new BoincError('app-incomplete', `The app of this job on ${project.name} has no version that runs containers.`, {
			remedy: 'Install the app again: Install App in the editor, or boinc2docker install.',
		});
	}
	return found.xml_doc.toString();
}

async function fetchFiles(
	project: Project,
	files: readonly (FileReference & { readonly source?: string })[],
	dir: string,
	ctx: OperationContext,
): Promise<void> {
	let done = 0;
	await eachParallel(files, PARALLEL, async ({ name, openName, md5, source }) => {
		ctx.progress.report({ message: 'Fetching the files of the job', current: done, total: files.length, unit: 'items' });
		const target = path.join(dir, openName);
		await mkdir(path.dirname(target), { recursive: true });
		const from = source ?? project.downloadPath(name);
		try {
			await project.connection.download(from, target, ctx.signal ? { signal: ctx.signal } : {});
		} catch (cause) {
			throw BoincError.is(cause, 'file-not-found')
				? new BoincError('file-not-found', `The file ${name} of the job is not on the server any more: ${messageOf(cause)}`, {
						remedy: 'Unused packs may have been removed. Submit the job again.',
						cause,
					})
				: cause;
		}
		const hash = md5 === undefined ? undefined : (await md5OfFile(target)).md5;
		if (hash !== md5) {
			throw new BoincError(
				'transfer-corrupt',
				`The file ${name} of the job has the MD5 ${String(hash)}, and BOINC announces ${String(md5)}.`,
				{
					remedy: 'The file on the server was changed. Volunteers cannot run the job either; submit it again.',
					detail: { name },
				},
			);
		}
		done++;
	});
}
