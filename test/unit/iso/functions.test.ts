import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createArguments, PIDS_LIMIT } from '../../../src/job/jobToml.js';
import { encodeWord } from '../../../src/job/parameters.js';
import { directory, file, hardlink, symlink as link, tarOf, type TestEntry } from '../../support/savedImages.js';

const FUNCTIONS = path.resolve(import.meta.dirname, '../../../iso/guest/functions.sh');

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d guest-'));
	for (const name of ['slot', 'run', 'disk', 'bin']) {
		await mkdir(path.join(dir, name));
	}
	// The guest's GNU tar has a name of its own.
	await symlink('/bin/tar', path.join(dir, 'bin/gtar'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const at = (...parts: string[]): string => path.join(dir, ...parts);

interface Outcome {
	readonly code: number;
	readonly stdout: string;
	/** What the project is told. */
	readonly said: string;
}

/** Runs shell text with the guest's functions in busybox, as in the VM, on folders of this machine. */
async function guest(script: string): Promise<Outcome> {
	const { code, stdout } = await new Promise<{ code: number; stdout: string }>((resolve, reject) => {
		execFile(
			'/bin/busybox',
			['sh', '-c', `. "${FUNCTIONS}"\nlog() { :; }\n${script}`],
			{
				env: { PATH: `${at('bin')}:/bin:/usr/bin`, B2D_SLOT: at('slot'), B2D_RUN: at('run'), B2D_DISK: at('disk') },
				timeout: 15_000,
			},
			(error, out) => {
				if (error && typeof error.code !== 'number') {
					reject(new Error(error.message));
				} else {
					resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout: out });
				}
			},
		);
	});
	const said = await readFile(at('run/sentences'), 'utf8').catch(() => '');
	return { code, stdout, said };
}

const HASH = 'a'.repeat(64);
const DESCRIPTION = `b2d_vm 1
image ${'1'.repeat(64)}
architecture amd64
colour blue
pack ${HASH} 5 b2d_pack_1.tar.gz
tree 1000 7
network none
disk 5000
env A=b
dir /work
`;

async function described(text: string, script: string): Promise<Outcome> {
	await writeFile(at('slot/b2d_vm'), text);
	return guest(`read_description "$B2D_SLOT/b2d_vm"\n${script}`);
}

describe('the description of a job', () => {
	test('is read, and keys that are not known do no harm', async () => {
		const { stdout } = await described(
			DESCRIPTION,
			'echo "$job_architecture $job_tree_bytes $job_tree_entries $job_network $job_disk $job_dir"; cat "$B2D_RUN/packs" "$B2D_RUN/env"',
		);
		expect(stdout).toBe(`amd64 1000 7 none 5000 /work\n${HASH} 5 b2d_pack_1.tar.gz\nA=b\n`);
	});

	test.each([
		['is no description', 'hello world\n', 'no description of a job'],
		['is empty', '', 'no description of a job'],
		['has another version', DESCRIPTION.replace('b2d_vm 1', 'b2d_vm 2'), 'in version 2, and this VM knows version 1'],
		['lists no packs', DESCRIPTION.replace(/^pack.*\n/m, ''), 'The job has no packs'],
		[
			'has a pack outside of the slot',
			DESCRIPTION.replace('b2d_pack_1', '../b2d_pack_1'),
			'list of packs in b2d_vm cannot be read',
		],
		['has a pack without a size', DESCRIPTION.replace(' 5 ', ' five '), 'list of packs in b2d_vm cannot be read'],
		['has a pack with half a hash', DESCRIPTION.replace(HASH, 'abc'), 'list of packs in b2d_vm cannot be read'],
		['has no number for the tree', DESCRIPTION.replace('tree 1000', 'tree many'), 'The size of the image in b2d_vm is no number'],
		['has no number for the disk', DESCRIPTION.replace('disk 5000', 'disk -1'), 'The size of the disk in b2d_vm is no number'],
		['wants a network that a VM has not', DESCRIPTION.replace('network none', 'network host'), 'wants the network "host"'],
		[
			'corrects times of a pack without a name',
			`${DESCRIPTION}times b2d_pack_1.tar.gz\n`,
			'corrections of times in b2d_vm cannot be read',
		],
		[
			'corrects times of a file elsewhere',
			`${DESCRIPTION}times ../pack root/shared\n`,
			'corrections of times in b2d_vm cannot be read',
		],
		['has a word that is not encoded', DESCRIPTION.replace('A=b', 'A="b'), 'characters that it must not have'],
	])('that %s is refused with a sentence', async (_, text, sentence) => {
		const { code, said } = await described(text, 'echo reached');
		expect(code).toBe(206);
		expect(said).toContain(sentence);
		expect(said.split('\n')).toHaveLength(2);
	});

	test('that is missing is refused', async () => {
		expect(await guest('read_description "$B2D_SLOT/b2d_vm"')).toMatchObject({
			code: 206,
			said: 'boinc2docker: The file b2d_vm, which tells the VM what to run, is missing.\n',
		});
	});
});

describe('an image', () => {
	const content = gzipSync(tarOf([file('bin/hello', 'hello', { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })]));
	const hash = createHash('sha256').update(content).digest('hex');
	const text = (more: { hash?: string; size?: number } = {}): string =>
		DESCRIPTION.replace(`${HASH} 5`, `${more.hash ?? hash} ${String(more.size ?? content.length)}`);
	const UNPACK = 'check_job "$B2D_SLOT"; unpack_image "$B2D_SLOT"; cat "$B2D_DISK/rootfs/bin/hello"';

	test('is unpacked', async () => {
		await writeFile(at('slot/b2d_pack_1.tar.gz'), content);
		expect(await described(text(), UNPACK)).toMatchObject({ code: 0, stdout: 'hello', said: '' });
	});

	test('for another architecture is refused', async () => {
		await writeFile(at('slot/b2d_pack_1.tar.gz'), content);
		expect(await described(text().replace('amd64', 'riscv64'), UNPACK)).toMatchObject({
			code: 206,
			said: 'boinc2docker: The image is for riscv64, and this VM runs amd64.\n',
		});
	});

	test('with a missing pack is refused', async () => {
		expect(await described(text(), UNPACK)).toMatchObject({
			code: 206,
			said: 'boinc2docker: The pack b2d_pack_1.tar.gz of the image is missing.\n',
		});
	});

	test('with a truncated pack is refused', async () => {
		await writeFile(at('slot/b2d_pack_1.tar.gz'), content.subarray(0, -1));
		const { code, said } = await described(text(), UNPACK);
		expect(code).toBe(206);
		expect(said).toContain(`has ${String(content.length - 1)} bytes instead of ${String(content.length)}.`);
	});

	test('whose pack has another content is refused, also when it unpacks well', async () => {
		await writeFile(at('slot/b2d_pack_1.tar.gz'), content);
		const { code, said, stdout } = await described(text({ hash: 'b'.repeat(64) }), UNPACK);
		expect({ code, stdout }).toEqual({ code: 206, stdout: '' });
		expect(said).toContain(`is damaged: its SHA-256 is ${hash} instead of bbbb`);
	});

	test('whose pack is no archive is refused as damaged, or as impossible to unpack if it was meant so', async () => {
		const wrong = Buffer.from('this is no gzip');
		await writeFile(at('slot/b2d_pack_1.tar.gz'), wrong);
		expect((await described(text({ size: wrong.length }), UNPACK)).said).toContain('is damaged');
		await rm(at('run/sentences'));
		const wrongHash = createHash('sha256').update(wrong).digest('hex');
		const { code, said } = await described(text({ hash: wrongHash, size: wrong.length }), UNPACK);
		expect(code).toBe(206);
		expect(said).toContain('cannot be unpacked: ');
	});
});

describe('packs that follow each other', () => {
	const MINE = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
	/** Names of files, of which each character is a byte. */
	const NAMES = [
		'plain',
		'with space',
		'new\nline\n',
		'q"\'$x`y`',
		'back\\slash\\\\ two\\ \\',
		'\x015 \x7f \\001',
		'\xff\xe9 \xc3\xa9',
		'a link to b',
		'-c',
		'*?[a]',
		`long${'g'.repeat(200)}`,
		'folder/in it/\\n file',
	];

	beforeEach(async () => {
		// As in the VM, these are busybox's.
		for (const name of ['gzip', 'sed', 'sh', 'touch', 'xargs']) {
			await symlink('/bin/busybox', at('bin', name));
		}
	});

	/** Unpacks packs with these entries in the guest. */
	async function unpack(packs: readonly (readonly TestEntry[])[], times: readonly string[] = []): Promise<Outcome> {
		const lines: string[] = [];
		for (const [index, entries] of packs.entries()) {
			const content = gzipSync(tarOf(entries.map((entry) => ({ ...MINE, ...entry }))));
			const name = `pack${String(index)}`;
			await writeFile(at('slot', name), content);
			lines.push(`pack ${createHash('sha256').update(content).digest('hex')} ${String(content.length)} ${name}\n`);
		}
		const text = DESCRIPTION.replace(/^pack.*\n/m, lines.join('')) + times.map((line) => `times ${line}\n`).join('');
		return described(text, 'check_job "$B2D_SLOT"; unpack_image "$B2D_SLOT"; echo unpacked');
	}

	const rooted = (name: string): Buffer => Buffer.concat([Buffer.from(`${at('disk/rootfs')}/`), Buffer.from(name, 'latin1')]);
	const seconds = async (name: string): Promise<number> => (await lstat(rooted(name))).mtimeMs / 1000;

	test('correct times of files, whatever their names are, by links that are gone afterwards', async () => {
		const folders = ['', 'folder', 'folder/in it'].map((name) => directory(name === '' ? 'ro ot' : name, { mtime: 5 }));
		const { stdout } = await unpack(
			[
				[
					...folders,
					...NAMES.map((name) => file(name, name)),
					link('link', '/etc/passwd'),
					hardlink('twin', 'plain'),
					link('ro ot/shared', '/boinc/shared', { mtime: 6 }),
				],
				[
					...NAMES.map((name, index) => hardlink('ro ot/shared', name, { mtime: 2_000_000 + index * 86_399 })),
					hardlink('ro ot/shared', 'link', { mtime: 2 ** 33 + 7 }),
					hardlink('ro ot/shared', '*?[a]', { mtime: 0 }),
					hardlink('ro ot/shared', '-c', { mtime: -5_000_000 }),
					// Other links are what they are.
					hardlink('ro ot/shared link to x', 'a link to b', { mtime: 1 }),
					hardlink('other', 'with space', { mtime: 1 }),
					link('ro ot/shared', '/boinc/shared', { mtime: 7 }),
				],
				folders,
			],
			[`pack1 ${encodeWord('ro ot/shared')}`],
		);
		expect(stdout).toBe('unpacked\n');
		const found = await Promise.all(NAMES.map(seconds));
		const expected = NAMES.map((name, index) => ({ '*?[a]': 0, '-c': -5_000_000 })[name] ?? 2_000_000 + index * 86_399);
		expect(found).toEqual(expected);
		expect(await seconds('twin')).toBe(2_000_000);
		expect(await seconds('link')).toBe(2 ** 33 + 7);
		expect(await readlink(rooted('ro ot/shared'))).toBe('/boinc/shared');
		expect(await seconds('ro ot/shared')).toBe(7);
		for (const { name } of folders) {
			expect(await seconds(name)).toBe(5);
		}
		expect((await lstat(rooted('plain'))).nlink).toBe(2);
	});

	test('leave times alone without a line for them', async () => {
		const entries = [file('one', '1'), directory('root'), hardlink('root/shared', 'one', { mtime: 5 })];
		expect((await unpack([entries, [hardlink('root/shared', 'one', { mtime: 5 })]], ['pack0 root/other'])).code).toBe(0);
		expect(await seconds('one')).toBe(1000);
	});

	test('correct the time of a file before a later pack replaces it', async () => {
		await unpack([[file('one', '1')], [hardlink('x', 'one', { mtime: 5 })], [file('one', '2', { mtime: 6 })]], ['pack1 x']);
		expect([await seconds('one'), await seconds('x')]).toEqual([6, 5]);
	});

	test('correct no times outside of the image', async () => {
		await mkdir(at('out'));
		await writeFile(at('out/file'), '');
		const before = (await lstat(at('out/file'))).mtimeMs;
		const packs = [[link('away', at('out'))], [hardlink('shared', 'away/file', { mtime: 5 })]];
		expect(await unpack(packs, ['pack1 shared'])).toMatchObject({
			code: 206,
			said: 'boinc2docker: A time that the pack pack1 of the image corrects cannot be set: away/file\n',
		});
		expect((await lstat(at('out/file'))).mtimeMs).toBe(before);
	});

	test('replace what an earlier one had, and only under the name that they have', async () => {
		await unpack([
			[
				file('a', 'first', { mode: 0o600 }),
				hardlink('b', 'a', { mode: 0o600 }),
				hardlink('c', 'a', { mode: 0o600 }),
				link('link', 'a'),
				link('file', 'a'),
				directory('folder', { mode: 0o700 }),
				file('folder/kept', 'kept'),
			],
			[
				file('b', 'second', { mode: 0o755, mtime: 7 }),
				file('link', 'now a file'),
				link('file', 'c'),
				hardlink('d', 'b'),
				directory('folder', { mode: 0o751, mtime: 8 }),
			],
			[file('file', 'a file again')],
		]);
		const content = async (name: string): Promise<string> => readFile(rooted(name), 'utf8');
		expect(await Promise.all(['a', 'b', 'c', 'd', 'link', 'file', 'folder/kept'].map(content))).toEqual([
			'first',
			'second',
			'first',
			'second',
			'now a file',
			'a file again',
			'kept',
		]);
		const [a, b] = [await lstat(rooted('a')), await lstat(rooted('b'))];
		expect([a.nlink, a.mode & 0o777, b.nlink, b.mode & 0o777]).toEqual([2, 0o600, 2, 0o755]);
		expect([await seconds('b'), (await lstat(rooted('folder'))).mode & 0o777, await seconds('folder')]).toEqual([7, 0o751, 8]);
	});
});

test('the file system has room for the image in whole blocks, for inodes, and for what the program writes', async () => {
	const { stdout } = await described(
		DESCRIPTION.replace('tree 1000 7', 'tree 300000000 10000').replace('disk 5000', 'disk 20000000000'),
		'disk_kilobytes; disk_inodes',
	);
	const [kilobytes = 0, inodes = 0] = stdout.split('\n').map(Number);
	expect(kilobytes * 1024).toBeGreaterThan(300e6 + 10_000 * 4096 + 20e9 + inodes * 256);
	expect(kilobytes * 1024).toBeLessThan(23e9);
	expect(inodes).toBeGreaterThan(1_000_000);
});

describe('the container’s configuration', () => {
	const env = ['A=b', 'B=two words', 'C="q" \\ $x `y` \'z\'', 'D=é🎉', 'E=line\nline\n', 'F='];
	const config = async (): Promise<Record<string, never>> => {
		const words = env.map((pair) => `env ${encodeWord(pair)}\n`).join('');
		const { stdout } = await described(
			DESCRIPTION.replace('env A=b\n', words).replace('/work', encodeWord('/a "dir"')),
			'container_config',
		);
		return JSON.parse(stdout) as Record<string, never>;
	};

	test('has the powers and limits that docker_wrapper’s container has', async () => {
		const { process: settings, linux } = (await config()) as unknown as {
			process: { capabilities: Record<string, string[]>; noNewPrivileges: boolean };
			linux: { resources: { pids: { limit: number } } };
		};
		const expected = [...createArguments('none').matchAll(/--cap-add (\S+)/g)].map(([, name = '']) => `CAP_${name}`);
		for (const kind of ['bounding', 'permitted', 'effective']) {
			expect(settings.capabilities[kind]).toEqual(expected);
		}
		expect(Object.keys(settings.capabilities)).toHaveLength(3);
		expect(settings.noNewPrivileges).toBe(true);
		expect(linux.resources.pids.limit).toBe(PIDS_LIMIT);
	});

	test('applies environment and folder of the image, whatever they hold', async () => {
		const { process: settings } = (await config()) as unknown as { process: { args: string[] } };
		// The same command with another runner, which tells what it was given, and other paths.
		await mkdir(at('boinc'));
		await symlink('/bin/busybox', at('boinc/busybox'));
		await writeFile(at('boinc/runner'), 'pwd; /bin/busybox env -0\n');
		await chmod(at('boinc/runner'), 0o755);
		const [program = '', ...args] = settings.args.map((arg) =>
			arg.replaceAll('/boinc/', '"$BOINC"/').replace('/a', `${encodeWord(dir)}/a`),
		);
		expect(program).toBe('"$BOINC"/busybox');
		const stdout = await new Promise<string>((resolve, reject) => {
			execFile('/bin/busybox', args, { env: { BOINC: at('boinc') }, encoding: 'utf8' }, (error, out) =>
				error ? reject(new Error(error.message)) : resolve(out),
			);
		});
		const [folder = '', ...rest] = stdout.split('\n');
		expect(folder).toBe(at('a "dir"'));
		const found = rest.join('\n').split('\0');
		for (const pair of env) {
			expect(found).toContain(pair);
		}
	});
});

describe('the completion file', () => {
	test('has code, notice and message, and its name only when it is complete', async () => {
		await writeFile(at('run/sentences'), 'boinc2docker: Something is wrong.\n');
		await writeFile(at('run/output'), `${'x'.repeat(20_000)}\0end\n`);
		const { code } = await guest('reserve_completion && ls "$B2D_SLOT" && write_completion 206 && ls "$B2D_SLOT"');
		expect(code).toBe(0);
		const text = await readFile(at('slot/b2d_vm_done'), 'latin1');
		expect(text).toMatch(/^206\n0\nboinc2docker: Something is wrong\.\nx{16379}end\n$/);
	});

	test('stays out when its room was taken away', async () => {
		await mkdir(at('slot/b2d_vm_done.new'));
		expect((await guest('write_completion 0 2>/dev/null')).code).toBe(1);
		expect(await readFile(at('slot/b2d_vm_done'), 'latin1').catch(() => 'absent')).toBe('absent');
	});
});

test('the clock is left alone when it is right', async () => {
	expect((await guest('sync_clock; ls "$B2D_SLOT"')).stdout).toBe('');
});
