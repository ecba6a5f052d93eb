import { formatBytes } from '../common/format.js';
import { sharedMemoryBytes } from './jobToml.js';
import type { BatchSpec } from './types.js';
import { fitsMachine, machineBounds } from './virtualMachine.js';

/** What hosts must have where that is more than the job's own limits, and why in plain sentences. */
export interface HostNeeds {
	readonly memoryBytes: number;
	readonly diskBytes: number;
	readonly notes: readonly string[];
}

/**
 * What hosts must have. Disk always counts the virtual machine, for a job that waits while the app gets versions for VirtualBox
 * would be ended by its limit there; engines put the unpacked image on the same disk anyway. Memory counts it only where it is used:
 * it would keep small hosts with Docker away, and too little of it only makes VirtualBox wait. Shared memory counts on top.
 */
export function hostNeeds(spec: BatchSpec, machines: boolean): HostNeeds {
	const needs = machineNeeds(spec, machines);
	const shared = sharedMemoryBytes(spec.createArgs);
	if (shared === 0) {
		return needs;
	}
	// The runner watches what processes have; files in shared memory are not among it, and the engines count them for the client.
	const memoryBytes = Math.max(needs.memoryBytes, spec.resources.memoryBytes + shared);
	const note = `Memory: hosts must have ${formatBytes(memoryBytes)}, for shared memory (--shm-size) comes on top of what the program may use.`;
	return { ...needs, memoryBytes, notes: [...needs.notes, note] };
}

function machineNeeds(spec: BatchSpec, machines: boolean): HostNeeds {
	if (!fitsMachine(spec)) {
		return { memoryBytes: 0, diskBytes: 0, notes: [] };
	}
	const bounds = machineBounds(spec);
	return machines
		? { ...bounds, notes: [...bounds.notes, ...networkNotes(spec)] }
		: { memoryBytes: 0, diskBytes: bounds.diskBytes, notes: [] };
}

function networkNotes(spec: BatchSpec): string[] {
	return spec.network === 'host'
		? [
				'Hosts that run the job in a virtual machine give it a network of its own: it does not reach what listens on the host’s loopback.',
			]
		: [];
}
