import { createHash, randomFillSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, it } from 'vitest';

import { leaveOutNativeModules } from '../../../bench/support/nativeModules.js';
import { startSshd } from '../../../src/sandbox/sshd.js';
import { connectLoopback } from '../../support/loopback.js';

// As in the product: memory is used again only with the decipher of Node.js.
leaveOutNativeModules();

it.each(['aes128-gcm@openssh.com', 'aes128-ctr', 'chacha20-poly1305@openssh.com'])(
	'what commands write arrives unchanged, in several channels at once, with %s',
	async (cipher) => {
		const dir = await mkdtemp(path.join(tmpdir(), 'b2d-streams-'));
		const sshd = await startSshd({ dir, config: [`Ciphers ${cipher}`] });
		try {
			const connection = await connectLoopback(sshd, sshd.port, path.join(dir, 'trust'));
			const received = async (file: string): Promise<string> => {
				const hash = createHash('md5');
				await connection.exec(['cat', file], { onStdout: (chunk) => void hash.update(chunk) });
				return hash.digest('hex');
			};
			try {
				const files = ['a', 'b', 'c'].map((name) => path.join(dir, name));
				const hashes: string[] = [];
				for (const file of files) {
					const content = randomFillSync(Buffer.alloc(12_345_678));
					await writeFile(file, content);
					hashes.push(createHash('md5').update(content).digest('hex'));
				}
				expect(await Promise.all(files.map(received))).toEqual(hashes);
			} finally {
				await connection.close();
			}
		} finally {
			await sshd.stop();
			await rm(dir, { recursive: true, force: true });
		}
	},
);

it('what is sent and received stays unchanged while keys are changed', async () => {
	const dir = await mkdtemp(path.join(tmpdir(), 'b2d-streams-'));
	const sshd = await startSshd({ dir, config: ['Ciphers aes128-gcm@openssh.com', 'RekeyLimit 1M'] });
	try {
		const connection = await connectLoopback(sshd, sshd.port, path.join(dir, 'trust'));
		const md5 = (content: Uint8Array): string => createHash('md5').update(content).digest('hex');
		const echoed = async (content: Uint8Array): Promise<string> => {
			const hash = createHash('md5');
			await connection.exec(['cat'], { stdin: content, onStdout: (chunk) => void hash.update(chunk) });
			return hash.digest('hex');
		};
		try {
			const contents = [1, 2, 3].map((n) => randomFillSync(Buffer.alloc(9_876_543 + n)));
			expect(await Promise.all(contents.map(echoed))).toEqual(contents.map(md5));
		} finally {
			await connection.close();
		}
	} finally {
		await sshd.stop();
		await rm(dir, { recursive: true, force: true });
	}
});
