import { createHash } from 'node:crypto';

const HASH = 32;
const NUMBER = 8;

/**
 * Some byte strings as one file: `magic`, each with its length before it, and the SHA-256 of all that. Whoever reads it knows
 * that it is whole.
 */
export function encodeParts(magic: string, parts: readonly Buffer[]): Buffer {
	const body = Buffer.concat([Buffer.from(magic), ...parts.flatMap((part) => [numberBytes(part.length), part])]);
	return Buffer.concat([body, sha256(body)]);
}

/** The byte strings in a file; `undefined` if that is not what `encodeParts` made with this `magic`. They are parts of `file`. */
export function decodeParts(magic: string, file: Buffer): Buffer[] | undefined {
	const body = file.subarray(0, Math.max(0, file.length - HASH));
	if (!sha256(body).equals(file.subarray(body.length)) || !body.subarray(0, magic.length).equals(Buffer.from(magic))) {
		return undefined;
	}
	const parts: Buffer[] = [];
	for (let at = magic.length; at < body.length;) {
		const length = body.readDoubleLE(at);
		parts.push(body.subarray(at + NUMBER, at + NUMBER + length));
		at += NUMBER + length;
	}
	return parts;
}

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

export function numberBytes(value: number): Buffer {
	const bytes = Buffer.alloc(NUMBER);
	bytes.writeDoubleLE(value);
	return bytes;
}
