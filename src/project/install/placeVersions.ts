import placeScript from '../../../templates/server/place-versions.sh';
import { type Content, contentOfBytes } from '../../common/content.js';
import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { makeDirectory } from '../../connection/files.js';
import { run } from '../../connection/run.js';
import type { Project } from '../project.js';
import type { NewVersion } from './versions.js';

/** Name of the hidden folder that an installation sends into; `bin/update_versions` skips names with a dot. */
export function incomingDirectory(id: string): string {
	return `.incoming-${id}`;
}

/** Sends each distinct file once, puts the version directories together on the server and renames them into place. */
export async function placeVersions(
	project: Project,
	app: string,
	versions: readonly NewVersion[],
	id: string,
	ctx: OperationContext,
): Promise<void> {
	const appDirectory = `${project.root}/apps/${app}`;
	const incoming = incomingDirectory(id);
	await makeDirectory(project.connection, `${appDirectory}/${incoming}/files`);
	const files = new Map<string, Content>();
	const lines: string[] = [];
	for (const version of versions) {
		const xml = contentOfBytes(version.versionXml);
		const xmlName = `version-${xml.md5}.xml`;
		files.set(xmlName, xml);
		lines.push(`version ${version.directory}`, ...version.files.map((file) => `file ${file.physicalName} 755`));
		for (const file of version.files) {
			files.set(file.physicalName, file.content);
			if (file.signature !== undefined) {
				const name = `${file.physicalName}.sig`;
				files.set(name, contentOfBytes(file.signature));
				lines.push(`file ${name} 644`);
			}
		}
		lines.push(`xml ${xmlName}`);
	}
	let number = 0;
	for (const [name, content] of files) {
		number++;
		ctx.progress.report({
			message: `Sending file ${number} of ${files.size}: ${name}`,
			current: number,
			total: files.size,
			unit: 'items',
		});
		await project.connection.upload(content, `${appDirectory}/${incoming}/files/${name}`, {
			mode: 0o755,
			...(ctx.signal && { signal: ctx.signal }),
		});
	}
	const { stdout } = await run(project.connection, ['sh', '-c', placeScript, 'sh', appDirectory, incoming], {
		doing: `put the app versions into ${appDirectory}`,
		stdin: lines.map((line) => `${line}\n`).join(''),
	});
	const placed = stdout
		.toString('utf8')
		.split('\n')
		.filter((line) => line.startsWith('placed ')).length;
	if (placed !== versions.length) {
		throw new BoincError(
			'install-failed',
			`Only ${placed} of ${versions.length} app versions arrived in ${appDirectory} on ${project.connection.name}.`,
		);
	}
}
