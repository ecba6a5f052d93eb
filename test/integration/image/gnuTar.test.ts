import { execFile } from 'node:child_process';
import { chmod, link, lstat, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { listFolder } from '../../support/engineTrees.js';
import { listTar } from '../../support/fileTrees.js';
import { nastyLayers } from '../../support/nastyImage.js';
import { tarOf } from '../../support/savedImages.js';

const run = promisify(execFile);
let dir: string;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-tar-'));
});

afterEach(async () => {
	await rm(dir, { recursive: true });
});

describe('archives of GNU tar', () => {
	/** Files that every format can hold, and one whose name not all can. */
	async function makeTree(root: string): Promise<void> {
		await mkdir(join(root, 'folder'), { recursive: true });
		await writeFile(join(root, 'folder', 'file'), 'content');
		await writeFile(join(root, 'empty'), '');
		await writeFile(join(root, 'large'), Buffer.alloc(700_000, 'x'));
		await link(join(root, 'folder', 'file'), join(root, 'second-name'));
		await symlink('folder/file', join(root, 'link'));
		await chmod(join(root, 'large'), 0o4751);
		await utimes(join(root, 'empty'), 1_234_567_890, 1_234_567_890);
		await run('mkfifo', [join(root, 'pipe')]);
		const deep = join(root, 'd'.repeat(60), 'e'.repeat(60));
		await mkdir(deep, { recursive: true });
		await writeFile(join(deep, 'below'), 'x');
	}

	it.each(['ustar', 'gnu', 'oldgnu', 'posix'])('are read in the format %s', async (format) => {
		await makeTree(join(dir, 'tree'));
		const { stdout } = await run(
			'tar',
			['-C', join(dir, 'tree'), `--format=${format}`, '--numeric-owner', '--sort=name', '-cf', '-', '.'],
			{
				encoding: 'buffer',
				maxBuffer: 64 << 20,
			},
		);
		const listed = await listTar(stdout);
		const { uid, gid } = await lstat(join(dir, 'tree', 'large'));
		expect(listed).toMatchObject({
			'folder/file': expect.stringMatching(new RegExp(`^file 644 ${uid}:${gid} \\d+(\\.\\d+)? 7 9a0364b9$`)),
			'second-name': '=folder/file',
			link: expect.stringMatching(/^symlink .* folder\/file$/),
			large: expect.stringMatching(/^file 4751 .* 700000 /),
			empty: expect.stringMatching(/^file 644 \d+:\d+ 1234567890 0$/),
			pipe: expect.stringMatching(/^fifo /),
			[`${'d'.repeat(60)}/${'e'.repeat(60)}/below`]: expect.stringMatching(/^file .* 1 9dd4e461$/),
		});
		expect(Object.keys(listed)).toHaveLength(11);
	});

	it.each(['gnu', 'posix'])('with long and odd names are read in the format %s', async (format) => {
		const tree = join(dir, 'tree');
		await mkdir(tree);
		const names = ['n'.repeat(200), 'ü\n"\\', Buffer.from([0x66, 0xff, 0xfe])];
		for (const name of names) {
			await writeFile(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(name)]), 'x');
		}
		await symlink('t'.repeat(250), join(tree, 'link'));
		const { stdout } = await run('tar', ['-C', tree, `--format=${format}`, '-cf', '-', '.'], { encoding: 'buffer' });
		const listed = await listTar(stdout);
		for (const name of names) {
			expect(listed[Buffer.from(name).toString('latin1')]).toMatch(/^file /);
		}
		expect(listed.link).toContain('t'.repeat(250));
	});
});

describe('our archives', () => {
	it('are unpacked by GNU tar to what was put in', async () => {
		const [first = [], , third = []] = nastyLayers();
		const entries = [...first, ...third].filter(({ name }) => name !== 'dangling-twin');
		const archive = tarOf(entries);
		const target = join(dir, 'out');
		await mkdir(target);
		await writeFile(join(dir, 'a.tar'), archive);
		await run('tar', ['-C', target, '--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', join(dir, 'a.tar')]);
		const { '': root, ...unpacked } = await listFolder(target);
		expect(root).toBeDefined();
		const packed = await listTar(archive);
		// GNU tar makes directories' times right only for those in the archive, and it names the groups by their first name.
		const lines = [...Object.values(packed), ...Object.values(unpacked)];
		const withoutLinks = (tree: Record<string, string>): Record<string, string> =>
			Object.fromEntries(Object.entries(tree).filter(([name, line]) => !line.startsWith('=') && !lines.includes(`=${name}`)));
		expect(withoutLinks(unpacked)).toEqual(withoutLinks(packed));
		expect(Object.keys(unpacked).toSorted()).toEqual(Object.keys(packed).toSorted());
		expect((await lstat(join(target, 'pair/one'))).ino).toBe((await lstat(join(target, 'pair/two'))).ino);
		expect(await readFile(join(target, 'deep/er/setuid-pair'), 'utf8')).toBe('x');
	});

	it('are listed by busybox, which the guest has', async () => {
		await writeFile(join(dir, 'a.tar'), tarOf(nastyLayers()[2] ?? []));
		const { stdout } = await run('busybox', ['tar', '-tf', join(dir, 'a.tar')], { encoding: 'latin1' });
		expect(stdout.split('\n')).toEqual(
			expect.arrayContaining(['setuid', 'capable', `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`]),
		);
	});
});
