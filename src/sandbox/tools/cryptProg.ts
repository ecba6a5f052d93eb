import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { md5OfFile } from '../../common/content.js';
import { generateBoincKeys, parsePrivateKey, parsePublicKey, signMd5, verifyMd5 } from '../../project/boincKeys.js';
import type { Tool, ToolIo } from '../toolIo.js';
import { ToolExit } from '../toolProject.js';

const USAGE = `Usage: crypt_prog options

Options:

-genkey n private_keyfile public_keyfile
    create an n-bit key pair
-sign file private_keyfile
    create a signature for a given file, write to stdout
-verify file signature_file public_keyfile
    verify a file signature
`;

/** `crypt_prog`: keys, signatures, verification. */
export const cryptProg: Tool = async (args, io) => {
	const [option = '', ...rest] = args;
	const at = (name: string): string => path.resolve(io.cwd, name);
	const [first = '', second = '', third = ''] = rest;
	if (option.endsWith('genkey') && rest.length === 3) {
		return generate(first, second, third, io);
	}
	if (option.endsWith('-sign') && rest.length === 2) {
		const key = parsePrivateKey(await readFile(at(second), 'utf8'));
		if (!key) {
			throw new ToolExit(2, `can't read key file (${second})\n`);
		}
		io.out(signMd5((await md5OfFile(at(first))).md5, key));
		return 0;
	}
	if (option.endsWith('-verify') && rest.length === 3) {
		const key = parsePublicKey(await readFile(at(third), 'utf8'));
		const { md5 } = await md5OfFile(at(first));
		const valid = key !== undefined && verifyMd5(md5, await readFile(at(second), 'utf8'), key);
		io.out(valid ? 'signature is valid\n' : 'signature is not valid\n');
		return valid ? 0 : 1;
	}
	throw new ToolExit(1, USAGE);
};

async function generate(bits: string, privateFile: string, publicFile: string, io: ToolIo): Promise<number> {
	io.out(`creating keys in ${privateFile} and ${publicFile}\n`);
	if (bits !== '1024') {
		throw new ToolExit(2, 'crypt_prog: this project makes keys of 1024 bits only\n');
	}
	const { publicKey, privateKey } = await generateBoincKeys();
	await writeFile(path.resolve(io.cwd, privateFile), privateKey, { mode: 0o600 });
	await writeFile(path.resolve(io.cwd, publicFile), publicKey);
	return 0;
}
