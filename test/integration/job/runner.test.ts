import { existsSync, readFileSync } from 'node:fs';
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

import { RunnerSlot } from '../../unit/job/runnerSlot.js';
import { ContainerHost } from './containerSlot.js';

const shell = (script: string, ...args: string[]): string[] => ['/bin/sh', '-c', script, 'sh', ...args];

describe.each(['podman', 'docker'] as const)('a container under %s', (kind) => {
	let host: ContainerHost;
	let slot: RunnerSlot;
	beforeAll(async () => {
		host = await ContainerHost.start(kind);
	});
	afterAll(() => host.remove());
	beforeEach(async () => {
		slot = await RunnerSlot.create();
	});
	afterEach(() => slot.remove());

	test('runs as root in the image’s working directory, and what it leaves in results comes back', async () => {
		const { code, terminal } = await host.run(slot, {}, shell('pwd; id -u; echo hi >/root/shared/results/out'));
		expect(terminal).toMatch(/^\/work\n0\nboinc2docker: The program ended with exit code 0/);
		expect(code).toBe(0);
		const { out } = await slot.results();
		expect(out).toBe('hi\n');
		expect((await stat(slot.shared('results.tgz'))).mode & 0o666).toBe(0o666);
	});

	test.each([
		['alice', 'uid=1000(alice) gid=1001(alice) groups=1001(alice),2000(music),2001(video)', '/home/alice'],
		['1000', 'uid=1000(alice) gid=1001(alice) groups=1001(alice),2000(music),2001(video)', '/home/alice'],
		['alice:video', 'uid=1000(alice) gid=2001(video)', '/home/alice'],
		['1000:77', 'uid=1000(alice) gid=77', '/home/alice'],
		['dave', 'uid=1234(dave) gid=1235', '/'],
		['4321', 'uid=4321 gid=0(root)', '/'],
		['0:2000', 'uid=0(root) gid=2000(music)', '/root'],
	])('runs as %s by Docker’s rules', async (user, id, home) => {
		const { code, terminal } = await host.run(slot, { user }, shell('id; echo "$HOME"; echo x >/root/shared/results/mine'));
		expect(terminal).toContain(`${id}\n${home}\n`);
		expect(code).toBe(0);
		expect((await slot.results()).mine).toBe('x\n');
	});

	test('a program of another user than root has no powers, and cannot read or change the runner’s files', async () => {
		const { code, terminal } = await host.run(
			slot,
			{ user: 'alice' },
			shell(
				'grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status; cat /boinc/init_data.xml; ls /.boinc2docker; touch /boinc/x; touch /root/x; echo end',
			),
		);
		expect(code).toBe(0);
		expect(terminal).toMatch(/CapEff:\t0{16}\nNoNewPrivs:\t1\n/);
		expect(terminal.match(/[Pp]ermission denied/g)).toHaveLength(4);
		expect(existsSync(slot.shared('..', 'x'))).toBe(false);
	});

	test('a program may open its standard output again', async () => {
		const { terminal } = await host.run(slot, { user: 'alice' }, shell('echo one >/dev/stdout; echo two >/proc/self/fd/2'));
		expect(terminal).toMatch(/^one\ntwo\n/);
	});

	test('has no network unless it is asked for', async () => {
		const list = shell('ls /sys/class/net | tr "\\n" " "');
		expect((await host.run(slot, {}, list)).terminal).toMatch(/^lo \n/);
		await slot.remove();
		slot = await RunnerSlot.create();
		expect((await host.run(slot, {}, list, { network: 'host' })).terminal).not.toMatch(/^lo \n/);
	});

	// There is no GPU here: an engine without support for them refuses, and a device of that name stands for what the others do.
	test('takes the GPU of several that the client gave the job, and does not begin without one', async () => {
		const show = shell('echo "GPU $CUDA_VISIBLE_DEVICES"');
		await slot.edit('init_data.xml', (text) => text.replace('</app_init_data>', '<gpu_device_num>1</gpu_device_num>\n$&'));
		const gpu = ['--device', '/dev/null:/dev/nvidiactl'];
		expect((await host.run(slot, { gpu: 'nvidia' }, show, { more: gpu })).terminal).toMatch(/^GPU 1\n/);
		await slot.remove();
		slot = await RunnerSlot.create();
		expect(await host.run(slot, { gpu: 'nvidia' }, show)).toMatchObject({ code: 206 });
		// What the wrapper says for use_gpu.
		await expect(host.run(slot, { gpu: 'nvidia' }, show, { more: ['--gpus', 'all'] })).rejects.toThrow(
			/could not select device driver|unknown flag: --gpus|unresolvable CDI devices/,
		);
	});

	test('is stopped with all its processes when it uses too much memory', async () => {
		const { code, terminal } = await host.run(
			slot,
			{ memoryBytes: 40_000_000, user: 'alice' },
			shell('sleep 1000 & exec awk \'BEGIN { s = "x"; while (length(s) < 60000000) s = s s; while (1) ; }\''),
		);
		expect(code).toBe(205);
		expect(terminal).toContain('boinc2docker: The program was stopped: it used ');
	});

	test('file caches do not count as memory', async () => {
		const { code } = await host.run(
			slot,
			{ memoryBytes: 40_000_000 },
			shell('dd if=/dev/zero of=/big bs=1000000 count=100 2>/dev/null; cat /big >/dev/null; sleep 2; rm /big'),
		);
		expect(code).toBe(0);
	});

	test('gets the engine’s SIGTERM and still returns its results', async () => {
		const { code } = await host.run(
			slot,
			{ user: 'alice' },
			shell('trap "echo bye >/root/shared/results/last; exit 9" TERM; touch /root/shared/ready; while :; do sleep 0.1; done'),
			{
				meanwhile: async (container) => {
					await vi.waitUntil(() => existsSync(slot.shared('ready')), { timeout: 20_000, interval: 50 });
					await host.engine('kill', '--signal', 'TERM', container);
				},
			},
		);
		expect(code).toBe(9);
		expect((await slot.results()).last).toBe('bye\n');
	});

	test('tells what is wrong when the program is missing, is none, or ends badly', async () => {
		expect(await host.run(slot, { user: 'alice' }, ['no-such-program'])).toMatchObject({
			code: 127,
			terminal: expect.stringContaining('boinc2docker: The command "no-such-program" is not in the image.\n') as string,
		});
		await writeFile(slot.shared('script'), 'no program');
		expect((await host.run(slot, { user: 'alice' }, ['/root/shared/script'])).code).toBe(126);
		expect((await host.run(slot, { user: 'alice' }, shell('kill -SEGV $$'))).code).toBe(139);
		expect((await host.run(slot, { user: 'nobody' }, shell('true'))).terminal).toContain(
			'The image runs as the user nobody, who is not in its /etc/passwd.',
		);
	});

	test('reaps what other processes leave behind, and counts a big output', async () => {
		const { code, terminal } = await host.run(
			slot,
			{},
			shell(
				// What is counted at a time may be a child of this shell that has just ended; what nobody reaps is there each time.
				'for i in 1 2 3 4 5; do (sleep 0.1 &) ; done; sleep 1; n=0; while z=$(ps -o stat | grep -c Z); [ $z -gt 0 ] && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.2; done; echo $z; yes 0123456789abcdef | head -c 3000000',
			),
		);
		expect(code).toBe(0);
		expect(terminal).toMatch(/^0\n/);
		expect(terminal.length).toBeLessThan(24_000);
		expect((await slot.results())['.b2d/log.txt']).toHaveLength(3_000_002);
	});

	test.each([
		['the host shuts down', (container: string) => host.engine('stop', '--time', '10', container)],
		['the power goes', (container: string) => host.engine('kill', container)],
		[
			'BOINC ends in between',
			async (container: string) => {
				await host.engine('pause', container);
				await host.engine('unpause', container);
				return host.engine('kill', container);
			},
		],
	])('goes on from its checkpoint when %s', async (_, cut) => {
		await copyFile('templates/checkpoint/checkpoint.sh', slot.shared('checkpoint.sh'));
		const count = `. /root/shared/checkpoint.sh
			step=$(checkpoint_load) || step=0
			echo $step >>/root/shared/starts
			while [ $step -lt 15 ]; do step=$((step + 1)); echo $step | checkpoint_save; checkpoint_pause; sleep 0.1; done
			echo $step >/root/shared/results/end`;
		const { code } = await host.run(slot, { user: 'alice' }, shell(count), {
			meanwhile: async (container) => {
				const saved = slot.shared('checkpoint', 'state');
				await vi.waitUntil(() => existsSync(saved) && Number(readFileSync(saved, 'utf8')) > 2, { timeout: 20_000, interval: 50 });
				await cut(container);
				await host.engine('start', container);
			},
		});
		expect(code).toBe(0);
		expect((await slot.results()).end).toBe('15\n');
		const [first, second, ...more] = (await readFile(slot.shared('starts'), 'utf8')).trim().split('\n').map(Number);
		expect([first, more]).toEqual([0, []]);
		expect(second).toBeGreaterThan(2);
	});

	test('started again after its end, it repeats its code without running', async () => {
		const { code } = await host.run(slot, {}, shell('echo run >>/root/shared/runs; exit 4'), {
			meanwhile: async (container) => {
				await host.engine('wait', container);
				await host.engine('start', container);
			},
		});
		expect(code).toBe(4);
		expect(await readFile(slot.shared('runs'), 'utf8')).toBe('run\n');
	});
});
