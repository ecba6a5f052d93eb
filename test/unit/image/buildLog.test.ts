import { describe, expect, it } from 'vitest';

import { BuildLog } from '../../../src/image/build/buildLog.js';

const PODMAN = `STEP 1/3: FROM scratch
STEP 2/3: COPY busybox /bin/busybox
--> Using cache 0a1b2c3d4e5f6071829304152637485960718293041526374859607182930415
--> 0a1b2c3d4e5
STEP 3/3: RUN make
cc -c a.c
STEP 9/9: printed by the program
COMMIT analysis
--> 1111aaaa222
Successfully tagged localhost/analysis:latest
1111aaaa22220a1b2c3d4e5f6071829304152637485960718293041526374859`;
const CLASSIC = `Step 1/2 : FROM debian:12
 ---> 4ab4c602aa5e
Step 2/2 : RUN make
 ---> Running in 0a1b2c3d4e5f
building
Removing intermediate container 0a1b2c3d4e5f
 ---> 1111aaaa2222
Successfully built 1111aaaa2222`;
const BUILDKIT = `#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 120B done
#1 DONE 0.0s
#5 [build 1/2] FROM docker.io/library/debian:12
#5 CACHED
#6 [build 2/2] RUN make
#7 [stage-1 2/2] RUN sleep 1
#6 0.234 cc -c a.c
#6 1.5 make: *** [all] Error 1
#6 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
#7 CANCELED
------
 > [build 2/2] RUN make:`;

function logOf(text: string, end: 'done' | 'failed' | 'cancelled' = 'done'): BuildLog {
	let time = 0;
	const log = new BuildLog(() => (time += 10));
	for (const line of text.split('\n')) {
		log.add(line);
	}
	log.finish(end);
	return log;
}
const brief = (log: BuildLog): string[] =>
	log.steps.map(({ title, state, lines }) => `${state}: ${title}${lines.length > 0 ? ` | ${lines.join(' / ')}` : ''}`);

describe('the steps of a build', () => {
	it('are read from Podman', () => {
		expect(brief(logOf(PODMAN))).toEqual([
			'done: FROM scratch',
			'cached: COPY busybox /bin/busybox',
			'done: RUN make | cc -c a.c / STEP 9/9: printed by the program',
			'done: COMMIT analysis',
		]);
	});

	it('are read from Docker’s classic builder', () => {
		expect(brief(logOf(CLASSIC))).toEqual(['done: FROM debian:12', 'done: RUN make | building']);
	});

	it('are read from BuildKit, which does several at a time', () => {
		expect(brief(logOf(BUILDKIT, 'failed'))).toEqual([
			'done: [internal] load build definition from Dockerfile | transferring dockerfile: 120B done',
			'cached: FROM docker.io/library/debian:12',
			expect.stringContaining('failed: RUN make | cc -c a.c / make: *** [all] Error 1 / #6 ERROR: process'),
			'cancelled: RUN sleep 1',
		]);
	});

	it.each([
		['[1/2] STEP 1/1: FROM scratch AS a\n[2/2] STEP 1/1: FROM scratch\nError: building at STEP "FROM scratch": no', 'failed'],
		['STEP 1/2: FROM scratch\nSTEP 2/2: RUN false', 'failed'],
	] as const)('end with the build: %#', (text, state) => {
		const { steps } = logOf(text, state);
		expect(steps.map((step) => step.state)).toEqual(['done', 'failed']);
	});

	it('have the times of their beginning and end', () => {
		const [first] = logOf(CLASSIC).steps;
		expect(first).toMatchObject({ startedAt: 10, endedAt: expect.any(Number) });
	});
});

describe('what a program prints', () => {
	it('is shown without colours and control characters', () => {
		const { steps } = logOf('STEP 1/1: RUN x\n\u001b[31mred\u001b[0m \u001b]0;title\u0007\u0000\u0008<script>');
		expect(steps[0]?.lines).toEqual(['red \u2400\u2408<script>']);
	});

	it('takes bounded memory, however much it is', () => {
		const log = new BuildLog(() => 0);
		log.add('STEP 1/2: RUN yes');
		const line = 'y'.repeat(5000);
		for (let i = 0; i < 20_000; i++) {
			log.add(`${String(i)} ${line}`); // 100 MB
		}
		log.add('STEP 2/2: RUN true');
		expect(log.steps).toHaveLength(2);
		expect(log.steps[0]?.lines).toHaveLength(200);
		expect(log.steps[0]?.dropped).toBe(19_800);
		expect(log.steps[0]?.lines.at(-1)).toMatch(/^19999 y{900,994}$/);
	});

	it('cannot make steps without end', () => {
		const log = new BuildLog(() => 0);
		for (let i = 1; i < 5000; i++) {
			log.add(`#${String(i)} [internal] forged`);
			log.add(`#${String(i)} 1.0 ${'x'.repeat(900)}`);
		}
		expect(log.steps.length).toBeLessThanOrEqual(300);
		expect(JSON.stringify(log.steps).length).toBeLessThan(2_200_000);
	});
});
