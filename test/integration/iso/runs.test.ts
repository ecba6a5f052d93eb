import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { PackedImage } from '../../../src/image/types.js';
import { listPacks, listTar } from '../../support/fileTrees.js';
import { NASTY_CONFIG, nastyLayers } from '../../support/nastyImage.js';
import { file } from '../../support/savedImages.js';
import { runVm, Vm, type VmOutcome, writeEmptyDisk } from '../../support/vm.js';
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
].join('\n');

describe('a job in the VM', () => {
	let outcome: VmOutcome;
	let results: Record<string, string>;
	let progress: string;
	let slot: RunnerSlot;
	beforeAll(async () => {
		const image = await pack([busyboxLayer()], {
			config: { Env: ['PATH=/bin', 'GREETING=a "b" $c\\ `d`\té🎉'], WorkingDir: '/work', User: 'me' },
		});
		slot = await slotOf({
			image,
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

test('an image has in the VM what it has in its packs: owners, modes, times, links, attributes, odd names', async () => {
	const [first = [], ...layers] = nastyLayers();
	const image = await pack([[...first, ...gnuTarLayer()], ...layers], { config: { ...NASTY_CONFIG.config, User: '' } });
	const slot = await slotOf({ image, argv: ['/bin/busybox', 'sh', '-c', `${LIST_TREE} /root/shared/results/tree.tar .`] });
	const outcome = await runVm(slot.slot);
	expect(outcome).toMatchObject({ code: 0 });
	const found = await listTar(Buffer.from((await slot.results())['tree.tar'] ?? '', 'latin1'));
	// The runner opens /root, so that every user can get to the job's folder.
	const expected = { ...(await listPacks(image)), root: 'directory 711 0:0 5 0' };
	expect(comparable(found)).toEqual(comparable(expected));
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

test('an image and a file bigger than the memory, and 10,000 small files', async () => {
	const line = Buffer.from('0123456789abcdef'.repeat(4));
	const big = Array.from({ length: 3 }, (_, index) =>
		file(`big/${String(index)}`, Buffer.alloc(42 << 20, Buffer.concat([Buffer.from(String(index)), line]))),
	);
	const many = Array.from({ length: 10_000 }, (_, index) => file(`many/${String(index % 100)}/${String(index)}`, String(index)));
	const image = await pack([busyboxLayer(), big, many]);
	const slot = await slotOf({
		image,
		disk: 150_000_000,
		argv: shell(
			'busybox find /many -type f | wc -l; cat /big/* | wc -c; dd if=/dev/zero of=/tmp/big bs=1M count=130 2>/dev/null; wc -c </tmp/big',
		),
	});
	// Linux has 120 MB of the 160. Emulation takes its time on a busy machine.
	const outcome = await runVm(slot.slot, { memory: 160, seconds: 420 });
	expect(outcome.message).toMatch(/^10000\n132120576\n136314880\n/);
	expect(outcome.code).toBe(0);
}, 450_000);

describe('a VM whose power was cut', () => {
	let outcome: VmOutcome;
	let slot: RunnerSlot;
	beforeAll(async () => {
		const image = await pack([busyboxLayer()]);
		slot = await slotOf({
			image,
			argv: shell(
				`cd /root/shared
				if [ -f checkpoint/half ]; then cat checkpoint/half >results/out; ls results /left 2>&1; exit 0; fi
				echo lost >results/early; echo lost >/left; echo half >checkpoint/half.new; busybox mv checkpoint/half.new checkpoint/half
				while :; do sleep 1; done`,
			),
		});
		const disk = path.join(slot.dir, 'vm_cache.vdi');
		await writeEmptyDisk(disk);
		const vm = await Vm.start(slot.slot, { disk });
		try {
			await vm.until(
				() =>
					stat(slot.shared('checkpoint/half')).then(
						() => true,
						() => false,
					),
				'the checkpoint',
			);
			// The client's pause goes before.
			vm.pause();
			vm.resume();
			expect(Number(await readFile(path.join(slot.slot, 'b2d_vm_heartbeat'), 'utf8'))).toBeGreaterThan(0);
		} finally {
			await vm.stop();
		}
		outcome = await runVm(slot.slot, { disk });
	});

	test('goes on from the checkpoint when it starts again', async () => {
		expect(outcome.code).toBe(0);
		expect((await slot.results()).out).toBe('half\n');
	});

	test('keeps nothing else of the first try', async () => {
		expect(outcome.message).toContain('out\n');
		expect(outcome.message).toMatch(/\/left: No such file/);
		expect(Object.keys(await slot.results())).not.toContain('early');
	});
});

test('two VMs with one image work side by side, and a VM that is asked to reaches the network', async () => {
	const server = createServer((_, response) => response.end('from the host'));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	try {
		const image = await pack([busyboxLayer()]);
		const address = `http://10.0.2.2:${String((server.address() as AddressInfo).port)}/`;
		const both = await Promise.all(
			['one', 'two'].map(async (word) => {
				const slot = await slotOf({
					image,
					network: 'nat',
					argv: shell(
						`wget -q -O /root/shared/results/page ${address}; cat /etc/resolv.conf; echo ${word} >/root/shared/results/word`,
					),
				});
				return { slot, outcome: await runVm(slot.slot, { adapter: 'virtio-net-pci', seconds: 240 }) };
			}),
		);
		for (const [index, { slot, outcome }] of both.entries()) {
			expect(outcome).toMatchObject({ code: 0, message: expect.stringContaining('nameserver 10.0.2.3\n') as string });
			expect(await slot.results()).toMatchObject({ page: 'from the host', word: index === 0 ? 'one\n' : 'two\n' });
		}
	} finally {
		await new Promise((resolve) => server.close(resolve));
	}
});

test('the original’s boinc_app runs in /root/shared, and can run an image', async () => {
	const image = await pack([busyboxLayer()]);
	const slot = await slotOf({ image, argv: shell('echo from the image >/root/shared/results/out; exit 3') });
	for (const name of ['b2d_vm', ...image.packs.map((each) => each.name)]) {
		await rename(path.join(slot.slot, name), slot.shared(name));
	}
	await mkdir(slot.shared('results'));
	await writeFile(
		slot.shared('boinc_app'),
		'pwd; b2d-run b2d_vm; code=$?; mkdir -p results; echo code $code >results/own; rm results.tgz; exit 5\n',
	);
	const outcome = await runVm(slot.slot);
	expect(outcome).toMatchObject({ code: 5, message: expect.stringMatching(/^\/root\/shared\n/m) as string });
	expect(await slot.results()).toEqual({ own: 'code 3\n' });
	await rm(slot.shared('results'), { recursive: true });
});
