import { describe, expect, it } from 'vitest';

import type { Explanation } from '../../../src/monitor/explain/explanation.js';
import { explainedLines } from '../../../src/terminal/commands/explain.js';

const NOTHING_WAITS: Explanation = { kind: 'nothing-waits', level: 'info', numbers: {}, sentence: 'Nothing waits.' };
const NOTHING_FAILED: Explanation = { kind: 'nothing-failed', level: 'info', numbers: {}, sentence: 'Nothing has failed.' };
const FAILED: Explanation = {
	kind: 'program-failed',
	level: 'error',
	numbers: {},
	sentence: '1 instance ended with exit code 7.',
	examples: [{ instanceId: 1, name: 'b2d_4_000002_1', hostId: 3, line: 'oops' }],
};

describe('an explanation in the terminal', () => {
	it('asks nothing of a batch that went well', () => {
		expect(explainedLines({ waiting: [NOTHING_WAITS], failure: [NOTHING_FAILED] })).toEqual([
			'· Nothing waits.',
			'',
			'· Nothing has failed.',
		]);
	});

	it('names the commands that go on from a failure', () => {
		expect(explainedLines({ waiting: [NOTHING_WAITS], failure: [FAILED] }).slice(2)).toEqual([
			'Why did it fail?',
			'✗ 1 instance ended with exit code 7.',
			'    b2d_4_000002_1 on host 3: oops',
			'',
			'The log of an instance:      boinc2docker log b2d_4_000002_1',
			'Run its job here:            boinc2docker reproduce b2d_4_000002',
			'Try the failed jobs again:   boinc2docker retry 4',
		]);
	});

	it('offers no retry while no job has failed, and keeps the question why others wait', () => {
		const waiting: Explanation[] = [{ ...NOTHING_WAITS, kind: 'no-host', sentence: 'No host.' }];
		const lines = explainedLines({ waiting, failure: [{ ...FAILED, level: 'warning' }] });
		expect(lines[0]).toBe('Why is this not running?');
		expect(lines.at(-1)).toContain('reproduce');
	});
});
