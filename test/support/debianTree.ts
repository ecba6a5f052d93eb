import { execFile } from 'node:child_process';
import { access, mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const runProgram = promisify(execFile);

/** Fetched packages are kept: debootstrap compares them with their hashes before it takes them. */
const STORE = path.join(homedir(), '.cache/boinc2docker/debootstrap');
const SCRIPTS = '/usr/share/debootstrap/scripts';

/** Where packages come from, as apt on this machine has it. */
interface Source {
	readonly mirror: string;
	readonly suite: string;
}

/** Left out, for they take time and bring nothing that others have not. */
const EXCLUDED = ['apt', 'e2fsprogs', 'tzdata'];
/** What slim images of Debian leave out, too. */
const SUPERFLUOUS = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'var/cache/apt', 'var/lib/apt'];

/**
 * Makes a Debian system with Python by the program debootstrap in a new folder `root`: set-uid and set-gid programs, hard
 * links, devices, thousands of small files, Python with its compiled library. Signatures are checked. Needs root. The folder
 * is in memory, for dpkg has each file written to the disk before it goes on; it is there until `use` has ended.
 */
export async function withDebianTree<T>(root: string, use: () => Promise<T>): Promise<T> {
	const { mirror, suite } = await sourceOfMachine();
	await mkdir(STORE, { recursive: true });
	await mkdir(root);
	await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=1g,mode=755', 'tmpfs', root]);
	try {
		const words = ['--variant=minbase', '--include=python3-minimal', '--components=main', '--force-check-gpg'];
		const own = [`--exclude=${EXCLUDED.join(',')}`, `--cache-dir=${STORE}`];
		await runProgram('debootstrap', [...words, ...own, suite, root, mirror], {
			env: { ...process.env, ...(await proxyFor(mirror)), LC_ALL: 'C' },
			maxBuffer: 1 << 24,
		});
		await Promise.all(SUPERFLUOUS.map((name) => rm(path.join(root, name), { recursive: true, force: true })));
		return await use();
	} finally {
		await runProgram('umount', [root]);
		await rm(root, { recursive: true });
	}
}

/** The distribution's own archive among the sources of apt. */
async function sourceOfMachine(): Promise<Source> {
	const known = await listedSource();
	if (known) {
		return known;
	}
	// apt knows whose an archive is only when it has looked there.
	await runProgram('apt-get', ['update', '-qq']);
	const now = await listedSource();
	if (!now) {
		throw new Error('apt on this machine has no archive of Debian or Ubuntu for whose release debootstrap has a script');
	}
	return now;
}

async function listedSource(): Promise<Source | undefined> {
	const format = '$(ORIGIN)/$(LABEL)/$(COMPONENT) $(CODENAME) $(REPO_URI)';
	const { stdout } = await runProgram('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
	for (const line of stdout.split('\n')) {
		const [, suite, mirror] = /^(?:Debian\/Debian|Ubuntu\/Ubuntu)\/main ([a-z]+) (\S+)$/.exec(line) ?? [];
		if (suite !== undefined && mirror !== undefined && (await isThere(path.join(SCRIPTS, suite)))) {
			return { mirror, suite };
		}
	}
	return undefined;
}

const isThere = (file: string): Promise<boolean> =>
	access(file).then(
		() => true,
		() => false,
	);

/** The variable that names apt's proxy for `mirror` to other programs, if it has one; the environment's own counts otherwise. */
async function proxyFor(mirror: string): Promise<NodeJS.ProcessEnv> {
	const { protocol, hostname } = new URL(mirror);
	const kind = protocol.replace(':', '');
	// One for this host alone, or the one that a program names.
	const helper = await runProgram('/usr/lib/apt/apt-helper', ['auto-detect-proxy', mirror], {
		env: { ...process.env, LC_ALL: 'C' },
	});
	const config = await runProgram('apt-config', ['shell', 'proxy', `Acquire::${kind}::Proxy`]);
	const proxy = /'(.+)' for URL/.exec(helper.stdout)?.[1] ?? /'(.+)'/.exec(config.stdout)?.[1];
	return proxy === undefined ? {} : proxy === 'DIRECT' ? { no_proxy: hostname } : { [`${kind}_proxy`]: proxy };
}
