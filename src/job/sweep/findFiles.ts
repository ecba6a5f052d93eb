import { readdir } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';

/** Folders that hold no inputs. */
const SKIPPED = ['.git', 'node_modules', '.venv', '__pycache__'];
const MOST_FILES = 1_000_000;

/** A pattern as a regular expression for paths with `/`: `*` and `?` within a name, `**` over folders. */
export function patternExpression(pattern: string): RegExp {
	const source = pattern.replace(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (part) => {
		switch (part) {
			case '**/':
				return '(?:[^/]+/)*';
			case '**':
				return '.*';
			case '*':
				return '[^/]*';
			case '?':
				return '[^/]';
			default:
				return part.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
		}
	});
	return new RegExp(`^${source}$`, 'su');
}

/**
 * Files below `folder` whose path from there matches one of `patterns` and none of `ignore`, sorted by path, with `/` between names.
 * Symbolic links to folders are not followed.
 */
export async function findFiles(folder: string, patterns: readonly string[], ignore: readonly string[]): Promise<string[]> {
	const found = new Set<string>();
	const refused = ignore.map(patternExpression);
	for (const pattern of patterns) {
		const clean = pattern.replaceAll('\\', '/').replace(/^\.\//, '');
		// Only the folders from the first wildcard on are walked through.
		const fixed = clean.split('/').slice(0, -1);
		const wild = fixed.findIndex((part) => /[*?]/.test(part));
		const start = (wild === -1 ? fixed : fixed.slice(0, wild)).join('/');
		const expression = patternExpression(clean);
		const root = isAbsolute(clean) ? start : join(folder, start);
		for await (const file of walk(root === '' ? '/' : root)) {
			const path = isAbsolute(clean) ? file : relative(folder, file).split(sep).join('/');
			if (expression.test(path) && !refused.some((each) => each.test(path))) {
				found.add(path);
			}
			if (found.size >= MOST_FILES) {
				break;
			}
		}
	}
	return [...found].sort();
}

async function* walk(folder: string): AsyncGenerator<string> {
	let entries;
	try {
		entries = await readdir(folder, { withFileTypes: true });
	} catch {
		return; // what is not there holds no files; that nothing was found is said by the caller
	}
	for (const entry of entries) {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) {
			if (!SKIPPED.includes(entry.name)) {
				yield* walk(path);
			}
		} else {
			yield path;
		}
	}
}
