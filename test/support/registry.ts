import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { systemClock } from '../../src/common/ports.js';
import { freePort } from '../../src/sandbox/freePort.js';

export interface TestRegistry {
	readonly port: number;
	stop(): Promise<void>;
}

/** The account that a registry with a password knows, and bcrypt's hash of the password. */
export const ACCOUNT = { name: 'me', password: 'secret' } as const;
const HASH = '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';

/** Debian's registry for images on a free loopback port, with its images in `dir`. */
export async function startRegistry(dir: string, access: 'open' | 'password' = 'open'): Promise<TestRegistry> {
	const port = await freePort();
	await mkdir(dir, { recursive: true });
	const file = (name: string): string => path.join(dir, name);
	await writeFile(file('htpasswd'), `${ACCOUNT.name}:${HASH}\n`);
	const auth = access === 'open' ? '' : `auth: {htpasswd: {realm: test, path: ${file('htpasswd')}}}\n`;
	await writeFile(
		file('registry.yml'),
		`version: 0.1\nlog: {level: error}\n${auth}storage: {filesystem: {rootdirectory: ${file('data')}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
	);
	const child = spawn('docker-registry', ['serve', file('registry.yml')], { stdio: 'ignore' });
	const stop = async (): Promise<void> => {
		const closed = once(child, 'close');
		if (child.exitCode === null && child.kill()) {
			await closed;
		}
	};
	for (let tries = 0; tries < 200; tries++) {
		const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
		if (answer) {
			return { port, stop };
		}
		await systemClock.sleep(50);
	}
	await stop();
	throw new Error('the registry does not answer');
}
