import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { md5OfFile } from '../../common/content.js';
import { parsePrivateKey, signMd5 } from '../../project/boincKeys.js';
import type { Tool } from '../toolIo.js';
import { ToolExit } from '../toolProject.js';

/** `sign_executable FILE PRIVATEKEY`: prints the signature. */
export const signExecutable: Tool = async (args, io) => {
	const [file, keyFile, ...rest] = args;
	if (file === undefined || keyFile === undefined || rest.length > 0) {
		throw new ToolExit(1, 'syntax: sign_executable data_file private_key_file\n\nWrites signature to stdout.\n');
	}
	const text = await readFile(path.resolve(io.cwd, keyFile), 'utf8').catch(() => {
		throw new ToolExit(1, `can't open key file (${keyFile})\nadd: can't read key\n`);
	});
	const key = parsePrivateKey(text);
	if (!key) {
		throw new ToolExit(1, "can't parse key\nadd: can't read key\n");
	}
	const info = await md5OfFile(path.resolve(io.cwd, file)).catch(() => {
		throw new ToolExit(1, `md5_file: can't open ${file}\nmd5_file: No such file or directory\nadd: can't sign file\n`);
	});
	io.out(signMd5(info.md5, key));
	return 0;
};
