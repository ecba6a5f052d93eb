import { describe, expect, it } from 'vitest';

import { buildFailure, failedBuild } from '../../../src/image/engine/buildFailure.js';

const DOCKERFILE = `# a comment
FROM scratch AS base
COPY a b

RUN echo one && \\
    # inside
    echo two
FROM base
RUN false
`;

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

// Recorded outputs, shortened.
describe('a failed build is understood', () => {
	it.each<[string, string, { step?: string; line?: number; reason: string }]>([
		[
			'Docker 20.10, classic builder',
			`Sending build context to Docker daemon  3.072kB
Step 1/5 : FROM scratch AS base
 --->
Step 3/5 : RUN echo one &&     echo two
 ---> Running in 0123456789ab
one
The command '/bin/sh -c echo one &&     echo two' returned a non-zero code: 127`,
			{
				step: 'RUN echo one &&     echo two',
				line: 5,
				reason: "The command '/bin/sh -c echo one &&     echo two' returned a non-zero code: 127",
			},
		],
		[
			'Docker 20.10, BuildKit',
			`#7 [base 2/2] COPY a b
#8 [stage-1 1/1] RUN false
#8 sha256:0123
#8 ERROR: executor failed running [/bin/sh -c false]: exit code: 1
------
 > [stage-1 1/1] RUN false:
------
executor failed running [/bin/sh -c false]: exit code: 1`,
			{ step: 'RUN false', line: 9, reason: 'executor failed running [/bin/sh -c false]: exit code: 1' },
		],
		[
			'Docker 28, buildx',
			`#5 [base 2/2] COPY a b
#5 ERROR: failed to calculate checksum of ref: "/a": not found
------
 > [base 2/2] COPY a b:
------
Dockerfile:3
--------------------
   1 |     # a comment
   2 |     FROM scratch AS base
   3 | >>> COPY a b
--------------------
ERROR: failed to solve: failed to compute cache key: "/a": not found`,
			{ step: 'COPY a b', line: 3, reason: 'ERROR: failed to solve: failed to compute cache key: "/a": not found' },
		],
		[
			'Podman 4.3',
			`[1/2] STEP 1/3: FROM scratch AS base
[1/2] STEP 2/3: COPY a b
--> 0123456789a
[2/2] STEP 2/2: RUN false
Error: building at STEP "RUN false": while running runtime: exit status 1`,
			{ step: 'RUN false', line: 9, reason: 'Error: building at STEP "RUN false": while running runtime: exit status 1' },
		],
		[
			'a mistake in the Dockerfile, Docker',
			'Error response from daemon: dockerfile parse error line 4: unknown instruction: FORM',
			{ line: 4, reason: 'Error response from daemon: dockerfile parse error line 4: unknown instruction: FORM' },
		],
		[
			'a mistake in the Dockerfile, buildx',
			`Dockerfile:4
--------------------
   4 | >>> FORM x
--------------------
ERROR: failed to solve: dockerfile parse error on line 4: unknown instruction: FORM (did you mean FROM?)`,
			{
				line: 4,
				reason: 'ERROR: failed to solve: dockerfile parse error on line 4: unknown instruction: FORM (did you mean FROM?)',
			},
		],
	])('%s', (_, output, expected) => {
		expect(buildFailure(lines(output), DOCKERFILE)).toEqual({ step: undefined, line: undefined, ...expected });
	});

	it('of an instruction in the form of a list, which Podman prints as words', () => {
		const output = [
			"STEP 2/2: RUN /bin/app it's 1",
			'Error: building at STEP "RUN /bin/app it\'s 1": while running runtime: exit status 1',
		];
		expect(buildFailure(output, 'FROM scratch\n\nRUN ["/bin/app", \\\n  "it\'s", "1"]\n')).toMatchObject({ line: 3 });
	});

	it('and says what is missing when a step is for another processor', () => {
		const said = ['STEP 2/2: RUN make', 'exec container process `/bin/sh`: Exec format error'];
		const { detail, remedy } = failedBuild(said, DOCKERFILE, '/a/Dockerfile', 1);
		expect(detail.advice).toContain('qemu-user-static');
		expect(remedy).toContain('another kind of processor');
		expect(failedBuild(['no'], DOCKERFILE, '/a/Dockerfile', 1).detail.advice).toBeUndefined();
	});

	it('of a word that is no instruction, without what Podman prints of its inside', () => {
		const step = '&imagebuilder.Step{Env:[]string{"PATH=/bin"}, Command:"coppy", Original:"COPPY a b"}';
		const said = [
			'STEP 1/2: FROM scratch',
			'STEP 2/2: COPPY a b',
			`time="2026-01-01T00:00:00Z" level=error msg="+(UNHANDLED LOGLEVEL) ${step.replaceAll('"', '\\"')}"`,
			`Error: building at STEP "COPPY ": Build error: Unknown instruction: "COPPY" ${step}`,
		];
		const error = failedBuild(said, 'FROM scratch\n\nCOPPY a b\n', '/a/Dockerfile', 125);
		expect(error.message).toBe('The image could not be built (/a/Dockerfile, line 3): unknown instruction COPPY');
		expect(`${error.remedy ?? ''} ${String(error.detail.output)}`).not.toContain('imagebuilder');
	});

	it.each([
		'Error: creating build container: pinging container registry registry.example: Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host',
		'Error response from daemon: Get "https://registry.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded)',
		'ERROR: failed to solve: x: failed to do request: Head "https://registry.example/v2/x/manifests/1": dial tcp 192.0.2.1:443: connect: connection refused',
	])('and the registry is named where it cannot be reached, the reason once: %s', (line) => {
		const { message, remedy } = failedBuild(['STEP 1/2: FROM x', line], 'FROM x\n', '/a/Dockerfile', 125);
		expect(remedy).toBe(
			'The registry of the base image cannot be reached: check the network or the proxy, or load the base image into the engine first. The last lines of the build:\nSTEP 1/2: FROM x',
		);
		expect(message).toContain(line);
	});

	it('even when nothing is recognised', () => {
		expect(buildFailure([], DOCKERFILE)).toEqual({ step: undefined, line: undefined, reason: undefined });
		expect(buildFailure(['what?'], DOCKERFILE)).toEqual({ step: undefined, line: undefined, reason: 'what?' });
	});
});
