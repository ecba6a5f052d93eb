import type { Requirements } from '../../../src/monitor/explain/hostConditions.js';
import type { HostRecord } from '../../../src/monitor/explain/hostRecord.js';

/** A host on which nothing is missing. */
export const host = (change: Partial<HostRecord> = {}): HostRecord => ({
	id: 1,
	userId: 1,
	lastContact: 900,
	os: 'linux',
	architecture: 'amd64',
	osText: 'Linux Debian\t6.1',
	vendor: 'GenuineIntel',
	model: 'Xeon',
	processors: 4,
	flops: 1e9,
	memoryBytes: 8e9,
	diskFreeBytes: 50e9,
	activeFraction: 1,
	blocked: false,
	clientVersion: 80_204,
	engine: '24.0',
	engineForbidden: false,
	virtualbox: '',
	engineKind: 'docker',
	gpus: [],
	...change,
});

const CLASS = {
	name: 'docker',
	docker: true,
	virtualbox: false,
	minClientVersion: 80_000,
	maxClientVersion: 0,
	minNcpus: 0,
	osRegex: '',
	vendorRegex: '',
	modelRegex: '',
};
/** What a small job asks for. */
export const requirements = (change: Partial<Requirements['needs']> = {}): Requirements => ({
	needs: {
		memoryBytes: 1e9,
		diskBytes: 1e9,
		fpopsEst: 3600e9,
		delayBoundSeconds: 86_400,
		triedHosts: new Set(),
		triedUsers: new Set(),
		...change,
	},
	versions: [{ id: 5, platform: 'x86_64-pc-linux-gnu', planClass: 'docker', conditions: CLASS }],
	limits: { feederSlots: 100, dailyQuota: 10, inProgress: 2, inProgressGpu: 0, oneResultPerUser: true, oneResultPerHost: false },
	load: new Map(),
});
