import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { IMAGE_PACKAGES, KERNEL_META, RELEASE, TOOL_PACKAGES } from './contents.js';
import type { Lock, LockedPackage } from './lock.js';
import type { Mirror } from './mirror.js';

const run = promisify(execFile);
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Makes a lock of the packages that the mirror has now. apt with a configuration of its own checks Debian's signatures;
 * the machine's packages are neither looked at nor changed.
 */
export async function updateLock(mirror: Mirror): Promise<Lock> {
	const dir = await mkdtemp(path.join(tmpdir(), 'b2d-apt-'));
	try {
		const env = await privateApt(dir, mirror);
		await run('apt-get', ['update', '-qq'], { env, maxBuffer: 1 << 24 });
		const kernel = /Depends: (linux-image-\S+)/.exec((await run('apt-cache', ['depends', KERNEL_META], { env })).stdout)?.[1];
		if (kernel === undefined) {
			throw new Error(`The mirror has no ${KERNEL_META} for ${RELEASE}.`);
		}
		const image = [kernel, ...IMAGE_PACKAGES];
		const names = [...image, ...TOOL_PACKAGES].sort();
		const shown = (await run('apt-cache', ['show', '--no-all-versions', ...names], { env, maxBuffer: 1 << 24 })).stdout;
		const records = shown.split(/\n\n+/).map(fieldsOf);
		const packages = names.map((name) =>
			lockedPackage(
				records.find(({ Package }) => Package === name),
				name,
				image.includes(name) ? 'image' : 'tool',
			),
		);
		return { release: RELEASE, time: Math.floor(Date.now() / 86_400_000) * 86_400, packages };
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}

function fieldsOf(record: string): Record<string, string> {
	return Object.fromEntries([...record.matchAll(/^([A-Za-z0-9-]+): (.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

function lockedPackage(record: Record<string, string> | undefined, name: string, use: LockedPackage['use']): LockedPackage {
	const { Version, Source = name, Filename, Size, SHA256 } = record ?? {};
	if (Version === undefined || Filename === undefined || Size === undefined || SHA256 === undefined) {
		throw new Error(`The mirror has no package ${name} for ${RELEASE}.`);
	}
	const [, source = Source, sourceVersion = Version.replace(/\+b\d+$/, '')] = /^(\S+)(?: \((.*)\))?$/.exec(Source) ?? [];
	return {
		name,
		version: Version,
		source,
		sourceVersion,
		// Debian's security archive keeps its pool under "updates/".
		archive: Filename.startsWith('pool/updates/') ? 'debian-security' : 'debian',
		path: Filename,
		size: Number(Size),
		sha256: SHA256,
		use,
	};
}

/** Configuration for apt in `dir`; returns the environment that makes apt use it alone. */
async function privateApt(dir: string, mirror: Mirror): Promise<NodeJS.ProcessEnv> {
	for (const folder of ['etc', 'state/lists/partial', 'cache/archives/partial']) {
		await mkdir(path.join(dir, folder), { recursive: true });
	}
	const source = (address: string, suite: string): string => `deb [signed-by=${KEYRING}] ${address} ${suite} main\n`;
	await writeFile(
		path.join(dir, 'etc/sources.list'),
		source(mirror.debian, RELEASE) +
			source(mirror.debian, `${RELEASE}-updates`) +
			source(mirror['debian-security'], `${RELEASE}-security`),
	);
	await writeFile(path.join(dir, 'state/status'), '');
	const settings: Record<string, string> = {
		Dir: dir,
		'Dir::Etc': path.join(dir, 'etc'),
		'Dir::Etc::sourcelist': path.join(dir, 'etc/sources.list'),
		'Dir::Etc::sourceparts': '/dev/null',
		'Dir::Etc::preferencesparts': '/dev/null',
		'Dir::State': path.join(dir, 'state'),
		'Dir::State::status': path.join(dir, 'state/status'),
		'Dir::Cache': path.join(dir, 'cache'),
		'APT::Architecture': 'amd64',
		'APT::Architectures': 'amd64',
		'Acquire::Languages': 'none',
		'Debug::NoLocking': 'true',
		'APT::Sandbox::User': '',
	};
	const file = path.join(dir, 'apt.conf');
	await writeFile(
		file,
		Object.entries(settings)
			.map(([key, value]) => `${key} "${value}";\n`)
			.join(''),
	);
	return { ...process.env, APT_CONFIG: file, LC_ALL: 'C' };
}
