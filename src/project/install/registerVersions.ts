import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { hashFiles } from '../../connection/files.js';
import type { Project } from '../project.js';
import type { NewVersion } from './versions.js';

export interface RegisteredVersion {
	/** `app_version.id` */
	readonly id: number;
	readonly platform: string;
	readonly planClass: string;
	readonly versionNum: number;
}

interface Row {
	readonly id: number;
	readonly version_num: number;
	readonly platform: string;
	readonly plan_class: string;
	readonly xml_doc: Buffer | string;
}

/** PHP copies and signs every file; wrappers are a few MiB. */
const TIMEOUT_MS = 600_000;

/**
 * Runs `bin/update_versions` and believes only the database and the disk: a row for each version, a signature for each
 * file, the right file in `download/`. Rejects with `install-failed` and the program's own words.
 */
export async function registerVersions(
	project: Project,
	appId: number,
	versions: readonly NewVersion[],
	ctx: OperationContext,
): Promise<RegisteredVersion[]> {
	ctx.progress.report({ message: 'Signing and registering the app versions' });
	// The exit code says nothing: PHP's die() gives 0.
	const { stdout, stderr } = await project.connection.exec([project.tool('update_versions'), '--noconfirm'], {
		cwd: project.root,
		timeoutMs: TIMEOUT_MS,
		...(ctx.signal && { signal: ctx.signal }),
	});
	const output = `${stdout.toString('utf8')}\n${stderr.toString('utf8')}`;
	ctx.log.debug(`update_versions: ${output.trim()}`);
	const rows = await findRows(project, appId, versions);
	const failed = (version: NewVersion, why: string): BoincError =>
		new BoincError('install-failed', `The app version ${version.directory} was not installed in ${project.name}: ${why}`, {
			remedy: 'What we changed is taken back. Remove the cause, then install again.',
			detail: { version: version.directory, output: complaint(output) },
		});
	const registered: RegisteredVersion[] = [];
	for (const version of versions) {
		const row = rows.find((each) => isRowOf(each, version));
		if (!row) {
			throw failed(version, `BOINC’s update_versions says: ${complaint(output)}`);
		}
		registered.push({ id: row.id, platform: row.platform, planClass: row.plan_class, versionNum: row.version_num });
	}
	for (const version of versions) {
		const row = rows.find((each) => isRowOf(each, version));
		const unsigned = unsignedFiles(row?.xml_doc.toString() ?? '', version);
		if (unsigned.length > 0) {
			throw failed(
				version,
				`${unsigned.join(', ')} got no signature. Can the account read ${project.config.keyDir}/code_sign_private?`,
			);
		}
	}
	const damaged = await damagedDownloads(project, versions);
	if (damaged.length > 0) {
		throw new BoincError(
			'install-failed',
			`The files ${damaged.join(', ')} did not arrive whole in ${project.config.downloadDir} on ${project.connection.name}.`,
			{
				remedy: 'Check the free space there, remove these files, then install again.',
				detail: { files: damaged.join(' ') },
			},
		);
	}
	return registered;
}

/** Rows of the versions, as far as they exist. */
export async function findRows(project: Project, appId: number, versions: readonly NewVersion[]): Promise<Row[]> {
	const database = await project.database();
	const numbers = [...new Set(versions.map((version) => version.versionNum))];
	const rows = await database.select<Row>(
		`SELECT av.id, av.version_num, p.name AS platform, av.plan_class, av.xml_doc FROM app_version av JOIN platform p ON p.id = av.platformid
		WHERE av.appid = ? AND av.version_num IN (?) AND av.deprecated = 0`,
		[appId, numbers],
	);
	return rows.filter((row) => versions.some((version) => isRowOf(row, version)));
}

function isRowOf(row: Row, version: NewVersion): boolean {
	return row.platform === version.platform && row.plan_class === version.planClass && row.version_num === version.versionNum;
}

/** The lines of `update_versions` that tell a failure; its last lines if none does. */
export function complaint(output: string): string {
	const lines = output
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '' && !line.includes('Deprecated:'));
	const telling = lines.filter((line) =>
		/error|not found|no such|differ|immutable|skipping|not present|can't|cannot|fatal|immutable|must give it a new name/i.test(
			line,
		),
	);
	return (telling.length > 0 ? telling.slice(0, 6) : lines.slice(-3)).join(' ') || 'nothing';
}

/** Physical names without a signature in the `xml_doc` of a version. */
export function unsignedFiles(xmlDoc: string, version: NewVersion): string[] {
	const infos = [...xmlDoc.matchAll(/<file_info>(.*?)<\/file_info>/gs)].map((match) => match[1] ?? '');
	return version.files.flatMap(({ physicalName }) => {
		const info = infos.find((each) => /<name>\s*(.*?)\s*<\/name>/s.exec(each)?.[1] === physicalName);
		const signature = /<file_signature>(.*?)<\/file_signature>/s.exec(info ?? '')?.[1] ?? '';
		return /^[0-9a-f\s]{64,}\.?\s*$/.test(signature.trim()) ? [] : [physicalName];
	});
}

async function damagedDownloads(project: Project, versions: readonly NewVersion[]): Promise<string[]> {
	const expected = new Map(versions.flatMap((version) => version.files.map((file) => [file.physicalName, file.content.md5])));
	const { downloadDir } = project.config;
	const hashes = await hashFiles(
		project.connection,
		[...expected.keys()].map((name) => `${downloadDir}/${name}`),
		'md5',
	);
	return [...expected].flatMap(([name, md5]) => (hashes.get(`${downloadDir}/${name}`)?.hash === md5 ? [] : [name]));
}
