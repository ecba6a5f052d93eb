import { createHash } from 'node:crypto';

/**
 * The hash directory of a file below `download/` and `upload/`, as BOINC's `dir_hier_path` computes it: digits 2 to 8 of
 * the MD5 of the file's name, modulo the fanout, in hex without leading zeros. Empty when the project is flat (fanout 0).
 */
export function hierarchyDirectory(name: string, fanout: number): string {
	if (fanout <= 0) {
		return '';
	}
	const digits = createHash('md5').update(name, 'utf8').digest('hex').slice(1, 8);
	return (Number.parseInt(digits, 16) % fanout).toString(16);
}

/** `name` with its hash directory, relative to `download/` or `upload/`. */
export function hierarchyPath(name: string, fanout: number): string {
	const directory = hierarchyDirectory(name, fanout);
	return directory === '' ? name : `${directory}/${name}`;
}
