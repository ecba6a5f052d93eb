import { describe, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { troubleshoot } from '../../../src/common/troubleshooting.js';

describe('advice about errors', () => {
	it('takes message and remedy of our own errors', () => {
		const error = new BoincError(
			'authentication-failed',
			'Could not log in to example.org as boincadm: the server refused 2 keys.',
			{
				remedy: 'Choose another key.',
			},
		);
		expect(troubleshoot(error)).toEqual({
			summary: 'Could not log in to example.org as boincadm: the server refused 2 keys.',
			tip: 'Choose another key.',
			actions: ['choose-key', 'try-again'],
		});
	});

	it('knows what to do where the error does not say it', () => {
		expect(troubleshoot(new BoincError('app-missing', 'proj has no app')).tip).toMatch(/Install the app/);
		expect(troubleshoot(new BoincError('app-missing', 'proj has no app')).actions).toEqual(['install-app']);
	});

	it.each([
		[
			'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
			/Start Docker/,
			'choose-engine',
		],
		[
			'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock',
			/group “docker”/,
			'choose-engine',
		],
		['ENOSPC: no space left on device, write', /Make room on this computer/, 'try-again'],
		["EACCES: permission denied, open '/x/y'", /permissions/, 'try-again'],
		['connect ECONNREFUSED 127.0.0.1:22', /network/, 'try-again'],
		["Cannot read properties of undefined (reading 'x')", /unexpected/, 'copy-diagnostics'],
	])('explains “%s”', (text, tip, action) => {
		const advice = troubleshoot(new Error(text));
		expect(advice.tip).toMatch(tip);
		expect(advice.actions).toContain(action);
	});

	it('finds the reason in the text of an engine that failed', () => {
		const error = new BoincError(
			'build-failed',
			'The build failed: Cannot connect to the Docker daemon. Is the docker daemon running?',
		);
		expect(troubleshoot(error).actions).toContain('choose-engine');
	});

	it.each([
		['no full stop', 'no full stop.'],
		['Error: with a prefix', 'with a prefix.'],
		['A question?', 'A question?'],
		['', 'Something failed without saying why.'],
	])('makes a sentence of “%s”', (text, sentence) => {
		expect(troubleshoot(new Error(text)).summary).toBe(sentence);
	});

	it('offers at most two actions', () => {
		for (const code of ['engine-missing', 'engine-failed', 'authentication-failed', 'server-unreachable'] as const) {
			expect(troubleshoot(new BoincError(code, 'x')).actions.length).toBeLessThanOrEqual(2);
		}
	});
});
