import type { Platform } from '../types.js';

/** Names for people, as BOINC's own `project.xml` has them. */
export const PLATFORM_NAMES: Readonly<Record<Platform, string>> = {
	'x86_64-pc-linux-gnu': 'Linux running on an AMD x86_64 or Intel EM64T CPU',
	'aarch64-unknown-linux-gnu': 'Linux running on aarch64',
	windows_x86_64: 'Microsoft Windows running on an AMD x86_64 or Intel EM64T CPU',
	windows_arm64: 'Microsoft Windows running on an ARM64 CPU',
	'x86_64-apple-darwin': 'Intel 64-bit Mac OS 10.5 or later',
	'arm64-apple-darwin': 'Apple ARM Mac OS 11 or later',
};
