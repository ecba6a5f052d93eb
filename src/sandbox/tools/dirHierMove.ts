import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';

import { hierarchyPath } from '../../project/hierarchy.js';
import type { Tool } from '../toolIo.js';
import { ToolExit } from '../toolProject.js';

const USAGE = `
Usage: dir_hier_move <src_dir> <dst_dir> <fanout>
Moves files from <src_dir> (flat) into <dst_dir> (hierarchical) with the given <fanout>

`;

/** `dir_hier_move SRC DST FANOUT`. */
export const dirHierMove: Tool = async (args, io) => {
	const [source, target, fanoutText, ...rest] = args;
	const fanout = Number.parseInt(fanoutText ?? '', 10);
	if (source === undefined || target === undefined || !(fanout > 0) || rest.length > 0) {
		throw new ToolExit(1, USAGE);
	}
	for (const name of await readdir(path.resolve(io.cwd, source))) {
		const from = path.resolve(io.cwd, source, name);
		if ((await stat(from)).isFile()) {
			const to = path.resolve(io.cwd, target, hierarchyPath(name, fanout));
			await mkdir(path.dirname(to), { recursive: true, mode: 0o771 });
			await rename(from, to);
		}
	}
	return 0;
};
