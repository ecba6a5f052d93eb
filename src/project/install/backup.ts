import * as v from 'valibot';

import replaceFile from '../../../templates/server/replace-file.sh';
import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { Connection } from '../../connection/connection.js';
import { makeDirectory, readFile, writeFileAtomic } from '../../connection/files.js';
import { commandError } from '../../connection/run.js';
import type { Project } from '../project.js';
import type { PlannedFile } from './plan.js';

const Manifest = v.object({
	id: v.string(),
	app: v.string(),
	/** `undone`: nothing is left to go back to. */
	state: v.picklist(['applying', 'applied', 'undone']),
	files: v.array(
		v.object({
			name: v.string(),
			mode: v.number(),
			/** What was inserted and what it replaced, for files that others have changed since. */
			edits: v.array(v.object({ inserted: v.string(), replaced: v.string(), before: v.string() })),
		}),
	),
	/** Below the project's folder. */
	directories: v.array(v.string()),
	/** Rows of `app_version` that were added. */
	versions: v.array(v.number()),
	/** `app.id` if the app did not exist, or was deprecated, before. */
	app_id: v.optional(v.number()),
});
/** What an installation changed, written before each change: enough to go back after a failure at any point. */
export type Manifest = v.InferOutput<typeof Manifest>;

/** The facts of a backup, or `undefined` if the text is not one. */
export function parseManifest(text: string): Manifest | undefined {
	try {
		return v.parse(Manifest, JSON.parse(text));
	} catch {
		return undefined;
	}
}

/** Characters before an edit that tell its place in a file that was changed since. */
const CONTEXT = 60;

function folder(project: Project, id: string): string {
	return `${project.root}/.boinc2docker/backups/${id}`;
}

/** `2026-11-23T10-15-00Z-myapp`: sorts by time and says whose it is. */
export function backupId(app: string, now: number): string {
	return `${new Date(now)
		.toISOString()
		.replace(/\.\d+Z$/, 'Z')
		.replaceAll(':', '-')}-${app}`;
}

/** Creates the folder of a backup; only the project's account may look into it, for `config.xml` holds a password. */
export async function beginBackup(project: Project, app: string, ctx: OperationContext): Promise<Backup> {
	const manifest: Manifest = {
		id: backupId(app, ctx.clock.now()),
		app,
		state: 'applying',
		files: [],
		directories: [],
		versions: [],
	};
	const top = `${project.root}/.boinc2docker/backups`;
	await makeDirectory(project.connection, folder(project, manifest.id));
	await project.connection.exec(['chmod', '700', top, folder(project, manifest.id)], { timeoutMs: 20_000 });
	const backup = new Backup(project, manifest);
	await backup.save();
	return backup;
}

/** Reads a backup. Rejects with `install-failed` when there is none of that id. */
export async function openBackup(project: Project, id: string): Promise<Backup> {
	if (!/^[A-Za-z0-9_.-]+$/.test(id) || id.startsWith('.')) {
		throw new BoincError('install-failed', `“${id}” is not the name of a backup.`);
	}
	try {
		const text = (await readFile(project.connection, `${folder(project, id)}/manifest.json`, { maxBytes: 1 << 20 })).toString(
			'utf8',
		);
		return new Backup(project, v.parse(Manifest, JSON.parse(text)));
	} catch (cause) {
		if (BoincError.is(cause) && cause.code !== 'file-not-found') {
			throw cause;
		}
		throw new BoincError(
			'install-failed',
			`There is no usable backup ${id} in ${project.root}/.boinc2docker/backups on ${project.connection.name}.`,
			{
				remedy: 'Look there for the names of backups; on the command line, “boinc2docker install --undo” lists them.',
				cause,
			},
		);
	}
}

/** The files and facts that one installation can be taken back with. */
export class Backup {
	readonly #project: Project;
	#manifest: Manifest;

	constructor(project: Project, manifest: Manifest) {
		this.#project = project;
		this.#manifest = manifest;
	}

	get manifest(): Manifest {
		return this.#manifest;
	}

	/** Records a fact before it becomes one. */
	async note(change: Partial<Manifest>): Promise<void> {
		this.#manifest = { ...this.#manifest, ...change };
		await this.save();
	}

	async save(): Promise<void> {
		const path = `${folder(this.#project, this.#manifest.id)}/manifest.json`;
		await writeFileAtomic(this.#project.connection, path, Buffer.from(`${JSON.stringify(this.#manifest, undefined, '\t')}\n`), {
			mode: 0o600,
		});
	}

	/**
	 * Puts the new content of a file in place, atomically, keeping owner, group and mode. Rejects with
	 * `conflicting-change` if the file is not what it was when the plan was made.
	 */
	async apply(file: PlannedFile): Promise<void> {
		const index = this.#manifest.files.length;
		const path = this.#copy(index);
		if (file.before !== undefined) {
			await writeFileAtomic(this.#project.connection, `${path}.expected`, Buffer.from(file.before, 'utf8'), { mode: 0o600 });
		}
		const edits = (file.edits ?? []).map((edit) => ({
			inserted: edit.text,
			replaced: (file.before ?? '').slice(edit.start, edit.end),
			before: (file.before ?? '').slice(Math.max(0, edit.start - CONTEXT), edit.start),
		}));
		await this.note({ files: [...this.#manifest.files, { name: file.name, mode: file.mode, edits }] });
		await this.#replace('apply', file.name, index, file.mode, file.after);
	}

	/** Takes the change of a file back. Resolves to a sentence if that was not possible because others changed it since. */
	async revert(index: number): Promise<string | undefined> {
		const file = this.#manifest.files[index];
		if (!file) {
			return undefined;
		}
		try {
			await this.#replace('revert', file.name, index, file.mode, '');
			return undefined;
		} catch (error) {
			if (!BoincError.is(error, 'conflicting-change')) {
				throw error;
			}
			return this.#revertEdits(file);
		}
	}

	/** Somebody changed the file after us: only what we inserted is taken out. */
	async #revertEdits(file: Manifest['files'][number]): Promise<string | undefined> {
		const { connection, root } = this.#project;
		const path = `${root}/${file.name}`;
		const current = (await readFile(connection, path, { maxBytes: 8 << 20 })).toString('utf8');
		const restored = takeOut(current, file.edits);
		if (restored === undefined || file.edits.length === 0) {
			return `${file.name} was changed by somebody else since, and our part of it cannot be told apart any more: look at ${path} yourself.`;
		}
		if (restored !== current) {
			await this.apply({ name: file.name, before: current, after: restored, mode: file.mode });
		}
		return undefined;
	}

	#copy(index: number): string {
		return `${folder(this.#project, this.#manifest.id)}/${String(index)}`;
	}

	async #replace(action: 'apply' | 'revert', name: string, index: number, mode: number, content: string): Promise<void> {
		const { connection, root } = this.#project;
		const path = `${root}/${name}`;
		const { code, stderr } = await execute(connection, [action, path, this.#copy(index), mode.toString(8)], content);
		if (code === 9) {
			throw new BoincError('conflicting-change', `${path} on ${connection.name} was changed by somebody else in the meantime.`, {
				remedy: 'Look at the file, then plan again.',
				detail: { path },
			});
		}
		if (code === 8) {
			throw new BoincError(
				'permission-denied',
				`${path} on ${connection.name} belongs to another account or group, which a new version of it could not keep.`,
				{
					remedy: 'Use the account that owns the file.',
					detail: { path },
				},
			);
		}
		if (code !== 0) {
			throw commandError(
				connection.name,
				'sh',
				`${action === 'apply' ? 'change' : 'restore'} ${path}`,
				code,
				stderr.toString('utf8'),
			);
		}
	}
}

function execute(connection: Connection, args: readonly string[], stdin: string): Promise<{ code: number; stderr: Buffer }> {
	return connection.exec(['sh', '-c', replaceFile, 'sh', ...args], { stdin, timeoutMs: 30_000, env: { LC_ALL: 'C' } });
}

/** `text` without the insertions; `undefined` if one of them is not there exactly once. */
export function takeOut(text: string, edits: Manifest['files'][number]['edits']): string | undefined {
	let result = text;
	for (const edit of [...edits].reverse()) {
		// An insertion of whole elements stands for itself; a changed value is told by what is before it.
		const context = edit.replaced === '' ? '' : edit.before;
		const pattern = context + edit.inserted;
		const at = result.indexOf(pattern);
		if (at < 0 || result.includes(pattern, at + 1)) {
			return undefined;
		}
		result = result.slice(0, at) + context + edit.replaced + result.slice(at + pattern.length);
	}
	return result;
}
