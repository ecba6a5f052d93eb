import { readFileSync } from 'node:fs';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import type { PackedImage } from '../../../src/image/types.js';
import type { RunnerSlot } from '../../unit/job/runnerSlot.js';
import { directory, file, symlink } from '../../support/savedImages.js';
import { runVm } from '../../support/vm.js';
import { packLayers, vmSlot } from '../../support/vmSlot.js';

const shell = (script: string): string[] => ['/bin/sh', '-c', script];

let image: PackedImage;
beforeAll(async () => {
	image = await packLayers(
		[
			[
				directory('bin'),
				file('bin/busybox', readFileSync('/bin/busybox'), { mode: 0o755 }),
				symlink('bin/sh', 'busybox'),
				...['id', 'ls', 'cat', 'sleep', 'dd', 'awk', 'hostname', 'date'].map((name) => symlink(`bin/${name}`, 'busybox')),
				directory('root', { mode: 0o700 }),
				directory('tmp', { mode: 0o1777 }),
			],
		],
		{ config: { Env: ['PATH=/bin', 'GREETING=a "b" $c\\ d'], WorkingDir: '/work' } },
	);
});
afterAll(() => image.dispose());
let slot: RunnerSlot | undefined;
afterEach(() => slot?.remove());

test('a job runs', async () => {
	slot = await vmSlot({ image, argv: shell('pwd; id; echo "$GREETING"; ls -la / /root/shared/; cat /proc/mounts /proc/self/status; date; echo hi >/root/shared/results/out; exit 7') });
	const outcome = await runVm(slot.slot);
	console.log(outcome);
	expect(outcome.code).toBe(7);
	expect((await slot.results()).out).toBe('hi\n');
});
