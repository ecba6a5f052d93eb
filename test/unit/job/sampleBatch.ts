import { contentOfBytes } from '../../../src/common/content.js';
import type { PackFacts } from '../../../src/image/types.js';
import { shortHash } from '../../../src/job/names.js';
import type { BatchSpec, JobInput } from '../../../src/job/types.js';
import type { StagedFile } from '../../../src/project/types.js';

export const staged = (name: string, text = name): StagedFile => ({ name, content: contentOfBytes(text) });

export const input = (path: string, text = path): JobInput => ({ path, file: staged(`b2d_input_${shortHash(text)}`, text) });

/** The packs of the sample: text files. */
export const SAMPLE_PACKS = [staged('b2d_pack_1.tar.gz'), staged('b2d_pack_2.tar.gz')];

/** What is known of a staged file as of a pack. */
export const packOf = ({ name, content }: StagedFile, more: Partial<PackFacts> = {}): PackFacts => ({
	name,
	size: content.size,
	sha256: content.sha256,
	md5: content.md5,
	unpackedSize: 1024,
	entries: 2500,
	kind: 'files',
	generation: 0,
	times: 0,
	...more,
});

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
			packs: SAMPLE_PACKS.map((file) => packOf(file)),
			treeSize: 100_000_000,
			entries: 5000,
			sharedLink: 'root/shared',
			warnings: [],
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
