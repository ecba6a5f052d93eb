import { createHash } from 'node:crypto';

import { BoincError } from '../../common/errors.js';
import { readTar, type TarEntry, type TarRange } from '../tar/readTar.js';
import { pathParts, PathTrouble, resolveTarget } from '../tree/fileTree.js';
import { ForwardReader } from './randomAccess.js';

/** The files of an archive by path, links followed. */
export class ArchiveMembers {
	readonly #entries: ReadonlyMap<string, TarEntry>;
	readonly #range: TarRange;

	private constructor(range: TarRange, entries: ReadonlyMap<string, TarEntry>) {
		this.#range = range;
		this.#entries = entries;
	}

	static async index(range: TarRange): Promise<ArchiveMembers> {
		const entries = new Map<string, TarEntry>();
		for await (const entry of readTar(range)) {
			try {
				entries.set(pathParts(entry.name).join('/'), entry);
			} catch (error) {
				// A name that leads out cannot be the name of anything that is looked up here.
				if (!(error instanceof PathTrouble)) {
					throw error;
				}
			}
		}
		return new ArchiveMembers(range, entries);
	}

	has(path: string): boolean {
		return this.find(path) !== undefined;
	}

	/** The regular file at `path`. Old Docker versions write a symbolic link for a layer that occurs twice. */
	find(path: string): TarEntry | undefined {
		let entry = this.#entries.get(path);
		for (let links = 0; entry !== undefined && links < 8; links++) {
			if (entry.kind === 'file') {
				return entry;
			}
			if (entry.kind !== 'symlink' && entry.kind !== 'hardlink') {
				return undefined;
			}
			const from = entry.kind === 'symlink' ? pathOf(entry).slice(0, -1) : [];
			entry = this.#entries.get(resolveTarget(from, entry.linkName).join('/'));
		}
		return undefined;
	}

	/** Like `find`, but a missing file is an error. */
	require(path: string): TarEntry {
		const entry = this.find(path);
		if (entry === undefined) {
			throw new BoincError('archive-corrupt', `The archive (${this.#range.label}) names “${path}” but does not hold it.`, {
				remedy: 'Save the image again, and compare the sizes if the file was copied.',
				detail: { archive: this.#range.label, entry: path },
			});
		}
		return entry;
	}

	/** Parses a JSON file of the archive, and compares it with its hash if that is its name. */
	async json(path: string): Promise<unknown> {
		const entry = this.require(path);
		if (entry.size > MAX_JSON) {
			throw this.#unreadable(path, `it has ${entry.size} bytes`);
		}
		const bytes = await new ForwardReader(entry.source).read(entry.offset, entry.size);
		const expected = HASH_NAME.exec(path)?.[1];
		if (expected !== undefined && createHash('sha256').update(bytes).digest('hex') !== expected) {
			throw this.#unreadable(path, 'its content does not fit its hash');
		}
		try {
			const value: unknown = JSON.parse(bytes.toString('utf8'));
			return value;
		} catch (cause) {
			throw this.#unreadable(path, 'it is not JSON', cause);
		}
	}

	#unreadable(path: string, why: string, cause?: unknown): BoincError {
		const { label } = this.#range;
		return new BoincError('archive-corrupt', `The file “${path}” in the archive (${label}) cannot be read: ${why}.`, {
			remedy: 'Save the image again, and compare the sizes if the file was copied.',
			detail: { archive: label, entry: path },
			cause,
		});
	}
}

const MAX_JSON = 16 << 20;
/** OCI, `docker save` before version 25 and `podman save`, other tools. */
const HASH_NAME = /^(?:blobs\/sha256\/|sha256:)?([a-f0-9]{64})(?:\.json)?$/;

const pathOf = (entry: TarEntry): string[] => pathParts(entry.name);
