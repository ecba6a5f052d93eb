import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { Connection } from '../connection/connection.js';
import { Project } from './project.js';
import { readConfig } from './readConfig.js';

/** Programs of `bin/` that installing, submitting and cancelling need. */
export const REQUIRED_TOOLS = [
	'create_work',
	'cancel_jobs',
	'update_versions',
	'xadd',
	'sign_executable',
	'start',
	'stop',
	'status',
] as const;

/** Programs of the server's system that BOINC's own tools call. */
export const REQUIRED_COMMANDS = ['php', 'python', 'strings', 'gzip'] as const;

/**
 * Opens the project in `root`: reads `config.xml`, checks that it is a project with tools. Rejects with
 * `project-not-found`, `project-unreadable`, `config-invalid` or errors of the connection. The database is reached on
 * first use.
 */
export async function openProject(connection: Connection, root: string, ctx: OperationContext): Promise<Project> {
	if (!root.startsWith('/')) {
		throw new BoincError('project-not-found', `“${root}” is not the absolute path of a project’s folder.`, {
			remedy: 'Give the whole path, for example /home/boincadm/projects/myproject.',
			detail: { root },
		});
	}
	const folder = root.replace(/\/+$/, '') || '/';
	const config = await readConfig(connection, folder);
	ctx.log.debug(`project ${folder} on ${connection.name}: ${config.masterUrl}, fanout ${config.uldlDirFanout}`);
	return new Project(connection, folder, config);
}

/** Which of the programs that we need are absent: `bin/NAME` of the project and commands of the system. One round trip. */
export async function missingTools(
	project: Project,
	signal?: AbortSignal,
	further: readonly string[] = [],
): Promise<{ tools: string[]; commands: string[] }> {
	const script =
		'for t in $1; do [ -x "bin/$t" ] || echo "tool $t"; done; for c in $2; do command -v "$c" >/dev/null 2>&1 || echo "command $c"; done';
	const { stdout } = await project.connection.exec(
		['sh', '-c', script, 'sh', [...REQUIRED_TOOLS, ...further].join(' '), REQUIRED_COMMANDS.join(' ')],
		{
			cwd: project.root,
			timeoutMs: 20_000,
			...(signal && { signal }),
		},
	);
	const lines = stdout.toString('utf8').split('\n');
	const named = (kind: string): string[] =>
		lines.flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []));
	return { tools: named('tool'), commands: named('command') };
}

/** Rejects with `tool-missing` when the project lacks a program that `doing` needs; `further` are more names of `bin/`. */
export async function requireTools(
	project: Project,
	doing: string,
	signal?: AbortSignal,
	further: readonly string[] = [],
): Promise<void> {
	const { tools, commands } = await missingTools(project, signal, further);
	const missing = [...tools.map((tool) => `bin/${tool}`), ...commands];
	if (missing.length > 0) {
		throw new BoincError(
			'tool-missing',
			`The project ${project.name} lacks ${missing.join(', ')}, which is needed to ${doing}.`,
			{
				remedy:
					commands.length > 0
						? `Install ${commands.join(', ')} on the server (package php-cli, python-is-python3, binutils, gzip), and check PATH of the account.`
						: 'Check that the folder is a complete BOINC project and that the account may run its programs.',
				detail: { missing: missing.join(' ') },
			},
		);
	}
}
