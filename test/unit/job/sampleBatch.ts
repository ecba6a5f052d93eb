import { contentOfBytes } from '../../../src/common/content.js';
import { shortHash } from '../../../src/job/names.js';
import type { BatchSpec, JobInput } from '../../../src/job/types.js';
import type { StagedFile } from '../../../src/project/types.js';

export const staged = (name: string, text = name): StagedFile => ({ name, content: contentOfBytes(text) });

export const input = (path: string, text = path): JobInput => ({ path, file: staged(`b2d_input_${shortHash(text)}`, text) });

/** A batch of two jobs in which everything is right. */
export function sampleBatch(changes: Partial<BatchSpec> = {}): BatchSpec {
	return {
		name: 'My batch',
		app: 'boinc2docker',
		image: {
			id: 'c0ffee'.padEnd(64, '0'),
			config: {
				os: 'linux',
				architecture: 'amd64',
				entrypoint: ['/bin/tool'],
				cmd: ['--default'],
				env: ['PATH=/bin', 'LANG=C'],
				workingDir: '/work',
				user: 'alice',
				labels: {},
			},
			packs: [staged('b2d_pack_1.tar.gz'), staged('b2d_pack_2.tar.gz')],
			treeBytes: 100_000_000,
			entries: 5000,
		},
		network: 'none',
		resources: {
			memoryBytes: 1e9,
			diskBytes: 1e9,
			expectedSeconds: 3600,
			limitSeconds: 86_400,
			delayBoundSeconds: 604_800,
			maxOutputBytes: 1e8,
		},
		replication: { minQuorum: 1, targetNresults: 1, maxErrorResults: 3, maxTotalResults: 5, maxSuccessResults: 2 },
		jobs: [{}, { command: ['--other', 'x y'], env: { N: '1' } }],
		...changes,
	};
}

export const CONFIG = { masterUrl: 'https://example.org/proj/', downloadUrl: 'https://example.org/proj/download' };
