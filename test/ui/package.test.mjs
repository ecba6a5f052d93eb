// The package holds what runs, and nothing else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import { BUDGET, CONTENTS } from '../../scripts/package.mjs';
import { VSIX } from './support.mjs';

/** Names in a zip archive, from its central directory. */
function names(archive) {
	const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
	let at = archive.readUInt32LE(end + 16);
	return Array.from({ length: archive.readUInt16LE(end + 10) }, () => {
		const [name, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
		const text = archive.toString('utf8', at + 46, at + 46 + name);
		at += 46 + name + extra + comment;
		return text;
	});
}

test('the package has the files that run, and no other', () => {
	const files = names(fs.readFileSync(VSIX)).filter((name) => name.startsWith('extension/'));
	assert.deepEqual(files.map((name) => name.slice('extension/'.length)).sort(), [...CONTENTS].sort());
});

test('the package is within its budget', () => {
	assert.ok(fs.statSync(VSIX).size <= BUDGET.vsix);
});
