import { inflateRawSync } from 'node:zlib';

/** One file of a zip archive. */
export interface ZipEntry {
	/** Path inside the archive. */
	readonly name: string;
	readonly bytes: Buffer;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;

/**
 * Reads the files of a zip archive that `wanted` names: stored or deflated, without encryption or zip64, as release
 * archives are. Throws an `Error` for anything else. No file may unpack to more than `maxBytes`.
 */
export function readZip(archive: Buffer, wanted: (name: string) => boolean, maxBytes: number): ZipEntry[] {
	const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
	if (end < 0 || end + 22 > archive.length || archive.readUInt32LE(end) !== END_OF_DIRECTORY) {
		throw new Error('it is not a complete zip archive');
	}
	const count = archive.readUInt16LE(end + 10);
	let at = archive.readUInt32LE(end + 16);
	const entries: ZipEntry[] = [];
	for (let index = 0; index < count; index++) {
		if (at + 46 > archive.length || archive.readUInt32LE(at) !== DIRECTORY_ENTRY) {
			throw new Error('its directory is damaged');
		}
		const nameLength = archive.readUInt16LE(at + 28);
		const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
		if (!name.endsWith('/') && wanted(name)) {
			entries.push({ name, bytes: unpack(archive, at, name, maxBytes) });
		}
		at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
	}
	return entries;
}

function unpack(archive: Buffer, entry: number, name: string, maxBytes: number): Buffer {
	const flags = archive.readUInt16LE(entry + 8);
	const method = archive.readUInt16LE(entry + 10);
	const packedSize = archive.readUInt32LE(entry + 20);
	const size = archive.readUInt32LE(entry + 24);
	const header = archive.readUInt32LE(entry + 42);
	if ((flags & 1) !== 0 || (method !== 0 && method !== 8)) {
		throw new Error(`${name} is packed in a way that we cannot read`);
	}
	if (size > maxBytes) {
		throw new Error(`${name} is larger than ${maxBytes} bytes`);
	}
	if (header + 30 > archive.length || archive.readUInt32LE(header) !== LOCAL_HEADER) {
		throw new Error(`${name} is damaged`);
	}
	const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
	const packed = archive.subarray(start, start + packedSize);
	const bytes = method === 0 ? Buffer.from(packed) : inflateRawSync(packed, { maxOutputLength: Math.max(1, maxBytes) });
	if (bytes.length !== size) {
		throw new Error(`${name} is damaged`);
	}
	return bytes;
}
