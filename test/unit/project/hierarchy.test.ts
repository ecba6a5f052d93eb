import { expect, test } from 'vitest';

import { hierarchyDirectory, hierarchyPath } from '../../../src/project/hierarchy.js';

test.each([
	['infile', '3d8'],
	['myfile.txt', '26c'],
	['job_1_input.dat', '2c8'],
	['docker_wrapper_18_x86_64-pc-linux-gnu', '18e'],
	['in.zip', '2ae'],
	['boinc2docker.iso', '28d'],
	['layer_0a1b2c.tar', '3e9'],
	['f1.txt', '1b8'],
])('puts %s where dir_hier_path puts it', (name, directory) => {
	expect(hierarchyDirectory(name, 1024)).toBe(directory);
});

test('takes digits 2 to 8 modulo any fanout, not only powers of two', () => {
	expect(hierarchyDirectory('infile', 1000)).toBe((0x51cc7d8 % 1000).toString(16));
});

test('prints no leading zeros', () => {
	const directories = Array.from({ length: 500 }, (_, index) => hierarchyDirectory(`file${String(index)}`, 1024));
	expect(directories.filter((directory) => directory.length > 1 && directory.startsWith('0'))).toEqual([]);
	expect(directories.some((directory) => directory.length < 3)).toBe(true);
});

test('is flat when the fanout is 0', () => {
	expect(hierarchyDirectory('infile', 0)).toBe('');
	expect(hierarchyPath('infile', 0)).toBe('infile');
	expect(hierarchyPath('infile', 1024)).toBe('3d8/infile');
});
