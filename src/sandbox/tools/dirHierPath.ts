import { stagedPath } from '../downloads.js';
import type { Tool } from '../toolIo.js';
import { ToolExit, toolProject } from '../toolProject.js';

const USAGE = `
Usage: dir_hier_path <filename>
   Run this in a project's root directory.
   Prints the absolute path of the file in the download hierarchy,
   and creates the directory if needed.

`;

/** `dir_hier_path NAME`. */
export const dirHierPath: Tool = async (args, io) => {
	const [name, ...rest] = args;
	if (name === undefined || rest.length > 0) {
		throw new ToolExit(1, USAGE);
	}
	const settings = toolProject(io);
	try {
		io.out(`${await stagedPath(settings, name)}\n`);
		return 0;
	} catch (error) {
		throw new ToolExit(1, `dir_hier_path(): ${String(error)}\n`);
	}
};
