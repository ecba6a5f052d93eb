import { type Content, contentOfBytes } from '../common/content.js';

const MIB = 1 << 20;
/** Most that a job's disk can have; the file grows with what is written. */
const DISK_BYTES = 128 * 1024 * MIB;
/** VirtualBox and QEMU know blocks of this size. */
const BLOCK_BYTES = MIB;
const TABLE_OFFSET = 512;
const DATA_OFFSET = MIB;
const DYNAMIC = 1;

/**
 * An empty virtual disk in VirtualBox's format (VDI 1.1, dynamic), always with the same bytes. It holds no data block yet: 1 MiB.
 * The wrapper gives each slot's copy an identity of its own.
 */
export function emptyDisk(): Content {
	const file = Buffer.alloc(DATA_OFFSET);
	const blocks = DISK_BYTES / BLOCK_BYTES;
	file.write('<<< Oracle VM VirtualBox Disk Image >>>\n', 0, 'latin1');
	file.writeUInt32LE(0xbeda107f, 64);
	file.writeUInt32LE(0x00010001, 68);
	// Size of what follows up to the logical geometry.
	file.writeUInt32LE(400, 72);
	file.writeUInt32LE(DYNAMIC, 76);
	file.writeUInt32LE(TABLE_OFFSET, 340);
	file.writeUInt32LE(DATA_OFFSET, 344);
	// Old geometry: only the size of a sector is used. Cylinders, heads and sectors of the logical one say "unknown" by zeros.
	file.writeUInt32LE(512, 360);
	file.writeBigUInt64LE(BigInt(DISK_BYTES), 368);
	file.writeUInt32LE(BLOCK_BYTES, 376);
	file.writeUInt32LE(blocks, 384);
	file.writeUInt32LE(0, 388);
	// Identities of the disk and of its last change, version 4; no parent.
	Buffer.from('6b1f0c52e0a94c0e9d7b3a5e21c4f801', 'hex').copy(file, 392);
	Buffer.from('6b1f0c52e0a94c0e9d7b3a5e21c4f802', 'hex').copy(file, 408);
	file.writeUInt32LE(512, 468);
	// No block has a place in the file yet.
	file.fill(0xff, TABLE_OFFSET, TABLE_OFFSET + 4 * blocks);
	return contentOfBytes(file);
}
