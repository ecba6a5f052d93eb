import { type Platform, type Runtime, VM_PLATFORMS } from './types.js';

/** What the name of a wrapper program says. */
export interface WrapperName {
	readonly platform: Platform;
	/** The wrapper's release; absent in the names of the macOS builds. */
	readonly version: number | undefined;
}

/** How the builds call the machines; the ARM ones differ from BOINC's platform names, and macOS builds say the CPU only. */
const MACHINES: Readonly<Record<string, Platform | undefined>> = {
	'x86_64-pc-linux-gnu': 'x86_64-pc-linux-gnu',
	'arm64-pc-linux-gnu': 'aarch64-unknown-linux-gnu',
	'aarch64-unknown-linux-gnu': 'aarch64-unknown-linux-gnu',
	windows_x86_64: 'windows_x86_64',
	windows_arm64: 'windows_arm64',
	'x86_64-apple-darwin': 'x86_64-apple-darwin',
	x86_64: 'x86_64-apple-darwin',
	'arm64-apple-darwin': 'arm64-apple-darwin',
	arm64: 'arm64-apple-darwin',
};

/** The wrapper of each runtime, as its builds and the tags of its releases are called. */
export const WRAPPER_PROGRAMS = {
	docker: { program: 'docker_wrapper', tag: 'dockerwrapper', example: 'docker_wrapper_22_x86_64-pc-linux-gnu', least: 0 },
	// Since 26208 it can share the slot folder with the virtual machine; older ones log that and share nothing.
	vm: { program: 'vboxwrapper', tag: 'vboxwrapper', example: 'vboxwrapper_26212_x86_64-pc-linux-gnu', least: 26208 },
} as const satisfies Readonly<Record<Runtime, unknown>>;

/** Reads a name such as `docker_wrapper_22_arm64-pc-linux-gnu`; `undefined` for other files and unsupported machines. */
export function parseWrapperName(name: string, runtime: Runtime): WrapperName | undefined {
	const { program } = WRAPPER_PROGRAMS[runtime];
	if (runtime === 'vm' && name === program) {
		// The build for macOS says nothing else.
		return { platform: 'x86_64-apple-darwin', version: undefined };
	}
	const match = new RegExp(`^${program}(?:_(\\d+))?_(.+?)(\\.exe)?$`, 'i').exec(name);
	if (!match) {
		return undefined;
	}
	const machine = (match[2] ?? '').toLowerCase();
	const platform = Object.hasOwn(MACHINES, machine) ? MACHINES[machine] : undefined;
	if (!platform || (runtime === 'vm' && !VM_PLATFORMS.includes(platform))) {
		return undefined;
	}
	if (platform.startsWith('windows') !== (match[3] !== undefined)) {
		return undefined;
	}
	return { platform, version: match[1] === undefined ? undefined : Number(match[1]) };
}

/** The physical name for a wrapper; one without a version in its name gets `version`, or else its hash. */
export function wrapperFileName(
	name: string,
	parsed: WrapperName,
	runtime: Runtime,
	version: number | undefined,
	sha256: string,
): string {
	if (parsed.version !== undefined) {
		return name;
	}
	const { program } = WRAPPER_PROGRAMS[runtime];
	return `${program}_${version === undefined ? sha256.slice(0, 8) : String(version)}_${parsed.platform}`;
}
