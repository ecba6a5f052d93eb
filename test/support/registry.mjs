import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The account that a registry with a password knows, and bcrypt's hash of the password. */
export const ACCOUNT = { name: 'me', password: 'secret' };
const HASH = '$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';

/** Debian's registry for images on a free loopback port, with its images in `dir`; `access` is `open` or `password`. */
export async function startRegistry(dir, access = 'open') {
	const port = await freePort();
	await mkdir(dir, { recursive: true });
	const file = (name) => path.join(dir, name);
	await writeFile(file('htpasswd'), `${ACCOUNT.name}:${HASH}\n`);
	const auth = access === 'open' ? '' : `auth: {htpasswd: {realm: test, path: ${file('htpasswd')}}}\n`;
	await writeFile(
		file('registry.yml'),
		`version: 0.1\nlog: {level: error}\n${auth}storage: {filesystem: {rootdirectory: ${file('data')}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
	);
	const child = spawn('docker-registry', ['serve', file('registry.yml')], { stdio: 'ignore' });
	const stop = async () => {
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
		await sleep(50);
	}
	await stop();
	throw new Error('the registry does not answer');
}

/** As a person would: registries without certificates are listed in the engine's own settings. */
export function trustRegistries(file, registries) {
	const insecure = registries.map(({ port }) => `[[registry]]\nlocation = "127.0.0.1:${port}"\ninsecure = true\n`);
	return writeFile(file, `unqualified-search-registries = []\n${insecure.join('')}`);
}

async function freePort() {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address();
	const closed = once(server, 'close');
	server.close();
	await closed;
	return port;
}
