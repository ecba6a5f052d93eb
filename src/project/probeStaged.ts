import probeScript from '../../templates/server/probe-staged.sh';
import { BoincError } from '../common/errors.js';
import { run } from '../connection/run.js';
import { hierarchyPath } from './hierarchy.js';
import type { Project } from './project.js';

/** What the server has under a physical name. */
export type StagedState =
	| { readonly kind: 'absent' }
	/** A directory, or unreadable. */
	| { readonly kind: 'other' }
	/** Data without a valid side file. */
	| { readonly kind: 'file'; readonly size: number }
	/** Data and a side file that is not older; `length` is its text. */
	| { readonly kind: 'md5'; readonly size: number; readonly hash: string; readonly length: string };

/** Whether the size in a side file, an integer or `create_work`'s exponent notation, is `size`. */
export function sameMd5Size(length: string, size: number): boolean {
	return /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(length) && Number(length) === size;
}

function parseState(line: string): StagedState {
	const [kind, size, hash, length] = line.split(' ');
	switch (kind) {
		case 'absent':
			return { kind };
		case 'file':
			return { kind, size: Number(size) };
		case 'md5':
			// A side file that holds no hash is as good as none.
			return /^[0-9a-f]{32}$/i.test(hash ?? '')
				? { kind, size: Number(size), hash: (hash ?? '').toLowerCase(), length: length ?? '' }
				: { kind: 'file', size: Number(size) };
		default:
			return { kind: 'other' };
	}
}

/** Asks for all names in one round trip; the states come in their order. `freeBytes` is of the download directory. */
export async function probeStaged(
	project: Project,
	names: readonly string[],
	signal?: AbortSignal,
): Promise<{ states: StagedState[]; freeBytes: number | undefined }> {
	const { stdout } = await run(project.connection, ['sh', '-c', probeScript, 'sh', project.config.downloadDir], {
		doing: `look which files are in ${project.config.downloadDir}`,
		stdin: names.map((name) => `${hierarchyPath(name, project.config.uldlDirFanout)}\n`).join(''),
		...(signal && { signal }),
	});
	const lines = stdout.toString('utf8').trimEnd().split('\n');
	const space = lines.at(-1)?.match(/^space (\d+)$/)?.[1];
	const states = lines.filter((line) => !line.startsWith('space ')).map(parseState);
	if (names.length > 0 && states.length !== names.length) {
		throw new BoincError('command-failed', `${project.connection.name} answered for ${states.length} of ${names.length} files.`);
	}
	return { states, freeBytes: space === undefined ? undefined : Number(space) * 1024 };
}
