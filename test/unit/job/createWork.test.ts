import { describe, expect, test } from 'vitest';

import { rangesOf } from '../../../src/common/ranges.js';
import { createWorkArguments, type CreateWorkOptions, workLine } from '../../../src/job/createWork.js';
import { chunksOf } from '../../../src/job/jobChunks.js';
import { planBatch } from '../../../src/job/planBatch.js';
import { boincBounds, defaultResources } from '../../../src/job/resources.js';
import { CONFIG, input, sampleBatch } from './sampleBatch.js';

const OPTIONS: CreateWorkOptions = {
	appname: 'app',
	wuTemplate: 'templates/in',
	resultTemplate: 'templates/out',
	batch: 12,
	rscFpopsEst: 1.44e13,
	rscFpopsBound: 8.64e19,
	rscMemoryBound: 1e9,
	rscDiskBound: 2e9,
	delayBound: 604_800,
	minQuorum: 1,
	targetNresults: 1,
	maxErrorResults: 3,
	maxTotalResults: 5,
	maxSuccessResults: 2,
};

describe('the command line of create_work', () => {
	test('has an option for everything that is set, and no other', () => {
		const words = createWorkArguments(OPTIONS);
		expect(words).toEqual([
			...['--appname', 'app', '--wu_template', 'templates/in', '--result_template', 'templates/out', '--batch', '12'],
			...['--min_quorum', '1', '--target_nresults', '1', '--max_error_results', '3', '--max_total_results', '5'],
			...['--max_success_results', '2', '--rsc_fpops_est', '14400000000000', '--rsc_fpops_bound', '86400000000000000000'],
			...['--rsc_memory_bound', '1000000000', '--rsc_disk_bound', '2000000000', '--delay_bound', '604800'],
		]);
	});

	test('reaches the rest of what create_work can do', () => {
		const words = createWorkArguments({
			...OPTIONS,
			priority: -3,
			credit: 2.5,
			appVersionNum: 103,
			hrClass: 2,
			sizeClass: 1,
			keywords: [3, 4],
			subAppname: 'Part (1)',
			target: { kind: 'user', id: 7 },
		}).join(' ');
		for (const option of [
			'--priority -3',
			'--credit 2.5',
			'--app_version_num 103',
			'--hr_class 2',
			'--size_class 1',
			'--keywords 3 4',
			'--sub_appname Part (1)',
			'--target_user 7',
		]) {
			expect(words).toContain(option);
		}
		expect(createWorkArguments({ ...OPTIONS, broadcast: { kind: 'all' } })).toContain('--broadcast');
		expect(createWorkArguments({ ...OPTIONS, broadcast: { kind: 'team', id: 3 } }).join(' ')).toContain('--broadcast_team 3');
	});

	test.each([
		[{ subAppname: "it's" }],
		[{ rscDiskBound: Number.NaN }],
		[{ target: { kind: 'host' as const, id: 0 } }],
		[{ target: { kind: 'host' as const, id: 1 }, broadcast: { kind: 'all' as const } }],
		[{ keywords: Array.from({ length: 100 }, (_, index) => 1000 + index) }],
	])('%j is refused', (changes) => {
		expect(() => createWorkArguments({ ...OPTIONS, ...changes })).toThrow(expect.objectContaining({ code: 'job-invalid' }));
	});

	test('a line that the program would cut is refused', () => {
		expect(workLine({ name: 'n', files: ['a', 'b'] })).toBe('--wu_name n a b');
		expect(() => workLine({ name: 'n', files: Array.from({ length: 99 }, () => 'x') })).toThrow('too many inputs');
		expect(() => workLine({ name: 'n', files: Array.from({ length: 50 }, () => 'x'.repeat(100)) })).toThrow('too many inputs');
	});
});

describe('jobs in chunks', () => {
	const jobs = Array.from({ length: 1201 }, (_, index) => ({
		command: [String(index)],
		inputs: [input('a', 'x'.repeat(index % 2))],
	}));
	const spec = sampleBatch({ jobs });
	const chunks = [...chunksOf(spec, planBatch(spec, CONFIG), 34)];

	test('are all there once, in order, with their files', () => {
		expect(chunks.map(({ lines }) => lines.length)).toEqual([500, 500, 201]);
		const lines = chunks.flatMap((chunk) => chunk.lines);
		expect(lines[0]).toEqual({ name: 'b2d_34_000000', files: [chunks[0]!.table.name, input('', '').file.name] });
		expect(lines[1200]!.name).toBe('b2d_34_001200');
		expect(new Set(lines.map(({ name }) => name)).size).toBe(1201);
		expect(new Set(chunks.map(({ table }) => table.name)).size).toBe(3);
	});

	test('are smaller when jobs are big', () => {
		const big = sampleBatch({ jobs: Array.from({ length: 30 }, () => ({ command: ['x'.repeat(100_000)] })) });
		const sizes = [...chunksOf(big, planBatch(big, CONFIG), 1)].map(({ table }) => table.content.size);
		expect(sizes.length).toBe(3);
		expect(Math.max(...sizes)).toBeLessThan(1.1e6);
	});
});

test('ranges to cancel have no gaps', () => {
	expect(rangesOf([])).toEqual([]);
	expect(rangesOf([4, 5, 6, 8, 10, 11])).toEqual([
		[4, 6],
		[8, 8],
		[10, 11],
	]);
});

describe('resources', () => {
	const SIZES = { packBytes: 50e6, inputBytes: 10e6 };

	test('what is not given is computed and explained', () => {
		const { resources, notes, warnings } = defaultResources(SIZES);
		expect(resources).toEqual({
			memoryBytes: 1e9,
			diskBytes: 60e6 + 3 * 2 ** 27 + 100e6,
			expectedSeconds: 3600,
			limitSeconds: 86_400,
			delayBoundSeconds: 604_800,
			maxOutputBytes: 2 ** 27,
		});
		expect(notes.map((note) => note.split(':')[0])).toEqual(['Memory', 'Disk', 'Time']);
		expect(warnings).toEqual([]);
	});

	test('what is given stays, and warns when it may be too low', () => {
		const given = {
			memoryBytes: 1e9,
			diskBytes: 100e6,
			expectedSeconds: 1e6,
			limitSeconds: 10,
			delayBoundSeconds: 1000,
			maxOutputBytes: 1e6,
		};
		const { resources, notes, warnings } = defaultResources(SIZES, given);
		expect(resources).toEqual(given);
		expect(notes).toEqual([]);
		expect(warnings.map((text) => text.slice(0, 20))).toEqual([
			'100 MB of disk are l',
			'The time limit of 10',
			'Hosts must return a ',
		]);
	});

	test('a long job gets time to run and to return', () => {
		const { resources } = defaultResources(SIZES, { expectedSeconds: 1e6 });
		expect(resources.limitSeconds).toBe(1e7);
		expect(resources.delayBoundSeconds).toBe(2e7);
	});

	test('BOINC’s own time limit is never below its trap of 120 seconds, nor the runner’s, even at the highest speed that BOINC believes', () => {
		const { resources } = defaultResources(SIZES, { limitSeconds: 5 });
		const { rscFpopsBound, rscFpopsEst } = boincBounds(resources);
		expect(boincBounds(resources, undefined, { cpus: 4 })).toMatchObject({
			rscFpopsBound,
			rscFpopsEst: 4 * rscFpopsEst,
		});
		expect(rscFpopsBound / 1e15).toBeGreaterThan(120);
		expect(rscFpopsEst).toBe(5 * 4e9);
	});

	test('a job with a GPU needs operations for the ten cores that BOINC takes a GPU for, beside its own', () => {
		const { resources } = defaultResources(SIZES, { expectedSeconds: 10 * 3600 });
		const { rscFpopsEst, delayBound } = boincBounds(resources, undefined, { cpus: 2, gpu: { type: 'nvidia' } });
		const ordinaryHost = 4e9 * (2 + 10);
		expect(rscFpopsEst / ordinaryHost).toBe(10 * 3600);
		// An old host may still return it in time.
		expect(rscFpopsEst / (1e9 * (2 + 10))).toBeLessThan(delayBound);
	});
});
