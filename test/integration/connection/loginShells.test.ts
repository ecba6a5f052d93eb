import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connect } from '../../../src/connection/connect.js';
import { launch, loginCommand, shellCommand } from '../../../src/connection/quoting.js';
import { startSshd } from '../../../src/sandbox/sshd.js';
import { hostileWord } from '../../support/hostileWords.js';
import { sshPorts } from '../../support/sshPorts.js';

let dir: string;
beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-shells-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Shells that accounts have on Debian; each gets the command as sshd gives it. */
const SHELLS: readonly (readonly [string, ...string[]])[] = [
	['dash'],
	['bash'],
	['busybox', 'sh'],
	['tcsh'],
	['fish', '--no-config'],
];

describe.each(SHELLS)('login shell %s', (shell, ...options) => {
	it('hands hostile words to the program byte for byte', () => {
		fc.assert(
			fc.property(fc.array(hostileWord, { minLength: 1, maxLength: 5 }), hostileWord, (words, value) => {
				const script = shellCommand(['sh', '-c', 'printf "%s\\0" "$V" "$@"; cat', 'sh', ...words], { env: { V: value } });
				const command = loginCommand(launch(script).words);
				const { stdout, status, stderr } = spawnSync(shell, [...options, '-c', command], { input: 'input' });
				expect(stderr.toString()).toBe('');
				expect(status).toBe(0);
				expect(stdout).toEqual(Buffer.from(`${[value, ...words].map((word) => `${word}\0`).join('')}input`));
			}),
			{ numRuns: 15 },
		);
	});

	it('hands on a command that is too long for one argument', () => {
		const { words, preface } = launch(shellCommand(['sh', '-c', 'printf %s "$1" | wc -c; cat', 'sh', 'ä!'.repeat(30_000)]));
		const { stdout } = spawnSync(shell, [...options, '-c', loginCommand(words)], { input: `${preface ?? ''}input` });
		expect(stdout.toString().trim().split(/\s+/)).toEqual(['90000', 'input']);
	});
});

describe('an account with a talkative csh', () => {
	it('gives the output of commands and nothing else', async () => {
		const user = `b2d-${String(process.pid)}`;
		const home = join(dir, 'home');
		execFileSync('useradd', ['-M', '-N', '-d', home, '-s', '/bin/tcsh', '-p', '*', user]);
		execFileSync('install', ['-d', '-o', user, home]);
		await writeFile(join(home, '.cshrc'), 'echo Welcome; echo "b2d-0 17"; setenv LC_ALL C\n');
		execFileSync('chmod', ['755', dir]);
		const sshd = await startSshd({ dir: join(dir, 'sshd'), user });
		try {
			const connection = await connect(
				{ kind: 'ssh', user, host: '127.0.0.1', port: sshd.port, path: undefined },
				sshPorts(join(dir, 'trust'), {}, { identityFiles: [sshd.userKeyFile], knownHostsFiles: [sshd.knownHostsFile] }),
			);
			const words = ['!!', "it's", '$HOME', 'a\nb', '\\', 'é😀', '`id`'];
			const { stdout, code } = await connection.exec(['printf', '%s\\0', ...words], { cwd: home });
			expect(stdout.toString()).toBe(words.map((word) => `${word}\0`).join(''));
			expect(code).toBe(0);
			await connection.close();
		} finally {
			await sshd.stop();
			execFileSync('userdel', [user]);
		}
	});

	it('is told from one whose shell refuses to work', async () => {
		const user = `b2d-no-${String(process.pid)}`;
		execFileSync('useradd', ['-M', '-N', '-d', '/', '-s', '/usr/sbin/nologin', '-p', '*', user]);
		const sshd = await startSshd({ dir: join(dir, 'sshd-no'), user });
		try {
			const connection = await connect(
				{ kind: 'ssh', user, host: '127.0.0.1', port: sshd.port, path: undefined },
				sshPorts(join(dir, 'trust'), {}, { identityFiles: [sshd.userKeyFile], knownHostsFiles: [sshd.knownHostsFile] }),
			);
			await expect(connection.exec(['true'])).rejects.toMatchObject({
				code: 'command-failed',
				message: expect.stringContaining('This account is currently not available'),
			});
			await connection.close();
		} finally {
			await sshd.stop();
			execFileSync('userdel', [user]);
		}
	});
});
