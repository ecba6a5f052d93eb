import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { BoincError, messageOf } from '../common/errors.js';

const Pins = v.record(v.string(), v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)));

/**
 * Compares programs with the hashes that were seen for their names before, and remembers new ones in `file` on this
 * machine. A name stands for one content for ever: rejects with `wrapper-changed` if another one comes.
 */
export async function checkPins(
	file: string,
	programs: readonly { readonly name: string; readonly sha256: string }[],
): Promise<void> {
	const known = await readPins(file);
	const pins = { ...known };
	for (const { name, sha256 } of programs) {
		const pinned = Object.hasOwn(pins, name) ? pins[name] : undefined;
		if (pinned !== undefined && pinned !== sha256) {
			throw new BoincError(
				'wrapper-changed',
				`${name} is not the program it was before: its SHA-256 is ${sha256}, and ${pinned} was seen first.`,
				{
					remedy: `Find out why. If the new one is right, give it a new name, or remove its line from ${file}.`,
					detail: { name, sha256, pinned },
				},
			);
		}
		pins[name] = sha256;
	}
	if (Object.keys(pins).length > Object.keys(known).length) {
		await mkdir(path.dirname(file), { recursive: true });
		const temporary = `${file}.${String(process.pid)}`;
		await writeFile(temporary, `${JSON.stringify(pins, undefined, '\t')}\n`);
		await rename(temporary, file);
	}
}

async function readPins(file: string): Promise<Record<string, string>> {
	let text: string;
	try {
		text = await readFile(file, 'utf8');
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
			return {};
		}
		throw error;
	}
	try {
		return v.parse(Pins, JSON.parse(text));
	} catch (cause) {
		throw new BoincError('wrapper-changed', `The record of known programs, ${file}, cannot be read: ${messageOf(cause)}.`, {
			remedy: 'Repair or remove the file.',
			cause,
		});
	}
}
