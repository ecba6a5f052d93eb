import { posix } from 'node:path';

/** A `COPY` of a Dockerfile: what was `from` in the build context is `to` in the container. */
export interface CopyRule {
	/** Relative to the build context; empty for all of it. */
	readonly from: string;
	/** Absolute. */
	readonly to: string;
}

/** The rules of a Dockerfile's last stage, and its working directory. Copies from other stages say nothing of the workspace. */
export function copyRules(dockerfile: string): { readonly rules: readonly CopyRule[]; readonly workdir: string } {
	let rules: CopyRule[] = [];
	let workdir = '/';
	const joined = dockerfile.replace(/^\s*#.*\n/gm, '').replace(/\\\r?\n/g, ' ');
	for (const line of joined.split(/\r?\n/)) {
		const [word = '', ...rest] = line.trim().split(/\s+/);
		switch (word.toUpperCase()) {
			case 'FROM':
				[rules, workdir] = [[], '/'];
				break;
			case 'WORKDIR':
				workdir = posix.resolve(workdir, rest.join(' ').replace(/^["']|["']$/g, ''));
				break;
			case 'COPY':
			case 'ADD':
				rules.push(...rulesOf(line.trim().slice(word.length), workdir));
				break;
		}
	}
	return { rules, workdir };
}

function rulesOf(text: string, workdir: string): CopyRule[] {
	if (/\s--from=/.test(text)) {
		return [];
	}
	const words = wordsOf(text.replace(/\s--\S+/g, ' ').trim());
	const target = words.at(-1);
	if (target === undefined || words.length < 2) {
		return [];
	}
	const to = posix.resolve(workdir, target);
	const isFolder = /(^|\/)\.?$/.test(target) || words.length > 2;
	return words.slice(0, -1).flatMap((source) => {
		const from = posix.normalize(source).replace(/^(\.?\/)+|^\.$|\/$/g, '');
		// What a pattern took and an archive held is unknown; the end of the path tells then.
		if (/[*?[$]|^[a-z]+:\/\//.test(source) || from.startsWith('..')) {
			return [];
		}
		const isFile = /\.[A-Za-z]\w*$/.test(from);
		return [{ from, to: isFolder && isFile ? posix.join(to, posix.basename(from)) : to }];
	});
}

function wordsOf(text: string): string[] {
	try {
		const list: unknown = text.startsWith('[') ? JSON.parse(text) : undefined;
		if (Array.isArray(list)) {
			return list.filter((word) => typeof word === 'string');
		}
	} catch {
		// Not the form with brackets.
	}
	return text.split(/\s+/).filter((word) => word !== '');
}

/** Paths in the build context that a path in the container may come from, likeliest first. */
export function contextPaths(path: string, { rules, workdir }: ReturnType<typeof copyRules>): string[] {
	const absolute = posix.resolve(workdir, path);
	return rules
		.toReversed()
		.filter(({ to }) => absolute === to || absolute.startsWith(to === '/' ? '/' : `${to}/`))
		.map(({ from, to }) => posix.join(from, posix.relative(to, absolute)));
}

/** The candidate that shares the longest end with a path, if only one does; both with `/`. */
export function bestSuffix(path: string, candidates: readonly string[]): string | undefined {
	const wanted = path.split('/').toReversed();
	const score = (candidate: string): number => {
		const parts = candidate.split('/').toReversed();
		const differs = wanted.findIndex((part, at) => part !== parts[at]);
		return differs < 0 ? wanted.length : differs;
	};
	const scores = candidates.map(score);
	const best = Math.max(0, ...scores);
	const winners = candidates.filter((_, at) => scores[at] === best);
	return best > 0 && winners.length === 1 ? winners[0] : undefined;
}
