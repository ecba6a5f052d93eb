import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { byteString } from '../../src/image/tar/tarHeader.js';
import { directory, file, hardlink, savedImage, symlink, tarOf, type TestEntry } from './savedImages.js';

/** cap_net_raw=ep in the form of version 2. */
export const CAPABILITY = new Map([['security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex')]]);

/** The layers of an image that has about everything. All of it can be kept by both engines. */
export function nastyLayers(): TestEntry[][] {
	const layers: TestEntry[][] = [
		[
			directory('bin', { mtime: 1_000_000_001 }),
			file('bin/busybox', readFileSync('/bin/busybox'), { mode: 0o755, mtime: 1_600_000_000 }),
			symlink('bin/sh', 'busybox', { mtime: 1_500_000_000 }),
			directory('etc'),
			file('etc/passwd', 'root:x:0:0::/root:/bin/sh\nme:x:1000:1001::/home/me:/bin/sh\n'),
			directory('root', { mode: 0o700, mtime: 5 }),
			directory('gone'),
			file('gone/deep/file', 'x'),
			directory('opaque'),
			file('opaque/lower', 'x'),
			file('opaque/sub/lower', 'x'),
			file('file-to-dir', 'x'),
			directory('dir-to-file'),
			file('dir-to-file/x', 'x'),
			symlink('link-to-dir', 'etc'),
			directory('meta', { mode: 0o755, mtime: 7 }),
			file('meta/kept', 'kept'),
			file('pair/one', 'shared content'),
			hardlink('pair/two', 'pair/one'),
			file('split/one', 'before'),
			hardlink('split/two', 'split/one'),
		],
		[
			file('.wh.gone', ''),
			directory('opaque', { mode: 0o750 }),
			file('opaque/.wh..wh..opq', ''),
			file('opaque/upper', 'y'),
			directory('file-to-dir'),
			file('file-to-dir/inside', 'y'),
			file('dir-to-file', 'now a file'),
			directory('link-to-dir'),
			file('link-to-dir/real', 'y'),
			directory('meta', { mode: 0o1777, uid: 33, gid: 34, mtime: 8 }),
			file('split/one', 'after'),
		],
		[
			file('setuid', 'x', { mode: 0o4755, uid: 1000, gid: 1001 }),
			file('setgid', 'x', { mode: 0o2711, gid: 7 }),
			directory('sgid-dir', { mode: 0o2775, gid: 1001 }),
			directory('read-only', { mode: 0o500, mtime: 11 }),
			file('read-only/file', 'x', { mode: 0o400, mtime: 12 }),
			directory('empty', { mode: 0o1777, mtime: 13 }),
			directory('empty-nest/a/b', { mode: 0o711, mtime: 14 }),
			file('capable', 'x', { mode: 0o755, xattrs: CAPABILITY }),
			hardlink('capable-too', 'capable', { mode: 0o755, xattrs: CAPABILITY }),
			file('setuid-pair', 'x', { mode: 0o6755, uid: 5, gid: 6 }),
			hardlink('deep/er/setuid-pair', 'setuid-pair', { mode: 0o6755, uid: 5, gid: 6 }),
			symlink('dangling', '/no/where', { uid: 9 }),
			symlink('long-target', `/${'t'.repeat(300)}`),
			hardlink('dangling-twin', 'dangling', { uid: 9, mode: 0o777 }),
			{ name: 'pipe', kind: 'fifo', mode: 0o622 },
			file(byteString('ünïcödé 名前 🎉'), 'x'),
			file('not-utf8-\xff\xfe\x80', 'x'),
			file(`long-\xff-${'n'.repeat(180)}`, 'x'),
			file(`${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`, 'x'),
			file('new\nline and \'quotes" $x', 'x'),
			file('.hidden', 'x', { mtime: 2 ** 33 + 7 }),
			file('at-the-epoch', 'x', { mtime: 0 }),
			file('last-id', 'x', { uid: 65_534, gid: 65_535 }),
			file('nothing', ''),
			file('zeros', Buffer.alloc(3 << 20)),
			file('random', randomBytes(700_000)),
			file('block-sized', Buffer.alloc(512, 'x')),
		],
	];
	return layers.map(withDirectories);
}

/** Engines write an entry for every directory; this adds those that are left out above. */
function withDirectories(entries: readonly TestEntry[]): TestEntry[] {
	const known = new Set(entries.map(({ name }) => name));
	return entries.flatMap((entry) => {
		const parts = entry.name.split('/').slice(0, -1);
		const missing = parts.map((_, index) => parts.slice(0, index + 1).join('/')).filter((name) => !known.has(name));
		missing.forEach((name) => known.add(name));
		return [...missing.map((name) => directory(name, { mtime: 900 })), entry];
	});
}

export const NASTY_CONFIG = {
	config: {
		Entrypoint: ['/bin/busybox'],
		Cmd: ['echo', 'hi'],
		Env: ['PATH=/bin', String.raw`NASTY=a "b" $PATH ${'${HOME}'} \n 'c' # \ é 🎉 `, 'EMPTY=', 'EQ=a=b'],
		WorkingDir: '/meta',
		User: 'me',
	},
};

/** The image as `docker save` of the engines' time writes it. */
export const nastyImage = (): Buffer => savedImage('docker before 25', nastyLayers().map(tarOf), NASTY_CONFIG);
