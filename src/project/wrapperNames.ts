import type { Platform } from './types.js';

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

/** Reads a name such as `docker_wrapper_22_arm64-pc-linux-gnu`; `undefined` for other files and unsupported machines. */
export function parseWrapperName(name: string): WrapperName | undefined {
	const match = /^docker_wrapper(?:_(\d+))?_(.+?)(\.exe)?$/i.exec(name);
	if (!match) {
		return undefined;
	}
	const machine = (match[2] ?? '').toLowerCase();
	const platform = Object.hasOwn(MACHINES, machine) ? MACHINES[machine] : undefined;
	if (!platform) {
		return undefined;
	}
	if (platform.startsWith('windows') !== (match[3] !== undefined)) {
		return undefined;
	}
	return { platform, version: match[1] === undefined ? undefined : Number(match[1]) };
}

/** The physical name for a wrapper; one without a version in its name gets `version`, or else its hash. */
export function wrapperFileName(name: string, parsed: WrapperName, version: number | undefined, sha256: string): string {
	if (parsed.version !== undefined) {
		return name;
	}
	return `docker_wrapper_${version === undefined ? sha256.slice(0, 8) : String(version)}_${parsed.platform}`;
}
