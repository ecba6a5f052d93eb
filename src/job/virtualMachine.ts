import { formatBytes } from '../common/format.js';
import { displayName } from '../image/tar/tarHeader.js';
import { packBytes } from './packBytes.js';
import { encodeWord } from './parameters.js';
import type { BatchSpec } from './types.js';
import { vboxElements } from './vboxElements.js';

/** Architecture of the images that our virtual machine runs, in Docker's words. */
const MACHINE_ARCHITECTURE = 'amd64';

const MIB = 1 << 20;
/** What the guest's own system takes. It does not depend on the image, which lies on the disk. */
const SYSTEM_MIB = 160;
/** vboxwrapper makes no smaller machine. */
const LEAST_MIB = 512;
/** What VirtualBox itself takes on the host. */
const HYPERVISOR_MIB = 200;

/** The guest puts the image and all that the program writes on a disk of its own; these are the sizes of ext4's structures. */
const BYTES_PER_ENTRY = 4096 + 288;
const DISK_SHARE = 0.07;
const DISK_FIXED = 64 * MIB;
/** The slot's copies of ISO and empty disk, and VirtualBox's logs. */
const MACHINE_FILES = 40 * MIB;

/** Whether a batch can run in our virtual machine, which has no GPU. */
export function fitsMachine({ image, gpu }: Pick<BatchSpec, 'image' | 'gpu'>): boolean {
	return !gpu && image.config.os === 'linux' && image.config.architecture === MACHINE_ARCHITECTURE;
}

/** Memory of the virtual machine in MiB. */
export function machineMemory(memoryBytes: number): number {
	return Math.max(LEAST_MIB, SYSTEM_MIB + Math.ceil(memoryBytes / MIB));
}

/** Bytes of memory that a host needs to run the virtual machine of a job with this limit. */
export const machineHostMemory = (memoryBytes: number): number => (machineMemory(memoryBytes) + HYPERVISOR_MIB) * MIB;

/** Bytes that the job may write: the rest of its disk limit after packs and inputs. */
function writableBytes(spec: BatchSpec): number {
	const inputs = [...(spec.inputs ?? []), ...(spec.jobs.at(0)?.inputs ?? [])];
	const inputBytes = inputs.reduce((bytes, { file }) => bytes + file.content.size, 0);
	return Math.max(0, Math.floor(spec.resources.diskBytes - packBytes(spec.image.packs) - inputBytes));
}

/** What a batch asks of hosts beyond its own limits when it runs in a virtual machine, and why in plain sentences. */
export function machineBounds(spec: BatchSpec): {
	readonly memoryBytes: number;
	readonly diskBytes: number;
	readonly notes: readonly string[];
} {
	const { image, resources } = spec;
	const memory = machineMemory(resources.memoryBytes);
	const memoryBytes = machineHostMemory(resources.memoryBytes);
	const content = image.treeSize + image.entries * BYTES_PER_ENTRY;
	const machineDisk = content + DISK_SHARE * (content + writableBytes(spec)) + DISK_FIXED + MACHINE_FILES;
	// At the end the packed result lies beside the machine's disk, which holds the results as they are.
	const diskBytes = Math.ceil(resources.diskBytes + machineDisk + resources.maxOutputBytes);
	return {
		memoryBytes,
		diskBytes,
		notes: [
			`Hosts need ${formatBytes(memoryBytes)} of memory: a virtual machine of ${memory} MiB (${SYSTEM_MIB} for its system, at least ${LEAST_MIB} in all) and ${HYPERVISOR_MIB} MiB for VirtualBox.`,
			`Hosts need ${formatBytes(diskBytes)} of disk: besides the job’s own limit the unpacked image of ${formatBytes(image.treeSize)} with its file system, the packed result, and ${formatBytes(MACHINE_FILES)} for the virtual machine.`,
		],
	};
}

/**
 * The file `b2d_vm`, which tells the guest what to run, one `key value…` in a line. Its packs are checked against their SHA-256
 * before they are unpacked.
 */
export function machineDescription(spec: BatchSpec): string {
	const { id, config, packs, treeSize, entries, sharedLink } = spec.image;
	return [
		'b2d_vm 1',
		`image ${id}`,
		`architecture ${config.architecture}`,
		...packs.map(({ name, size, sha256 }) => `pack ${sha256} ${size} ${name}`),
		// In the container engines' builders the headers of hard links do this; GNU tar does not follow them.
		...packs.filter(({ times }) => times > 0).map(({ name }) => `times ${name} ${encodeWord(displayName(sharedLink))}`),
		`tree ${treeSize} ${entries}`,
		`network ${spec.network === 'none' ? 'none' : 'nat'}`,
		`disk ${writableBytes(spec)}`,
		...config.env.map((pair) => `env ${encodeWord(pair)}`),
		`dir ${encodeWord(config.workingDir === '' ? '/' : config.workingDir)}`,
		'',
	].join('\n');
}

/**
 * The file `vbox_job.xml` for vboxwrapper. There are no snapshots and no saved states: what is open on the share does not come
 * back from them. The whole slot folder is shared, as docker_wrapper mounts it.
 */
export function vboxJob(spec: BatchSpec): string {
	return `<vbox_job>
<os_name>Linux26_64</os_name>
<memory_size_mb>${machineMemory(spec.resources.memoryBytes)}</memory_size_mb>
<enable_isocontextualization/>
<boot_iso/>
<enable_cache_disk/>
<share_slot_dir/>
<disable_automatic_checkpoints/>
<completion_trigger_file>b2d_vm_done</completion_trigger_file>
<temporary_exit_trigger_file>b2d_vm_later</temporary_exit_trigger_file>
<heartbeat_filename>b2d_vm_heartbeat</heartbeat_filename>
<minimum_heartbeat_interval>1200</minimum_heartbeat_interval>
<fraction_done_filename>fraction_done</fraction_done_filename>
${spec.network === 'none' ? '' : '<enable_network/>\n'}${vboxElements(spec.vboxJobXml ?? '')}</vbox_job>
`;
}
