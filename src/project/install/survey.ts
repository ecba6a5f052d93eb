import surveyScript from '../../../templates/server/survey.sh';
import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { hashFiles, readFile } from '../../connection/files.js';
import { run } from '../../connection/run.js';
import type { Project } from '../project.js';
import { parseXml } from '../xml.js';
import { type ExistingVersion, filesOfXmlDoc } from './versions.js';

/** Files of a project that an installation may change, below the project's folder. */
export const PROJECT_FILES = ['config.xml', 'project.xml', 'plan_class_spec.xml'] as const;

export interface AppRow {
	readonly id: number;
	readonly name: string;
	readonly friendlyName: string;
	readonly minVersion: number;
	readonly deprecated: boolean;
}

/** Everything about the server that decides what an installation has to do. */
export interface Survey {
	/** Texts of files below the project's folder; absent ones are missing. */
	readonly texts: ReadonlyMap<string, string>;
	readonly signingKey: 'present' | 'absent' | 'unreadable';
	/** What is directly in `apps/`. */
	readonly appEntries: readonly string[];
	/** `APP/NUMBER/PLATFORM` below `apps/`. */
	readonly versionDirectories: readonly string[];
	/** MD5 of files at the top level of `download/` that have names we want. */
	readonly downloads: ReadonlyMap<string, string>;
	readonly unwritable: readonly string[];
	readonly apps: readonly AppRow[];
	readonly platforms: readonly string[];
	/** Plan classes of app versions that are in use. */
	readonly planClasses: readonly string[];
	/** Versions of the app in question, withdrawn ones included. */
	readonly versions: readonly ExistingVersion[];
	/** `APP/NUMBER/PLATFORM` of all rows, as directory names. */
	readonly knownVersions: ReadonlySet<string>;
}

/** Reads a file of the project as text; `undefined` if it does not exist. */
export async function readText(project: Project, name: string): Promise<string | undefined> {
	try {
		const bytes = await readFile(project.connection, `${project.root}/${name}`, { maxBytes: 8 << 20 });
		const text = bytes.toString('utf8');
		if (!Buffer.from(text, 'utf8').equals(bytes)) {
			throw new BoincError(
				'config-invalid',
				`${project.root}/${name} on ${project.connection.name} is not UTF-8 text, so we cannot change it safely.`,
				{
					remedy: 'Convert the file to UTF-8.',
					detail: { name },
				},
			);
		}
		return text;
	} catch (error) {
		if (BoincError.is(error, 'file-not-found')) {
			return undefined;
		}
		throw error;
	}
}

interface VersionRow {
	readonly app: string;
	readonly version_num: number;
	readonly platform: string;
	readonly plan_class: string;
	readonly deprecated: number;
}

/** Looks at files, keys, `apps/`, `download/` and the database. Changes nothing. */
export async function surveyServer(
	project: Project,
	app: string,
	names: readonly string[],
	files: readonly string[],
	ctx: OperationContext,
): Promise<Survey> {
	ctx.progress.report({ message: `Looking at ${project.name}` });
	const [seen, texts, rows] = await Promise.all([
		surveyFiles(project, names, ctx.signal),
		Promise.all([...PROJECT_FILES, ...files].map(async (name) => [name, await readText(project, name)] as const)),
		surveyRows(project, app, ctx.signal),
	]);
	return {
		...seen,
		...rows,
		texts: new Map(texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]))),
	};
}

type FileFacts = Pick<Survey, 'signingKey' | 'appEntries' | 'versionDirectories' | 'downloads' | 'unwritable'>;

async function surveyFiles(project: Project, names: readonly string[], signal: AbortSignal | undefined): Promise<FileFacts> {
	const { keyDir, downloadDir } = project.config;
	const { stdout } = await run(project.connection, ['sh', '-c', surveyScript, 'sh', project.root, keyDir, downloadDir], {
		doing: `look at ${project.root}`,
		stdin: names.map((name) => `${name}\n`).join(''),
		...(signal && { signal }),
	});
	const lines = stdout.toString('utf8').split('\n');
	const values = (key: string): string[] =>
		lines.flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []));
	const present = values('download');
	const hashes =
		present.length === 0
			? new Map<string, { hash: string }>()
			: await hashFiles(
					project.connection,
					present.map((name) => `${downloadDir}/${name}`),
					'md5',
				);
	const key = values('key')[0];
	return {
		signingKey: key === 'present' || key === 'unreadable' ? key : 'absent',
		appEntries: values('entry'),
		versionDirectories: values('version'),
		downloads: new Map(present.map((name) => [name, hashes.get(`${downloadDir}/${name}`)?.hash ?? ''])),
		unwritable: values('unwritable'),
	};
}

async function surveyRows(
	project: Project,
	app: string,
	signal: AbortSignal | undefined,
): Promise<Pick<Survey, 'apps' | 'platforms' | 'planClasses' | 'versions' | 'knownVersions'>> {
	const database = await project.database();
	const apps = await database.select<{
		id: number;
		name: string;
		user_friendly_name: string;
		min_version: number;
		deprecated: number;
	}>('SELECT id, name, user_friendly_name, min_version, deprecated FROM app', [], signal);
	const platforms = await database.select<{ name: string }>('SELECT name FROM platform', [], signal);
	const all = await database.select<VersionRow>(
		`SELECT a.name AS app, av.version_num, p.name AS platform, av.plan_class, av.deprecated
		FROM app_version av JOIN app a ON a.id = av.appid JOIN platform p ON p.id = av.platformid`,
		[],
		signal,
	);
	const own = await database.select<VersionRow & { xml_doc: Buffer | string }>(
		`SELECT a.name AS app, av.version_num, p.name AS platform, av.plan_class, av.deprecated, av.xml_doc
		FROM app_version av JOIN app a ON a.id = av.appid JOIN platform p ON p.id = av.platformid WHERE a.name = ?`,
		[app],
		signal,
	);
	return {
		apps: apps.map((row) => ({
			id: row.id,
			name: row.name,
			friendlyName: row.user_friendly_name,
			minVersion: row.min_version,
			deprecated: row.deprecated !== 0,
		})),
		platforms: platforms.map((row) => row.name),
		planClasses: [...new Set(all.filter((row) => row.deprecated === 0).map((row) => row.plan_class))].filter(
			(name) => name !== '',
		),
		versions: own.map((row) => ({
			versionNum: row.version_num,
			platform: row.platform,
			planClass: row.plan_class,
			deprecated: row.deprecated !== 0,
			files: filesOfXmlDoc(row.xml_doc.toString()),
		})),
		knownVersions: new Set(all.map((row) => versionKey(row.app, row.version_num, row.platform, row.plan_class))),
	};
}

function versionKey(app: string, versionNum: number, platform: string, planClass: string): string {
	return [app, versionNum, platform, planClass].join('/');
}

/** Directories in `apps/` of which no row is in the database: `bin/update_versions` would add them, whoever made them. */
export function pendingVersions(survey: Survey): string[] {
	return survey.versionDirectories.filter((directory) => {
		const [app = '', version = '', target = ''] = directory.split('/');
		const [platform = '', planClass = ''] = target.split('__');
		const match = /^(\d+)(?:\.(\d+))?$/.exec(version);
		if (!match || !survey.platforms.includes(platform)) {
			return false;
		}
		const versionNum = match[2] === undefined ? Number(match[1]) : Number(match[1]) * 100 + Number(match[2]);
		return !survey.knownVersions.has(versionKey(app, versionNum, platform, planClass));
	});
}

/** What `bin/xadd` would change in the database for other apps than `app`, in words. */
export async function foreignXaddChanges(survey: Survey, app: string): Promise<string[]> {
	const text = survey.texts.get('project.xml');
	if (text === undefined) {
		return [];
	}
	const root = await parseXml(text, 'project.xml');
	return root.children('app').flatMap((element) => {
		const name = element.childText('name') ?? '';
		const row = survey.apps.find((each) => each.name === name);
		if (name === app) {
			return [];
		}
		if (!row) {
			return [`bin/xadd will also add the app ${name}, which project.xml lists.`];
		}
		const minVersion = Number.parseInt(element.childText('min_version') ?? '0', 10) || 0;
		return [
			...(row.friendlyName === (element.childText('user_friendly_name') ?? '')
				? []
				: [
						`bin/xadd will also set the name of the app ${name} to “${element.childText('user_friendly_name') ?? ''}”, as project.xml says.`,
					]),
			...(row.minVersion === minVersion
				? []
				: [
						`bin/xadd will also set min_version of the app ${name} from ${row.minVersion} to ${minVersion}, as project.xml says.`,
					]),
		];
	});
}
