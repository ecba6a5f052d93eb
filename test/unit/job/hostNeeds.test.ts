import { expect, it } from 'vitest';

import { hostNeeds } from '../../../src/job/hostNeeds.js';
import { sampleBatch } from './sampleBatch.js';

it.each([
	[undefined, 0],
	['--hostname=node-1', 0],
	['--shm-size=64m', 64 * 2 ** 20],
	['--shm-size=64m --ulimit=nofile=1024 --shm-size=2g', 2 * 2 ** 30],
])('a host must have the shared memory of %j on top of what the program may use', (createArgs, shared) => {
	const spec = sampleBatch({ ...(createArgs !== undefined && { createArgs }) });
	const { memoryBytes, notes } = hostNeeds(spec, false);
	expect(memoryBytes).toBe(shared === 0 ? 0 : spec.resources.memoryBytes + shared);
	expect(notes).toHaveLength(shared === 0 ? 0 : 1);
	expect(hostNeeds(spec, true).memoryBytes).toBeGreaterThanOrEqual(memoryBytes);
});
