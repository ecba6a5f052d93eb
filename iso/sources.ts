import { readFile } from 'node:fs/promises';

import type { Lock } from './lock.js';
import type { UnpackedPackages } from './unpackedPackages.js';

/** One line for each package in the image; it is in the image too. */
export function manifestOf(lock: Lock): string {
	const lines = inImage(lock).map(
		({ name, version, source, sourceVersion, sha256 }) => `${name} ${version} ${source} ${sourceVersion} ${sha256}\n`,
	);
	return `# boinc2docker 1: package, version, source package, version of the source, SHA-256 of the package (Debian ${lock.release}, amd64)\n${lines.join('')}`;
}

/**
 * What whoever gives the image away needs to know: the source packages and the licences of what is in it, as Debian
 * states them.
 */
export async function sourcesOf(lock: Lock, packages: UnpackedPackages): Promise<string> {
	const sources = new Map<string, { binaries: string[]; licences: Set<string> }>();
	for (const { name, version, source, sourceVersion } of inImage(lock)) {
		const key = `${source} ${sourceVersion}`;
		const entry = sources.get(key) ?? { binaries: [], licences: new Set<string>() };
		sources.set(key, entry);
		entry.binaries.push(`${name} ${version}`);
		const copyright = await readFile(packages.file(name, `usr/share/doc/${name}/copyright`), 'utf8').catch(() => '');
		for (const licence of licencesIn(copyright)) {
			entry.licences.add(licence);
		}
	}
	const entries = [...sources].map(
		([key, { binaries, licences }]) =>
			`${key}\n  packages: ${binaries.join(', ')}\n  licences: ${[...licences].sort().join('; ') || 'see the package’s copyright file'}\n`,
	);
	return (
		'The programs and libraries in the image are those of packages of Debian, unchanged; kernel modules are without type\n' +
		'information and signature. libsystemd.so.0 and libselinux.so.1 are empty stand-ins made by the build.\n' +
		'Whoever passes the image on under the GNU licences also offers these source packages of Debian, in these versions:\n\n' +
		entries.join('\n')
	);
}

const inImage = (lock: Lock) => lock.packages.filter(({ use }) => use === 'image');

/** Short names of licences in a machine-readable copyright file; else the GNU licences that it points to. */
function licencesIn(copyright: string): string[] {
	const stated = [...copyright.matchAll(/^License: *(\S.*)$/gm)].map(([, name = '']) => name.trim());
	const linked = [...copyright.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9.-]+)/g)].map(([, name = '']) =>
		name.replace(/\.$/, ''),
	);
	return stated.length > 0 ? stated : linked;
}
