import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { md5OfFile } from '../../common/content.js';
import { readMd5Info, stagedPath, writeMd5Info } from '../downloads.js';
import type { ProjectSettings } from '../projectSettings.js';
import type { Tool, ToolIo } from '../toolIo.js';
import { ToolExit, toolProject } from '../toolProject.js';

const USAGE = `usage: stage_file [--gzip] [--copy] [--verbose] path
    --gzip      make a gzipped version of file for compressed download
                (use with <gzip/> in the input template)
    --copy      copy the file (default is to move it)
    --verbose   verbose output
    --help      print this message
    path        The file to stage; if directory, stage all files in that dir
`;
const FLAGS = ['--gzip', '--copy', '--verbose'];
const COLLISION = `There is already a file in your project's download directory with that name,
but with different contents. This is not allowed by BOINC, which requires that
files be immutable. Please use a different file name.
`;

/** `stage_file_native`: puts input files into the download hierarchy. */
export const stageFileNative: Tool = async (args, io) => {
	const given = args.at(-1);
	if (given === undefined || args.length > 4) {
		throw new ToolExit(1, `Incorrect number of arguments\n${USAGE}`);
	}
	if (args.includes('--help')) {
		throw new ToolExit(0, USAGE);
	}
	const flags = new Set(args.slice(0, -1));
	for (const flag of flags) {
		if (!FLAGS.includes(flag)) {
			throw new ToolExit(1, `Unknown optional argument: ${flag}\n${USAGE}`);
		}
	}
	if (!existsSync(path.resolve(io.cwd, 'html/inc/dir_hier.inc'))) {
		throw new ToolExit(1, 'This program must be run in the project directory\n');
	}
	const settings = toolProject(io);
	const source = path.resolve(io.cwd, given);
	const found = await stat(source).catch(() => {
		throw new ToolExit(1, `stage_file failed for file ${given}: file missing\n`);
	});
	const files = found.isDirectory() ? (await readdir(source)).map((name) => path.join(source, name)) : [source];
	for (const file of files) {
		await stage(settings, file, flags, io);
	}
	return 0;
};

async function stage(settings: ProjectSettings, file: string, flags: ReadonlySet<string>, io: ToolIo): Promise<void> {
	const target = await stagedPath(settings, path.basename(file));
	const info = await md5OfFile(file);
	const move = !flags.has('--copy');
	const say = (text: string): void => {
		if (flags.has('--verbose')) {
			io.out(text);
		}
	};
	say(`staging ${file} to ${target}\n`);
	if (existsSync(target)) {
		const present = (await readMd5Info(target)) ?? (await md5OfFile(target));
		if (present.md5 !== info.md5) {
			throw new ToolExit(1, `${COLLISION}stage_file failed for file ${file}: Error -1\n`);
		}
		say(`file ${file} has already been staged\n`);
		if (move) {
			await rm(file);
		}
	} else if (move) {
		await rename(file, target).catch(async () => {
			await copyFile(file, target);
			await rm(file);
		});
	} else {
		await copyFile(file, target);
	}
	if (!(await readMd5Info(target))) {
		say(`file's md5 hash and size: ${info.md5}, ${info.size} bytes\n`);
		await writeMd5Info(target, info);
	}
	if (flags.has('--gzip')) {
		await writeFile(`${target}.gz`, await promisify(gzip)(await readFile(target)));
		say(`created .gzip file for ${target}\n`);
	}
}
