const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const BLOCK = 1 << 17;
/** 128 KiB. */
const WINDOW = 7 << 3;

function blockHeader(size: number, kind: number, isLast: boolean): Buffer {
	const header = Buffer.alloc(3);
	header.writeUIntLE(size * 8 + kind * 2 + (isLast ? 1 : 0), 0, 3);
	return header;
}

/** A zstd frame that holds bytes as they are. */
export function zstdStored(bytes: Buffer, window = WINDOW): Buffer {
	const blocks: Buffer[] = [];
	for (let at = 0; at < bytes.length || at === 0; at += BLOCK) {
		const part = bytes.subarray(at, at + BLOCK);
		blocks.push(blockHeader(part.length, 0, at + BLOCK >= bytes.length), part);
	}
	return Buffer.concat([MAGIC, Buffer.from([0, window]), ...blocks]);
}

/** A zstd frame of 128 KiB of zeros times `count`, in four bytes each. */
export function zstdZeros(count: number): Buffer {
	const block = Buffer.concat([blockHeader(BLOCK, 1, false), Buffer.alloc(1)]);
	const blocks = Array.from({ length: count - 1 }, () => block);
	return Buffer.concat([MAGIC, Buffer.from([0, WINDOW]), ...blocks, blockHeader(BLOCK, 1, true), Buffer.alloc(1)]);
}

/** A frame that decoders leave out. */
export function zstdSkipped(length: number): Buffer {
	const header = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
	header.writeUInt32LE(length, 4);
	return Buffer.concat([header, Buffer.alloc(length, 0x28)]);
}
