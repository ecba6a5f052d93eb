import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

import { parse } from 'smol-toml';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { contentOfBytes, contentOfFile } from '../../../src/common/content.js';
import { quietContext } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import { runnerScript } from '../../../src/job/runner.js';
import { submitContainer } from '../../../src/job/submitImage.js';
import type { SubmittedBatch } from '../../../src/job/types.js';
import { applyInstall } from '../../../src/project/install/applyInstall.js';
import { planInstall } from '../../../src/project/install/planInstall.js';
import { openProject } from '../../../src/project/openProject.js';
import { programsFor } from '../../../src/project/programsFor.js';
import type { Project } from '../../../src/project/project.js';
import { childTextOf, parseWithPositions } from '../../../src/project/xmlPositions.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { listTar } from '../../support/fileTrees.js';
import { engineRun } from '../../support/images.js';
import { builtIso } from '../../support/iso.js';
import { nastyLayers } from '../../support/nastyImage.js';
import { startTestSandbox, type TestSandbox } from '../../support/sandbox.js';
import { directory, savedImage, tarOf, type TestEntry } from '../../support/savedImages.js';
import { makeSlotFolder } from '../../support/slotFolder.js';
import { runVm } from '../../support/vm.js';
import { busyboxLayer } from '../../support/vmSlot.js';

const APP = 'boinc2docker';
const run = promisify(execFile);
const ctx = quietContext();

/** What a program can find out about its job and leave behind; nothing in it depends on the host. */
const PROGRAM = `
umask 022
cd /root/shared/results
{ pwd; busybox id; echo "$HOME|$PATH|$GREETING|$B2D_INDEX"; } >who
printf '<%s>\\n' "$@" >arguments
cat '/root/shared/data/in put.txt' >input
awk 'BEGIN { srand(7); for (i = 0; i < 50000; i++) print int(rand() * 1e9) }' >numbers
mkdir -p deep/er empty; echo x >"deep/er/ä file with 'quotes'"
i=0; while [ $i -lt 300 ]; do echo $i >deep/$i; i=$((i + 1)); done
echo program >tool; busybox chmod 4755 tool; busybox chmod 600 who; ln tool hard; ln -s deep/er soft
for each in /bin /nasty; do busybox find "$each"; done 2>/dev/null | busybox sort | while read -r each; do
	if [ -d "$each" ] && ! [ -L "$each" ]; then stat -c '%n %F %a %u:%g %Y' "$each"; else stat -c '%n %F %a %u:%g %s %h %Y %N' "$each"; fi
done >tree 2>/dev/null
echo state >/root/shared/checkpoint/state
echo 'to the log'; exit 3`;

/** An image with everything that both kinds of host can keep, below one folder, and what the job needs. */
function imageLayers(): TestEntry[][] {
	const moved = (entry: TestEntry): TestEntry => ({
		...entry,
		name: `nasty/${entry.name}`,
		...(entry.kind === 'hardlink' && { linkName: `nasty/${entry.linkName ?? ''}` }),
	});
	const [first = [], ...more] = nastyLayers().map((layer) => layer.map(moved));
	return [[...busyboxLayer(), directory('nasty'), ...first], ...more];
}

let dir: string;
let sandbox: TestSandbox;
let connection: Connection;
let project: Project;
let engine: TestEngine;
let batch: SubmittedBatch;

beforeAll(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-same-'));
	const iso = await builtIso();
	[sandbox, engine] = await Promise.all([startTestSandbox(), startTestEngine('podman')]);
	connection = sandbox.connectLocally();
	project = await openProject(connection, sandbox.projectRoot, ctx);
	// Only a volunteer's host runs vboxwrapper: what the test does in its place is in vm.ts.
	const wrappers = path.join(dir, 'wrappers');
	await mkdir(wrappers);
	await writeFile(path.join(wrappers, 'vboxwrapper_26212_x86_64-pc-linux-gnu'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
	const { notes, ...programs } = await programsFor(
		{ docker: { folder: sandbox.wrapperFolder }, vm: { wrapper: { folder: wrappers }, iso } },
		ctx,
		{ busybox: [{ file: sandbox.busyboxFile }] },
	);
	expect(notes).toEqual([]);
	const spec = { app: APP, friendlyName: 'Containers', runner: contentOfBytes(runnerScript), ...programs };
	await applyInstall(project, await planInstall(project, spec, ctx), ctx);
	const archive = path.join(dir, 'image.tar');
	const config = { config: { Env: ['PATH=/bin', 'GREETING=a "b" $c\\ `d`\té🎉'], WorkingDir: '/work', User: 'me' } };
	await writeFile(path.join(dir, 'input'), 'content\nof the input');
	const submit = async (layers: readonly TestEntry[][]): Promise<SubmittedBatch> => {
		await writeFile(archive, savedImage('docker before 25', layers.map(tarOf), config));
		return submitContainer(project, { ...request, image: { kind: 'archive', file: archive } }, { engine: undefined }, ctx);
	};
	const request = {
		name: 'same',
		app: APP,
		command: ['/bin/sh', '-c', PROGRAM, 'sh', "it's", 'two words', '', 'ü"$x'],
		inputs: [{ path: 'data/in put.txt', file: path.join(dir, 'input') }],
		resources: { memoryBytes: 100e6, maxOutputBytes: 10e6 },
		// Results that are compared hold neither log nor times.
		replication: { minQuorum: 2 },
	};
	const older = (entry: TestEntry): TestEntry => ({ ...entry, mtime: (entry.mtime ?? 1_000) + 77 });
	// The server has an image all of whose times are others, so this one brings only times for many of its files.
	const layers = imageLayers();
	await submit(layers.map((layer) => layer.map(older)));
	batch = await submit(layers);
}, 300_000);

afterAll(async () => {
	project.dispose();
	await connection.close();
	await Promise.all([engine.remove(), sandbox.remove()]);
	await rm(dir, { recursive: true, force: true });
});

const JobToml = v.object({ image_name: v.string(), create_args: v.string(), workdir: v.string() });

/** What docker_wrapper does with the files of a slot. */
async function runInContainer(slot: string): Promise<{ code: number; log: string }> {
	const job = v.parse(JobToml, parse(await readFile(path.join(slot, 'job.toml'), 'utf8')));
	const image = job.image_name;
	await engineRun(engine, ['build', slot, '-t', image, '-f', path.join(slot, 'Dockerfile')]);
	const words = job.create_args.split(' ');
	await engineRun(engine, ['create', '--name', 'boinc__same', '-v', `${slot}/:${job.workdir}`, ...words, image]);
	await engineRun(engine, ['start', 'boinc__same']);
	const { stdout } = await engineRun(engine, ['wait', 'boinc__same']);
	const { stdout: out, stderr } = await engineRun(engine, ['logs', 'boinc__same']);
	return { code: Number(stdout.trim()), log: out + stderr };
}

async function slotFor(planClass: string): Promise<{ slot: string; names: string[] }> {
	const slot = path.join(dir, planClass);
	await mkdir(slot);
	return { slot, names: await makeSlotFolder(project, { name: batch.jobNames.at(0)!, planClass }, slot) };
}

test('one staged job has the same result, to the byte, in a container and in the virtual machine', async () => {
	const docker = await slotFor('docker');
	const machine = await slotFor('vbox64_mt');
	expect(machine.names).toEqual([...docker.names, 'vm_cache.vdi', 'vm_isocontext.iso'].sort());

	const inContainer = await runInContainer(docker.slot);
	expect(inContainer).toMatchObject({ code: 3, log: expect.stringMatching(/^to the log\n/) as string });

	const job = parseWithPositions(await readFile(path.join(machine.slot, 'vbox_job.xml'), 'utf8'), 'vbox_job.xml');
	const inMachine = await runVm(machine.slot, {
		iso: path.join(machine.slot, 'vm_isocontext.iso'),
		disk: path.join(machine.slot, 'vm_cache.vdi'),
		memory: Number(childTextOf(job, 'memory_size_mb')),
	});
	expect(inMachine).toMatchObject({ code: 3, message: expect.stringMatching(/^to the log\n/) as string });

	const [first, second] = await Promise.all(
		[docker, machine].map(({ slot }) => contentOfFile(path.join(slot, 'shared/results.tgz'))),
	);
	expect(second?.sha256).toBe(first?.sha256);
	const found = await listTar(gunzipSync(await readFile(path.join(docker.slot, 'shared/results.tgz'))));
	expect(Object.keys(found)).toHaveLength(312);
	expect(found).toMatchObject({
		numbers: expect.stringMatching(/^file 644 0:0 /) as string,
		tool: '=hard',
		soft: expect.stringMatching(/ deep\/er$/) as string,
		empty: expect.stringMatching(/^directory 755 /) as string,
	});
	expect(first?.size).toBeGreaterThan(150_000);
	// The comparison is worth something: it came by a pack with times, and the tree was listed with them.
	expect(await readFile(path.join(machine.slot, 'b2d_vm'), 'utf8')).toMatch(/^times b2d_pack_/m);
	const { stdout: tree } = await run('tar', ['-xzOf', path.join(docker.slot, 'shared/results.tgz'), './tree']);
	expect(tree).toContain('/nasty/bin/busybox regular file 755 0:0');
	expect(tree).toMatch(/^\/nasty\/pair\/one regular file 644 0:0 14 2 1000 /m);
	expect(tree.split('\n').length).toBeGreaterThan(60);
	for (const { slot } of [docker, machine]) {
		expect(await readFile(path.join(slot, 'shared/checkpoint/state'), 'utf8')).toBe('state\n');
	}
	// The disk of the virtual machine counts for the slot, and the job asked for as much.
	const database = await project.database();
	const [bounds] = await database.select<{ rsc_disk_bound: number; rsc_memory_bound: number }>(
		'SELECT rsc_disk_bound, rsc_memory_bound FROM workunit WHERE name = ?',
		[batch.jobNames.at(0)!],
	);
	const disk = await stat(path.join(machine.slot, 'vm_cache.vdi'));
	expect(disk.blocks * 512).toBeLessThan(bounds!.rsc_disk_bound);
	expect(bounds!.rsc_memory_bound).toBe((512 + 200) * 2 ** 20);
	expect(batch.notes.join(' ')).toMatch(/virtual machine of 512 MiB/);
}, 280_000);
