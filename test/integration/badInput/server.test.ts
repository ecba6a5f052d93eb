import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { descendantsOf } from '../../../src/image/engine/processTree.js';
import { freePort } from '../../../src/sandbox/freePort.js';
import { stopMariadb } from '../../../src/sandbox/mariadb.js';
import { answerOf, CommandLine, type RunningCall, type ServerState } from '../../support/commandLine.js';
import { eventually } from '../../support/sandbox.js';
import { file, savedImage, tarOf, type TestConfig } from '../../support/savedImages.js';
import { SlowLink } from '../../support/slowLink.mjs';

/** What no program can reach by the modes of files: another account than the one that owns them. */
const NOBODY = 65_534;
const BIG = 12 << 20;
/** An upload with this much on the server is in its middle. */
const ARRIVED = 1 << 20;
const BYTES_PER_SECOND = 3 << 20;

let cli: CommandLine;
let before: ServerState;
let silent: Server;
let blackHole: RunningCall;
const archives: Record<'small' | 'big' | 'windows' | 'arm' | 'empty' | 'damaged', string> = {
	small: '',
	big: '',
	windows: '',
	arm: '',
	empty: '',
	damaged: '',
};

async function archive(name: string, content: Buffer, config: TestConfig = {}): Promise<string> {
	const target = cli.at(`${name}.tar`);
	const layer = tarOf(content.length === 0 ? [] : [file('app', content, { mode: 0o755 })]);
	await writeFile(target, savedImage('docker 25', [layer], { config: { Cmd: ['/app', name] }, ...config }));
	return target;
}

beforeAll(async () => {
	cli = await CommandLine.start();
	// Reaching its deadline takes half a minute: the other tests run meanwhile.
	silent = createServer(() => undefined);
	await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
	blackHole = cli.start(['--json', 'status'], { server: cli.serverAt((silent.address() as AddressInfo).port) });
	archives.small = await archive('small', Buffer.from('#!/bin/sh\n'));
	archives.big = await archive('big', randomBytes(BIG));
	archives.windows = await archive('windows', Buffer.from('MZ'), { os: 'windows' });
	archives.arm = await archive('arm', Buffer.from('arm'), { architecture: 'arm64' });
	archives.empty = await archive('empty', Buffer.alloc(0));
	archives.damaged = cli.at('damaged.tar');
	await writeFile(archives.damaged, (await readFile(archives.big)).subarray(0, BIG / 2));
});
afterAll(async () => {
	silent.close();
	await cli.remove();
});
beforeEach(async () => {
	before = await cli.serverState();
});
afterEach(async () => {
	expect(await cli.temporaryHere()).toEqual([]);
});

/** The server is as it was before the test. */
async function expectUntouched(): Promise<void> {
	expect(await cli.serverState()).toEqual(before);
}

/**
 * Nothing is in the database and no big file under its final name. Small ones may have arrived whole beside it; they are
 * named by their content, and the next try uses them.
 */
async function expectNothingSubmitted(temporary: readonly unknown[]): Promise<void> {
	const { staged: stagedBefore, ...rest } = before;
	// What a command on the server has open goes a moment after the connection.
	const { staged } = await vi.waitFor(
		async () => {
			const { staged, ...after } = await cli.serverState();
			expect(after).toEqual({ ...rest, temporary });
			return { staged };
		},
		{ timeout: 15_000, interval: 100 },
	);
	const added = staged.filter((name) => !stagedBefore.includes(name));
	const sizes = await Promise.all(added.map((name) => stat(cli.inProject(name)).then(({ size }) => size)));
	expect(Math.max(0, ...sizes)).toBeLessThan(ARRIVED);
}

/** Puts something else in place of a file of the project for the time of `body`. */
async function inPlaceOf<T>(name: string, put: (target: string) => Promise<void>, body: () => Promise<T>): Promise<T> {
	const target = cli.inProject(name);
	await rename(target, `${target}.real`);
	try {
		await put(target);
		return await body();
	} finally {
		await rm(target, { force: true });
		await rename(`${target}.real`, target);
	}
}

const script =
	(...lines: string[]) =>
	(target: string): Promise<void> =>
		writeFile(target, `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 });

describe('a server that cannot be used', () => {
	it('has a port at which nothing listens', async () => {
		const port = await freePort();
		const { code, error } = await cli.json(['status'], { server: cli.serverAt(port) });
		expect(code).toBe(4);
		expect(error).toMatchObject({ code: 'server-unreachable', message: expect.stringContaining(`127.0.0.1:${String(port)}`) });
		expect(error?.message).toContain('nothing listens at this port');
		expect(error?.remedy).toContain('port');
	});

	it('does not let the key in', async () => {
		const key = cli.at('other-key');
		execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
		const { code, error } = await cli.json(['submit', archives.small], { identity: key });
		expect(code).toBe(4);
		expect(error).toMatchObject({ code: 'authentication-failed', message: expect.stringContaining('127.0.0.1') });
		expect(error?.remedy).toBeTruthy();
		await expectUntouched();
	});

	it('shows another host key than before, or one that nobody can confirm', async () => {
		const key = (await readFile(cli.at('other-key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
		const [place] = (await readFile(cli.sandbox.knownHostsFile, 'utf8')).split(' ');
		const changed = cli.at('changed');
		await writeFile(changed, `${place!} ${key}\n`);
		const refused = await cli.json(['status'], { knownHosts: changed });
		expect(refused.code).toBe(4);
		expect(refused.error).toMatchObject({ code: 'host-key-changed', message: expect.stringContaining('127.0.0.1') });
		expect(refused.error?.message).toContain('SHA256:');

		await writeFile(changed, '');
		const unknown = await cli.json(['status'], { knownHosts: changed });
		expect(unknown.code).toBe(4);
		expect(unknown.error).toMatchObject({ code: 'host-key-unknown' });
		expect(existsSync(cli.at('config', 'boinc2docker', 'known_hosts'))).toBe(false);
	});

	it('is given with an account that no system has', async () => {
		const { code, error } = await cli.json(['status', '--as', 'no body']);
		expect(code).toBe(2);
		expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining('no body') });
	});
});

describe('a folder that is no usable project', () => {
	it('has no config.xml', async () => {
		const { code, error } = await cli.json(['submit', archives.small], {
			server: cli.server.replace(cli.sandbox.projectRoot, cli.sandbox.dir),
		});
		expect(code).toBe(1);
		expect(error).toMatchObject({ code: 'project-not-found', message: expect.stringContaining('config.xml') });
		expect(error?.message).toContain(cli.sandbox.dir);
	});

	it('has a config.xml that this account may not read', async () => {
		const config = cli.inProject('config.xml');
		const { mode } = await stat(config);
		await chmod(cli.dir, 0o755);
		await chmod(config, 0o600);
		const asOther = process.getuid?.() === 0 ? { uid: NOBODY } : {};
		await chmod(config, asOther.uid === undefined ? 0 : 0o600);
		try {
			const { code, error } = await cli.json(['status'], { ...asOther, server: `local:${cli.sandbox.projectRoot}` });
			expect(code).toBe(1);
			expect(error).toMatchObject({ code: 'project-unreadable', message: expect.stringContaining(config) });
			expect(error?.remedy).toContain('account');
		} finally {
			await chmod(config, mode & 0o777);
		}
	});

	it('has a config.xml that is no XML, or lacks what a project needs', async () => {
		for (const [text, said] of [
			['<boinc><config><db_name>x</config></boinc>', 'config.xml'],
			['', 'config.xml'],
			['<boinc><config><master_url>http://x/</master_url></config></boinc>', 'db_name'],
		] as const) {
			await inPlaceOf(
				'config.xml',
				(target) => writeFile(target, text),
				async () => {
					const { code, error } = await cli.json(['submit', archives.small]);
					expect(code, text).toBe(1);
					expect(error, text).toMatchObject({ code: 'config-invalid', message: expect.stringContaining(said) });
				},
			);
		}
		await expectUntouched();
	});

	it('has no app that runs containers', async () => {
		const { code, error } = await cli.json(['submit', archives.small]);
		expect(code).toBe(1);
		expect(error).toMatchObject({ code: 'app-missing', remedy: expect.stringContaining('boinc2docker install') });
		await expectUntouched();
	});
});

describe('with the app installed', () => {
	beforeAll(() => cli.install());

	const send = (link: SlowLink, knownHosts: string, ...more: string[]): RunningCall =>
		cli.start(['--json', 'submit', archives.big, ...more], { server: cli.serverAt(link.port), knownHosts });
	/** Waits until the part that is uploaded now, which was not there before the test, has some content. */
	const partial = (): Promise<unknown> =>
		eventually('the upload is in its middle', async () => {
			const all = await readdir(cli.inProject('download'), { recursive: true });
			const names = all.filter((name) => name.endsWith('.part') && !before.temporary.includes(`download/${name}`));
			// One that is complete by now has another name.
			const sizes = names.map((name) =>
				stat(cli.inProject('download', name)).then(
					({ size }) => size,
					() => 0,
				),
			);
			return (await Promise.all(sizes)).some((size) => size > ARRIVED);
		});
	const nothingTemporary = async (): Promise<void> => expect((await cli.serverState()).temporary).toEqual([]);

	it.each([
		['windows', 'image-unsupported', 'windows'],
		['arm', 'app-incomplete', 'arm64'],
		['empty', 'image-empty', 'no files'],
		['damaged', 'archive-corrupt', 'damaged.tar'],
	] as const)('refuses the %s image: %s', async (name, expected, said) => {
		const { code, error } = await cli.json(['submit', archives[name]]);
		expect(code).toBe(1);
		expect(error).toMatchObject({ code: expected, message: expect.stringContaining(said) });
		expect(error?.remedy).toBeTruthy();
		await expectUntouched();
	});

	it('says that no engine is there, where one is needed, and needs none for a saved image', async () => {
		const nowhere = cli.at('empty-path');
		await mkdir(nowhere);
		await writeFile(cli.at('Dockerfile'), 'FROM scratch\n');
		const { code, error } = await cli.json(['submit', cli.at('Dockerfile')], { env: { PATH: nowhere } });
		expect(code).toBe(3);
		expect(error).toMatchObject({ code: 'engine-missing', message: expect.stringMatching(/docker.*podman/) });
		expect(error?.remedy).toMatch(/install/i);
		await expectUntouched();

		const saved = await cli.json(['submit', archives.small], { env: { PATH: nowhere } });
		expect(saved.error).toBeUndefined();
		expect(saved.code).toBe(0);
	});

	it('says before an upload that the disk is too full, and leaves nothing when it fills up meanwhile', async () => {
		const download = cli.inProject('download');
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(BIG / 2)}`, 'tmpfs', download]);
		const port = cli.sandbox.target.kind === 'ssh' ? cli.sandbox.target.port! : 0;
		const link = await SlowLink.start(port, BYTES_PER_SECOND);
		try {
			const refused = await cli.json(['submit', archives.big]);
			expect(refused.code).toBe(1);
			expect(refused.error).toMatchObject({ code: 'disk-full', message: expect.stringContaining(download) });
			expect(refused.error?.remedy).toContain('Free some space');

			execFileSync('mount', ['-o', `remount,size=${String(2 * BIG)}`, download]);
			const call = send(link, await cli.knownHostsFor(link.port));
			await partial();
			await promisify(execFile)('dd', ['if=/dev/zero', `of=${download}/filler`, 'bs=1M']).catch(() => undefined);
			const full = answerOf(await call.ended);
			expect(full.code).toBe(1);
			expect(full.error).toMatchObject({ code: 'disk-full', message: expect.stringContaining('127.0.0.1') });
			const left = await readdir(download, { recursive: true });
			expect(left.filter((name) => /part|lock/.test(name))).toEqual([]);
		} finally {
			await link.stop();
			execFileSync('umount', [download]);
		}
		await expectUntouched();
	});

	it('goes on where an upload was cut', async () => {
		const port = cli.sandbox.target.kind === 'ssh' ? cli.sandbox.target.port! : 0;
		const link = await SlowLink.start(port, BYTES_PER_SECOND);
		try {
			const call = send(link, await cli.knownHostsFor(link.port));
			await partial();
			const sshd = Number(await readFile(cli.at('sandbox', 'sshd', 'sshd.pid'), 'utf8'));
			for (const { pid } of await descendantsOf(sshd)) {
				const line = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '');
				if (line.includes('sshd')) {
					process.kill(pid, 'SIGKILL');
				}
			}
			const cut = answerOf(await call.ended);
			expect(cut.code).toBe(4);
			expect(cut.error).toMatchObject({ code: 'connection-lost', message: expect.stringContaining('127.0.0.1') });
			await expectNothingSubmitted([expect.stringMatching(/\.part$/)]);
		} finally {
			await link.stop();
		}
		const next = await cli.json(['submit', archives.big]);
		expect(next.error).toBeUndefined();
		expect(next.answer.batch?.bytesSent).toBeGreaterThan(0);
		expect(next.answer.batch?.bytesSent).toBeLessThan(BIG - ARRIVED + 100_000);
		await nothingTemporary();
	});

	it('goes on after the command line was killed in the middle of an upload', async () => {
		const image = await archive('killed', randomBytes(BIG));
		const port = cli.sandbox.target.kind === 'ssh' ? cli.sandbox.target.port! : 0;
		const link = await SlowLink.start(port, BYTES_PER_SECOND);
		try {
			const call = cli.start(['--json', 'submit', image], {
				server: cli.serverAt(link.port),
				knownHosts: await cli.knownHostsFor(link.port),
			});
			await partial();
			call.child.kill('SIGKILL');
			expect((await call.ended).code).toBe(-2);
		} finally {
			await link.stop();
		}
		await expectNothingSubmitted([expect.stringMatching(/\.part$/)]);
		const next = await cli.json(['submit', image]);
		expect(next.code).toBe(0);
		expect(next.answer.batch?.bytesSent).toBeLessThan(BIG - ARRIVED + 100_000);
		await nothingTemporary();
	});

	it('takes an upload back when somebody presses Ctrl+C', async () => {
		const image = await archive('cancelled', randomBytes(BIG));
		const port = cli.sandbox.target.kind === 'ssh' ? cli.sandbox.target.port! : 0;
		const link = await SlowLink.start(port, BYTES_PER_SECOND);
		try {
			const call = cli.start(['--json', 'submit', image], {
				server: cli.serverAt(link.port),
				knownHosts: await cli.knownHostsFor(link.port),
			});
			await partial();
			call.child.kill('SIGINT');
			const cancelled = answerOf(await call.ended);
			expect(cancelled.code).toBe(130);
			expect(cancelled.error).toMatchObject({ code: 'cancelled' });
		} finally {
			await link.stop();
		}
		await expectNothingSubmitted([]);
	});

	it('takes a batch back when somebody presses Ctrl+C while its jobs are created', async () => {
		const marker = cli.at('created');
		const tool = script('"$0.real" "$@"', `touch ${marker}`, 'exec sleep 60');
		await inPlaceOf('bin/create_work', tool, async () => {
			const call = cli.start(['--json', 'submit', archives.small, '--count', '3']);
			await eventually('the jobs exist', () => Promise.resolve(existsSync(marker)));
			call.child.kill('SIGINT');
			const cancelled = answerOf(await call.ended);
			expect(cancelled.code).toBe(130);
			expect(cancelled.error).toMatchObject({ code: 'cancelled' });
		});
		const { jobs, alive, batches, preparing, temporary } = await cli.serverState();
		expect({ jobs, alive, batches, preparing, temporary }).toEqual({
			...{ jobs: before.jobs + 3, alive: before.alive, batches: before.batches + 1 },
			...{ preparing: before.preparing, temporary: [] },
		});
	});

	it('ends at once at the second Ctrl+C; status explains what is left, and cancel tidies it', async () => {
		const marker = cli.at('hung');
		await inPlaceOf('bin/create_work', script(`touch ${marker}`, 'trap "" TERM', 'exec sleep 60'), async () => {
			const call = cli.start(['submit', archives.small]);
			await eventually('create_work is at work', () => Promise.resolve(existsSync(marker)));
			call.child.kill('SIGINT');
			await eventually('the first is answered', () => Promise.resolve(call.said().includes('press Ctrl+C again')));
			call.child.kill('SIGINT');
			expect((await call.ended).code).toBe(130);
		});
		const { answer } = await cli.json(['status']);
		const id = Math.max(...answer.batches!.map((batch) => batch.id));
		const text = await cli.run(['status', String(id)]);
		expect(text.stdout).toContain('preparing');
		expect(text.stdout).toContain(`boinc2docker cancel ${String(id)}`);
		expect((await cli.run(['cancel', String(id), '--yes'])).code).toBe(0);
		const after = await cli.serverState();
		expect(after).toMatchObject({ preparing: 0, alive: before.alive, temporary: [] });
		// The image was sent and its temporary files removed before jobs were created.
		expect(await cli.temporaryHere()).toEqual([]);
	});

	it('says what create_work says when it fails, and takes the batch back', async () => {
		await inPlaceOf('bin/create_work', script('echo "no shared memory here" >&2', 'exit 1'), async () => {
			const { code, error } = await cli.json(['submit', archives.small]);
			expect(code).toBe(1);
			expect(error).toMatchObject({ code: 'submit-failed', message: expect.stringContaining('no shared memory here') });
			expect(error?.message).toContain('aborted');
		});
		const { jobs, batches, preparing, temporary } = await cli.serverState();
		expect({ jobs, batches, preparing, temporary }).toEqual({
			...{ jobs: before.jobs, batches: before.batches + 1 },
			...{ preparing: 0, temporary: [] },
		});
	});

	it('completes two submissions of the same image at once, without doubles', async () => {
		const image = await archive('twice', randomBytes(BIG / 4));
		const both = await Promise.all(
			['first', 'second'].map((name) => cli.json(['submit', image, '--count', '20', '--name', name])),
		);
		for (const { code, error } of both) {
			expect(error).toBeUndefined();
			expect(code).toBe(0);
		}
		const names = both.flatMap(({ answer }) => answer.batch!.jobNames!);
		expect(new Set(names).size).toBe(40);
		const rows = await cli.database.select('SELECT batch, COUNT(*) AS n FROM workunit WHERE batch IN (?, ?) GROUP BY batch', [
			...both.map(({ answer }) => answer.batch!.id),
		]);
		expect(rows.map(({ n }) => n)).toEqual([20, 20]);
		await nothingTemporary();
	});

	it('gives a server up that accepts and never answers', async () => {
		const { code, error, ms } = answerOf(await blackHole.ended);
		expect(code).toBe(4);
		expect(error).toMatchObject({ code: 'timeout', message: expect.stringContaining('30 s') });
		expect(error?.remedy).toBeTruthy();
		expect(ms).toBeLessThan(60_000);
	});

	it('tells by doctor and at submitting that the daemons do not run', async () => {
		expect((await cli.json(['doctor'])).answer.findings).toContainEqual({
			level: 'ok',
			what: expect.stringContaining('daemons run'),
		});
		await cli.tool('stop');
		const doctor = await cli.json(['doctor']);
		expect(doctor.code).toBe(1);
		expect(doctor.answer.findings).toContainEqual({
			...{ level: 'error', what: 'The project is stopped.' },
			remedy: `Run bin/start in ${cli.sandbox.projectRoot}.`,
		});
		const submitted = await cli.run(['submit', archives.small]);
		expect(submitted.code).toBe(0);
		expect(submitted.stderr).toContain('stopped');
		expect(submitted.stderr).toContain('bin/start');
	});

	it('says that the database is down', async () => {
		await cli.database.end();
		await stopMariadb(path.join(cli.sandbox.dir, 'mariadb'));
		for (const words of [['submit', archives.small], ['status'], ['doctor']]) {
			const { code, error, answer } = await cli.json(words);
			expect(code, words[0]).toBe(1);
			if (words[0] === 'doctor') {
				expect(answer.findings).toContainEqual({
					...{ level: 'error', what: expect.stringContaining('cannot be reached') },
					remedy: expect.stringContaining('MariaDB'),
				});
			} else {
				expect(error).toMatchObject({ code: 'database-unreachable', remedy: expect.stringContaining('MariaDB') });
				expect(error?.message).toContain(String(cli.sandbox.database.port));
			}
		}
	});
});
