import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzip } from 'node:zlib';

import * as v from 'valibot';

import { BoincError } from '../../common/errors.js';
import { BLOCK, type ByteString } from '../tar/tarHeader.js';
import type { PackFacts } from '../types.js';
import type { PackPlan } from './partition.js';
import type { PackUnit } from './unitList.js';
import { tarSize } from './units.js';

/** A line of a manifest: a unit of the pack, or a time that the pack gives to a file of earlier packs. */
export interface ManifestLine {
	readonly what: 'directory' | 'empty directory' | 'file' | 'time';
	/** `Inode.unitDigest`. */
	readonly digest: string;
	/** Seconds since the epoch. */
	readonly mtime: number;
	/** Bytes in the pack's tar. */
	readonly size: number;
	readonly path: ByteString;
	readonly links: readonly ByteString[];
}

/** What is in a pack that a server has. */
export interface PackManifest {
	readonly facts: PackFacts;
	/** The lines in the order of the pack. Read anew each time: only the compressed form stays in memory. */
	lines(): Promise<Iterable<ManifestLine>>;
}

const FIRST_LINE = 'boinc2docker pack 1';
const hex = (length: number): v.GenericSchema<string> => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${length}}$`)));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** How facts are kept on servers. */
export const factsSchema = v.object({
	name: v.pipe(v.string(), v.regex(/^b2d_pack_[0-9a-f]{32}\.tar\.gz$/)),
	size: count,
	sha256: hex(64),
	md5: hex(32),
	unpackedSize: count,
	entries: count,
	kind: v.picklist(['files', 'directories']),
	generation: count,
	times: count,
});

/** What is known of a pack, without its bytes. */
export function packFacts(pack: PackFacts): PackFacts {
	const { name, size, sha256, md5, unpackedSize, entries, kind, generation, times } = pack;
	return { name, size, sha256, md5, unpackedSize, entries, kind, generation, times };
}

const WORDS = { d: 'directory', e: 'empty directory', f: 'file', t: 'time' } as const;

/** Characters that are put together at a time. */
const PIECE = 1 << 14;

/** Writes the manifest of a pack that was made from `plan`, gzip'd. */
export async function encodeManifest(facts: PackFacts, plan: PackPlan): Promise<Buffer> {
	// Piece by piece out of the heap: packs of small files have tens of thousands of lines.
	const pieces: Buffer[] = [];
	let text = `${FIRST_LINE}\n${JSON.stringify(facts)}\n`;
	const add = (letter: keyof typeof WORDS, { path, inode, links }: PackUnit, size: number): void => {
		const names = [path, ...links].join('\0').replaceAll(/[\\\n]/g, (char) => (char === '\n' ? '\\n' : '\\\\'));
		text += `${letter}${inode.unitDigest} ${inode.mtime.toString(36)} ${size.toString(36)} ${names}\n`;
		if (text.length > PIECE) {
			pieces.push(Buffer.from(text, 'latin1'));
			text = '';
		}
	};
	for (const unit of plan.times) {
		add('t', unit, BLOCK);
	}
	for (const unit of plan.units) {
		add(unit.inode.kind !== 'directory' ? 'f' : plan.kind === 'directories' ? 'd' : 'e', unit, tarSize(unit));
	}
	pieces.push(Buffer.from(text, 'latin1'));
	return promisify(gzip)(Buffer.concat(pieces), { level: 9 });
}

/** Opens a manifest. Throws `archive-corrupt` when it is not one; `name` is the pack's. */
export async function openManifest(name: string, compressed: Uint8Array): Promise<PackManifest> {
	const [first, second] = (await unpacked(name, compressed)).toString('latin1').split('\n', 2);
	if (first !== FIRST_LINE || second === undefined) {
		throw corrupt(name, 'it begins otherwise');
	}
	const facts = v.safeParse(factsSchema, parseJson(second));
	if (!facts.success || facts.output.name !== name) {
		throw corrupt(name, facts.success ? 'it is that of another pack' : facts.issues[0].message);
	}
	return { facts: facts.output, lines: async () => linesOf(await unpacked(name, compressed)) };
}

/** Compressed bytes for which a thread of their own costs more than unpacking them. */
const SMALL = 1 << 15;

async function unpacked(name: string, compressed: Uint8Array): Promise<Buffer> {
	try {
		return compressed.length <= SMALL ? gunzipSync(compressed) : await promisify(gunzip)(compressed);
	} catch (cause) {
		throw corrupt(name, 'it cannot be unpacked', cause);
	}
}

function corrupt(name: string, why: string, cause?: unknown): BoincError {
	return new BoincError('archive-corrupt', `The manifest of the pack ${name} cannot be read: ${why}.`, {
		cause,
		detail: { name },
	});
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

const LINE = /^([deft])([\w-]{16}) ([0-9a-z]+) ([0-9a-z]+) (.*)$/s;

/** Lines that cannot be read end the list: what they stand for counts as not there. */
function* linesOf(text: Buffer): Generator<ManifestLine, void, undefined> {
	let at = 0;
	for (let number = 0; at < text.length; number++) {
		const newline = text.indexOf(0x0a, at);
		const end = newline < 0 ? text.length : newline;
		const line = number < 2 ? '' : text.toString('latin1', at, end);
		at = end + 1;
		const match = LINE.exec(line);
		if (match) {
			const [, letter = '', digest = '', mtime = '', size = '', names = ''] = match;
			const [path = '', ...links] = namesOf(names);
			yield {
				what: WORDS[letter as keyof typeof WORDS],
				digest,
				mtime: Number.parseInt(mtime, 36),
				size: Number.parseInt(size, 36),
				path,
				links,
			};
		}
	}
}

function namesOf(text: string): readonly string[] {
	const plain = text.includes('\\') ? text.replaceAll(/\\[n\\]/g, (escape) => (escape === '\\n' ? '\n' : '\\')) : text;
	return plain.includes('\0') ? plain.split('\0') : [plain];
}
