import { expect, it } from 'vitest';

import type { SubmissionPlan } from '../../../src/job/submissionPlan.js';
import { countHosts } from '../../../src/monitor/explain/hostShare.js';
import { cardText, describeCard } from '../../../src/monitor/planCard.js';
import { host, requirements } from './sampleHosts.js';

const PLAN: SubmissionPlan = {
	...{ name: 'sweep', app: 'pi', versionNum: 0, jobs: 10_000, cpus: 1, gpu: undefined, network: 'none' },
	image: {
		...{ id: 'c0ffee'.padEnd(64, '0'), architecture: 'amd64', treeBytes: 120e6 },
		...{ keptPacks: 20, newPacks: 2, newBytes: 5e6, newPackedBytes: 2e6 },
	},
	...{ inputBytes: 3e6, tableBytes: 600_000, hostImageBytes: 45e6, hostJobBytes: 3.03e6 },
	resources: {
		...{ memoryBytes: 1e9, diskBytes: 2e9, expectedSeconds: 5400, limitSeconds: 86_400 },
		...{ delayBoundSeconds: 604_800, maxOutputBytes: 1e8 },
	},
	diskEstimated: false,
	warnings: [],
	replication: { minQuorum: 2, targetNresults: 2, maxErrorResults: 3, maxTotalResults: 6, maxSuccessResults: 3 },
	bounds: { rscFpopsEst: 1e13, rscFpopsBound: 1e16, rscMemoryBound: 1e9, rscDiskBound: 3e9, delayBound: 604_800 },
};

const cardOf = (plan: SubmissionPlan, hosts: Parameters<typeof countHosts>[0]): ReturnType<typeof describeCard> =>
	describeCard(
		plan,
		{ ...countHosts(hosts, requirements()), active: hosts.length, requirements: requirements() },
		'proj on server',
	);

it('says all of it in a few lines', () => {
	const hosts = [host(), host({ id: 2 }), host({ id: 3, engine: '' }), host({ id: 4, memoryBytes: 5e8 })];
	expect(cardText(cardOf(PLAN, hosts))).toBe(
		`
Jobs                      10,000 jobs in 2 copies each, of which 2 must agree, app pi of proj on server
Image                     c0ffee000000 for amd64, 120 MB unpacked
Upload                    2 packs of the image, about 2.00 MB (5.00 MB before compression; the server has 20 more), at most 3.00 MB of inputs, about 600 KB of parameters
Each host downloads       about 45.0 MB once for the image, and 3.03 MB for a job
Each job may use          1.00 GB of memory and 2.00 GB of disk; its host must have 3.00 GB of disk, with room for a virtual machine
Time                      1 h 30 min on an ordinary computer, stopped after 1 d; 30,000 h of computing in all
Deadline and retries      7 d for a host to return a job; copies that fail are replaced; failure 4 of a job is final, and it gets at most 6 copies
Hosts                     2 of the 4 of the last week can take the jobs (50 %)
Volunteers are asked for  no network; few privileges; limits on memory, disk and time
`.trim(),
	);
});

it('warns when few hosts are left, with why, and when fewer than must agree', () => {
	const card = cardOf(PLAN, [host(), host({ id: 2, engine: '' }), host({ id: 3, memoryBytes: 5e8 })]);
	expect(card.hosts).toEqual({ active: 3, fit: 1, lost: { engine: 1, memory: 1 } });
	expect(card.warnings).toEqual([
		expect.stringMatching(/^1 host: they have neither Docker/),
		expect.stringMatching(/^1 host: they have too little memory: a job needs 1\.00 GB/),
		'2 hosts must agree on a result, and only 1 can take the jobs.',
	]);
});

it('warns of what the image, the limits and the outputs are told of', () => {
	const warnings = ['1 device file (/dev/x): hosts with rootless Podman leave them out.', 'The time limit is low.'];
	expect(cardText(cardOf({ ...PLAN, warnings }, []))).toContain(
		'\nWarning: 1 device file (/dev/x): hosts with rootless Podman leave them out.\nWarning: The time limit is low.',
	);
});

it('says what is rare: nobody there, nothing to send, one try, the volunteer’s network', () => {
	const replication = { minQuorum: 1, targetNresults: 1, maxErrorResults: 1, maxTotalResults: 1, maxSuccessResults: 1 };
	const image = { ...PLAN.image, newPacks: 0, newBytes: 0 };
	const card = cardOf({ ...PLAN, replication, image, inputBytes: 0, network: 'host' }, []);
	const text = cardText(card);
	expect(text).toContain('Upload                    nothing of the image, which the server has, about 600 KB of parameters\n');
	expect(text).toContain('Each host downloads       45.0 MB once');
	expect(text).toContain('; a job that fails is not tried again\n');
	expect(text).toContain('Hosts                     none has asked for work in the last week\n');
	expect(text).toContain('also what listens on their computers');
	expect(card.warnings).toEqual(['The first failure of a job is final: nothing is tried again.']);
});

it('tells of tries where a job has one copy, and that the disk is an estimate while packs are to be made', () => {
	const replication = { minQuorum: 1, targetNresults: 1, maxErrorResults: 3, maxTotalResults: 5, maxSuccessResults: 2 };
	const text = cardText(cardOf({ ...PLAN, replication, diskEstimated: true }, []));
	expect(text).toContain(
		'a job that fails is tried again, up to 3 times; one that hosts never return, until it had 5 tries in all\n',
	);
	expect(text).toContain('1.00 GB of memory and about 2.00 GB of disk; its host must have about 3.00 GB of disk');
});

it('says what a job with a GPU asks of hosts, and that their engines are not known', () => {
	const gpus = [{ type: 'nvidia', count: 1, ramMib: 8000 }];
	const hosts = [
		host({ gpus }),
		host({ id: 2, gpus, engine: '4.3.1', engineKind: 'podman' }),
		host({ id: 3, gpus, engine: '5.4.0', engineKind: 'podman' }),
		host({ id: 4 }),
	];
	const plain = requirements();
	const versions = plain.versions.map((version) => ({
		...version,
		conditions: { ...version.conditions!, gpuType: 'nvidia', gpuDetails: true },
	}));
	const asked = { ...plain, needs: { ...plain.needs, fpopsEst: 9e14 }, versions };
	const plan: SubmissionPlan = { ...PLAN, gpu: { type: 'nvidia', cuda: 12_040 } };
	const card = describeCard(plan, { ...countHosts(hosts, asked), active: 4, requirements: asked }, 'proj');
	expect(card.hosts).toMatchObject({ fit: 3, lost: { gpu: 1 } });
	expect(cardText(card)).toMatch(/Each job may use +a GPU of NVIDIA with CUDA 12\.4, 1\.00 GB of memory/);
	expect(card.warnings.join('\n')).toContain('No client reports whether its engine gives containers the GPU');
	expect(card.warnings.join('\n')).toContain('1 host of the 3 that may get the jobs has a Podman before 5');
	expect(card.warnings.join('\n')).toContain('67 % are left');
	expect(card.warnings.join('\n')).toContain('compute capability');
});
