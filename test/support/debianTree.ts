import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const runProgram = promisify(execFile);

/** Brings set-uid and set-gid programs, links, thousands of small files, and Python with its library. */
const PACKAGES = ['base-files', 'dash', 'passwd', 'python3-minimal'];
const STORE = path.join(homedir(), '.cache/boinc2docker/debian');
/** What debootstrap makes before it unpacks anything. */
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];

/**
 * Makes a Debian system with Python in `root` as debootstrap does in its first stage: packages and all that they depend on are
 * fetched by apt, which checks them, and unpacked over each other. Then Python compiles its library, as the installation of the
 * packages does. Needs root. Fetched packages are kept.
 */
export async function makeDebianTree(root: string): Promise<void> {
	const packages = await fetched();
	for (const name of MERGED) {
		await mkdir(path.join(root, 'usr', name), { recursive: true });
		await symlink(`usr/${name}`, path.join(root, name));
	}
	for (const file of packages) {
		await runProgram('sh', [
			'-c',
			'dpkg-deb --fsys-tarfile "$1" | tar -xpf - -C "$2" --keep-directory-symlink',
			'sh',
			file,
			root,
		]);
	}
	await runProgram('chroot', [root, 'sh', '-c', 'python3 -m compileall -q /usr/lib/python3*']);
}

/** The files of the packages. */
async function fetched(): Promise<string[]> {
	await mkdir(path.join(STORE, 'partial'), { recursive: true });
	return download().catch(async () => {
		// The mirror has other versions by now.
		await runProgram('apt-get', ['update', '-qq']);
		return download();
	});
}

async function download(): Promise<string[]> {
	const settings = {
		'Dir::State::status': '/dev/null',
		'Dir::Cache::archives': STORE,
		'Debug::NoLocking': 'true',
		'APT::Sandbox::User': '',
		'APT::Install-Recommends': 'false',
	};
	const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
	const env = { ...process.env, LC_ALL: 'C' };
	const { stdout } = await runProgram('apt-get', [...options, 'install', '--simulate', ...PACKAGES], { env });
	await runProgram('apt-get', [...options, 'install', '--download-only', '--yes', '-qq', ...PACKAGES], { env });
	return [...stdout.matchAll(/^Inst (\S+) \((\S+) .*\[(\S+)\]\)/gm)].map(([, name = '', version = '', architecture = '']) =>
		path.join(STORE, `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`),
	);
}
