// Checks for the system programs that the sandbox, the tests and the benchmarks use, and installs what is missing on
// Debian and Ubuntu when it may (root, or sudo that asks for no password). Otherwise it prints exactly what is missing
// and how to get it, and exits with code 3.
//
//   node scripts/systemPackages.mjs demo|test|bench [--check]
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** What each purpose needs: a program (name on PATH or absolute file) and the Debian package that brings it. */
const SANDBOX = [
	['mariadbd', 'mariadb-server', 'the project’s database'],
	['sshd', 'openssh-server', 'the server that the extension logs in to'],
	['ssh-keygen', 'openssh-client', 'keys for it'],
	['podman', 'podman', 'the container engine of the volunteer’s host'],
	['runc', 'runc', 'runs Podman’s containers'],
	['/usr/lib/cni/bridge', 'containernetworking-plugins', 'Podman’s network'],
	['boinc', 'boinc-client', 'the volunteer’s host'],
	['busybox', 'busybox-static', 'runs our script inside the container'],
	['gzip', 'gzip', 'used by the project’s tools'],
	['python3', 'python3', 'records images on the server'],
	['ps', 'procps', 'used by the project’s tools'],
];
/** Building the image for VirtualBox, and running it. */
const VM = [
	['qemu-system-x86_64', 'qemu-system-x86', 'runs the image for VirtualBox'],
	['/usr/share/seabios/bios-256k.bin', 'seabios', 'its BIOS'],
	['/usr/lib/apt/apt-helper', 'apt', 'fetches the packages of the image'],
	['dpkg-deb', 'dpkg', 'unpacks them'],
	['/usr/share/keyrings/debian-archive-keyring.gpg', 'debian-archive-keyring', 'checks them'],
];
const NEEDS = {
	demo: SANDBOX,
	test: [
		...SANDBOX,
		['dockerd', 'docker.io', 'the other container engine'],
		['docker-registry', 'docker-registry', 'a registry for images'],
		['chromium', 'chromium', 'shows VS Code'],
		['/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf', 'fonts-dejavu-core', 'a font for it'],
		...VM,
		['debootstrap', 'debootstrap', 'makes a Debian system for an image'],
		['zstd', 'zstd', 'compresses layers as engines do'],
		['dash', 'dash', 'a login shell of servers'],
		['tcsh', 'tcsh', 'a login shell of servers'],
		['fish', 'fish', 'a login shell of servers'],
		['useradd', 'passwd', 'accounts with such shells'],
		['mount', 'mount', 'a full disk on the server'],
		['rg', 'ripgrep', 'search in the oldest supported VS Code'],
		['python3', 'python3', 'builds VS Code’s log writer'],
		['make', 'make', 'builds VS Code’s log writer'],
		['g++', 'g++', 'builds VS Code’s log writer'],
	],
	bench: [
		...SANDBOX,
		['dockerd', 'docker.io', 'the other container engine'],
		['chromium', 'chromium', 'shows VS Code'],
		['scp', 'openssh-client', 'the yardstick'],
		['docker-registry', 'docker-registry', 'the yardstick of images'],
		...VM,
	],
};

const { values, positionals } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true });
const purpose = positionals[0] ?? 'test';
const needs = NEEDS[purpose];
if (!needs) {
	console.error(`usage: node scripts/systemPackages.mjs ${Object.keys(NEEDS).join('|')} [--check]`);
	process.exit(2);
}

const FOLDERS = [
	...new Set([
		...(process.env.PATH ?? '').split(':'),
		'/usr/local/sbin',
		'/usr/sbin',
		'/sbin',
		'/usr/local/bin',
		'/usr/bin',
		'/bin',
	]),
];

function isThere(program) {
	const candidates = program.startsWith('/') ? [program] : FOLDERS.filter(Boolean).map((folder) => path.join(folder, program));
	return candidates.some((file) => {
		try {
			accessSync(file, program.startsWith('/') ? constants.R_OK : constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}

const missing = () => needs.filter(([program]) => !isThere(program));

function explain(rows, why) {
	const packages = [...new Set(rows.map(([, name]) => name))];
	console.error(`These programs are needed and missing${why ? ` (${why})` : ''}:\n`);
	for (const [program, name, purpose] of rows) {
		console.error(`  ${path.basename(program).padEnd(12)} ${purpose} (Debian package ${name})`);
	}
	console.error(
		`\nInstall them, then run the command again:\n\n  sudo apt-get install --no-install-recommends ${packages.join(' ')}\n`,
	);
	process.exit(3);
}

let rows = missing();
if (rows.length === 0) {
	process.exit(0);
}
if (values.check) {
	explain(rows, '');
}
const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
if (process.platform !== 'linux' || !/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)) {
	explain(rows, 'only Debian and Ubuntu are installed on automatically; elsewhere take the packages of the same meaning');
}
const root = process.getuid?.() === 0;
if (!root && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) {
	explain(rows, 'installing them needs root, and sudo asks for a password');
}

// Packages that are daemons would start their service; what we start, we start ourselves, on loopback. The policy file
// is Debian's way to say so; it is ours only while we install.
const policy = '/usr/sbin/policy-rc.d';
const ownPolicy = !existsSync(policy);
const run = (argv, options = {}) => {
	const command = root ? argv : ['sudo', '-n', ...argv];
	execFileSync(command[0], command.slice(1), {
		stdio: ['ignore', 'pipe', 'pipe'],
		env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
		maxBuffer: 64 << 20,
		...options,
	});
};
const packages = [...new Set(rows.map(([, name]) => name))];
console.error(`Installing ${packages.join(', ')} …`);
try {
	if (ownPolicy) {
		run(['sh', '-c', 'printf "#!/bin/sh\\nexit 101\\n" > "$1" && chmod 755 "$1"', 'sh', policy]);
	}
	const install = () =>
		run([
			'apt-get',
			'install',
			'-y',
			'-qq',
			'--no-install-recommends',
			'-o',
			'Dpkg::Use-Pty=0',
			'-o',
			'DPkg::Lock::Timeout=300',
			...packages,
		]);
	try {
		run(['apt-get', 'update', '-qq']);
		install();
	} catch (error) {
		const output = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().split('\n').slice(-15).join('\n');
		console.error(`apt-get could not install them:\n${output || error.message}\n`);
		explain(missing(), 'apt-get failed');
	}
} finally {
	if (ownPolicy) {
		run(['rm', '-f', policy]);
	}
}
rows = missing();
if (rows.length > 0) {
	explain(rows, 'still absent after installing');
}
