/** The beginning of the image of a CD that boots, as far as installing looks at it. */
export function fakeIso(label = 'BOINC2DOCKER'): Buffer {
	const iso = Buffer.alloc(20 * 2048);
	iso.write('CD001', 16 * 2048 + 1, 'latin1');
	iso.write(label.padEnd(32), 16 * 2048 + 40, 'latin1');
	iso.write('CD001\x01EL TORITO SPECIFICATION', 17 * 2048 + 1, 'latin1');
	return iso;
}
