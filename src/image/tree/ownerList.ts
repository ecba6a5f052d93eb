export type Owner = readonly [uid: number, gid: number];

/** The owners that occur in a tree, each once, by number. There are few, and millions of files. */
export class OwnerList {
	readonly #owners: Owner[] = [];
	readonly #index = new Map<string, number>();
	/** Most entries of an archive have the owner of the one before. */
	#last = 0;

	constructor(owners: readonly Owner[] = []) {
		for (const [uid, gid] of owners) {
			this.indexOf(uid, gid);
		}
	}

	get all(): readonly Owner[] {
		return this.#owners;
	}

	at(index: number): Owner {
		return this.#owners[index] ?? [0, 0];
	}

	/** The number of an owner, which is added if it is not there. */
	indexOf(uid: number, gid: number): number {
		const [lastUid, lastGid] = this.#owners[this.#last] ?? [];
		if (uid !== lastUid || gid !== lastGid) {
			const key = `${uid}:${gid}`;
			this.#last = this.#index.get(key) ?? this.#owners.push([uid, gid]) - 1;
			this.#index.set(key, this.#last);
		}
		return this.#last;
	}
}
