import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { leaveOutNativeModules } from '../../../bench/support/nativeModules.js';
import { contentOfFile } from '../../../src/common/content.js';
import { connect } from '../../../src/connection/connect.js';
import { sshPorts } from '../../support/sshPorts.js';
import { SshServer } from '../../support/sshServer.js';

it('a file of many packets arrives whole, and comes back whole, with the ciphers that the product has', async () => {
	leaveOutNativeModules();
	const dir = await mkdtemp(join(tmpdir(), 'b2d-packets-'));
	const server = await SshServer.start();
	try {
		const connection = await connect(
			{ kind: 'ssh', user: 'u', host: '127.0.0.1', port: server.port, path: undefined },
			sshPorts(join(dir, 'trust')),
		);
		const bytes = randomBytes(3_333_333);
		await writeFile(join(dir, 'source'), bytes);
		await connection.upload(await contentOfFile(join(dir, 'source')), join(dir, 'sent'));
		expect((await readFile(join(dir, 'sent'))).equals(bytes)).toBe(true);
		await connection.download(join(dir, 'sent'), join(dir, 'fetched'));
		expect((await readFile(join(dir, 'fetched'))).equals(bytes)).toBe(true);
		await connection.close();
	} finally {
		await server.stop();
		await rm(dir, { recursive: true, force: true });
	}
});
