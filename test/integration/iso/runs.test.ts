import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { PackedImage } from '../../../src/image/types.js';
import { listPacks, listTar } from '../../support/fileTrees.js';
import { NASTY_CONFIG, nastyLayers } from '../../support/nastyImage.js';
import { file, hardlink, symlink } from '../../support/savedImages.js';
import { runVm, Vm, type VmOutcome } from '../../support/vm.js';
import { busyboxLayer, gnuTarLayer, LIST_TREE, packLayers, type VmJob, vmSlot } from '../../support/vmSlot.js';
import type { RunnerSlot } from '../../unit/job/runnerSlot.js';

const shell = (script: string, ...args: string[]): string[] => ['/bin/sh', '-c', script, 'sh', ...args];

const slots: RunnerSlot[] = [];
const images: PackedImage[] = [];
afterAll(async () => {
	await Promise.all([...slots.map((slot) => slot.remove()), ...images.map((image) => image.dispose())]);
});

async function slotOf(job: VmJob): Promise<RunnerSlot> {
	const slot = await vmSlot(job);
	slots.push(slot);
	return slot;
}

async function pack(...args: Parameters<typeof packLayers>): Promise<PackedImage> {
	const image = await packLayers(...args);
	images.push(image);
	return image;
}

/** Everything that a program can tell about where it is. */
const LOOK = [
	'pwd; id; printf "%s|" "$@" "$GREETING" "$HOME"; echo',
	'ls /sys/class/net | tr "\\n" " "; echo',
	'grep -E "^(CapEff|NoNewPrivs)" /proc/self/status',
	'stat -c "%a %u" /work; date +%s; nproc',
	'cat /proc/1/cmdline | tr "\\0" " "; echo',
	'cat /boinc/init_data.xml',
	'ls -a /lib/modules /disk /run/b2d 2>&1',
	'cat /etc/motd /etc/motd.again; stat -c " %Y" "/with space" /etc/motd /etc/motd.again',
].join('\n');

describe('a job in the VM', () => {
	let outcome: VmOutcome;
	let results: Record<string, string>;
	let progress: string;
	let slot: RunnerSlot;
	beforeAll(async () => {
		const more = [file('etc/motd', 'first'), hardlink('etc/motd.again', 'etc/motd'), file('with space', '')];
		const image = await pack([busyboxLayer(more)], {
			config: { Env: ['PATH=/bin', 'GREETING=a "b" $c\\ `d`\té🎉'], WorkingDir: '/work', User: 'me' },
		});
		slot = await slotOf({
			image,
			corrections: [
				file('etc/motd', 'second', { mtime: 3_000 }),
				hardlink('root/shared', 'with space', { mtime: 2 ** 33 + 7 }),
				hardlink('root/shared', 'etc/motd', { mtime: 4_000 }),
				symlink('root/shared', '/boinc/shared'),
			],
			argv: shell(
				`${LOOK.replaceAll('grep', 'busybox grep').replaceAll('nproc', 'busybox nproc').replaceAll('date', 'busybox date')}
				ls /boinc; echo 0.5 >/root/shared/fraction_done; while [ ! -e /root/shared/seen ]; do sleep 1; done
				cd /root/shared/results; echo hi >out; ln out hard; ln -s out soft; chmod 751 hard
				umask 077; mkdir deep; echo x >deep/file; exit 7`.replaceAll('chmod', 'busybox chmod'),
				'an "argument"',
				"it's $HOME",
				'',
			),
		});
		// A clock years behind, two processors, and an adapter that the job did not ask for.
		const vm = await Vm.start(slot.slot, { boot: 'image', clock: '2020-01-01', cpus: 2, adapter: 'virtio-net-pci' });
		await vm.until(() => existsSync(path.join(slot.slot, 'fraction_done')), 'the progress');
		progress = await readFile(path.join(slot.slot, 'fraction_done'), 'utf8');
		await writeFile(slot.shared('seen'), '');
		outcome = await vm.completion();
		results = await slot.results();
	});

	test('ends with its own code and what it wrote', () => {
		expect(outcome.code).toBe(7);
		expect(outcome.message).toContain('boinc2docker: The program ended with exit code 7');
		expect(results.out).toBe('hi\n');
	});

	test('has the files of later packs, and the times that they correct', () => {
		expect(outcome.message).toMatch(/^secondfirst 8589934599\n 4000\n 1000\n/m);
	});

	test('tells its progress, and sees of the slot what it needs', () => {
		expect(progress).toBe('0.5\n');
		expect(outcome.message).toMatch(/^b2d_params\nbusybox\ninit_data\.xml\nrunner\nshared$/m);
	});

	test('gets user, folder, arguments and environment by Docker’s rules', () => {
		expect(outcome.message).toMatch(/^\/work\nuid=1000\(me\) gid=1001\(me\) groups=1001\(me\),2000\(music\)\n/);
		const text = Buffer.from(outcome.message, 'latin1').toString('utf8');
		expect(text).toContain('\nan "argument"|it\'s $HOME||a "b" $c\\ `d`\té🎉|/home/me|\n');
		expect(text).toContain('\n755 0\n');
	});

	test('has no powers, and sees nothing of the VM around it', () => {
		expect(outcome.message).toMatch(/CapEff:\t0{16}\nNoNewPrivs:\t1\n/);
		expect(outcome.message.match(/No such file or directory/g)).toHaveLength(3);
		expect(outcome.message).not.toContain('0123456789abcdef');
		expect(outcome.message).toContain('/boinc/busybox sh /boinc/runner');
	});

	test('has no network unless it asked for one', () => {
		expect(outcome.message).toMatch(/^lo $/m);
	});

	test('has the host’s time and processors', () => {
		const [, seconds, processors] = /^(\d{9,})\n(\d+)$/m.exec(outcome.message) ?? [];
		expect(Math.abs(Date.now() / 1000 - Number(seconds))).toBeLessThan(120);
		expect(processors).toBe('2');
		expect(outcome.log).toMatch(/The clock was set by \d{9} s/);
	});

	test('may have links and modes in its results', async () => {
		expect(await listTarOf(slot)).toMatchObject({
			hard: expect.stringMatching(/^file 751 0:0 /) as string,
			out: '=hard',
			soft: expect.stringMatching(/^symlink .* out$/) as string,
			deep: expect.stringMatching(/^directory 700 /) as string,
		});
	});

	test('is in the log, on the console and in VirtualBox’s log', () => {
		expect(outcome.log).toMatch(/^ +\d+\.\d+ The VM starts: \d+ KiB of memory, Linux 6\./m);
		expect(outcome.console).toContain('boinc2docker: The container starts.');
		expect(outcome.guestLog).toContain('boinc2docker: The container ended with exit code 7.\n');
	});
});

async function listTarOf(slot: RunnerSlot): Promise<Record<string, string>> {
	return listTar(gunzipSync(await readFile(slot.shared('results.tgz'))));
}

describe('an image whose tree is hard to keep', () => {
	let image: PackedImage;
	let outcome: VmOutcome;
	let results: Record<string, string>;
	beforeAll(async () => {
		const [first = [], ...layers] = nastyLayers();
		image = await pack([[...first, ...gnuTarLayer()], ...layers], { config: { ...NASTY_CONFIG.config, User: '' } });
		const slot = await slotOf({ image, argv: ['/bin/busybox', 'sh', '-c', `${LIST_TREE} /root/shared/results/tree.tar .`] });
		outcome = await runVm(slot.slot);
		results = await slot.results();
	});

	test('runs', () => {
		expect(outcome.code).toBe(0);
	});

	test('has in the VM what it has in its packs: owners, modes, times, links, attributes, odd names', async () => {
		const found = await listTar(Buffer.from(results['tree.tar'] ?? '', 'latin1'));
		// The runner opens /root, so that every user can get to the job's folder.
		const expected = { ...(await listPacks(image)), root: 'directory 711 0:0 5 0' };
		expect(Object.keys(found).length).toBeGreaterThan(50);
		expect(comparable(found)).toEqual(comparable(expected));
	});
});

/** What the container's runtime puts there changes the time of these; the tool that looks is not looked at. */
const CHANGED = /^$|^etc(\/(hosts|hostname|resolv\.conf))?$|^boinc$|^tar(\/|$)/;

/** A tree in which it does not matter which name of a file came first in an archive. */
function comparable(tree: Record<string, string>): Record<string, string> {
	const groups = new Map<string, string[]>();
	for (const [name, line] of Object.entries(tree).filter(([each]) => !CHANGED.test(each))) {
		const first = line.startsWith('=') ? line.slice(1) : name;
		groups.set(first, [...(groups.get(first) ?? []), name]);
	}
	return Object.fromEntries([...groups].map(([first, names]): [string, string] => [names.sort().join(' = '), tree[first] ?? '']));
}
