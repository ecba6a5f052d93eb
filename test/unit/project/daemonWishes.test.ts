import { expect, test } from 'vitest';

import { planDaemons } from '../../../src/project/install/daemonWishes.js';
import type { InstallSpec } from '../../../src/project/install/spec.js';
import type { DaemonEntry } from '../../../src/project/types.js';

const SPEC: InstallSpec = { app: 'mysci', friendlyName: 'x', wrappers: [], busybox: [], runner: {} as InstallSpec['runner'] };

/** The entries of `config.xml` after a plan was carried out. */
const entries = (spec: InstallSpec): DaemonEntry[] =>
	planDaemons(spec, []).wishes.map(({ command, output, pidFile }) => ({ command, output, pidFile, disabled: false }));

test('an app gets a validator and our collector, once', () => {
	const { wishes, programs, collects, warnings } = planDaemons(SPEC, []);
	expect(wishes.map(({ command }) => command)).toEqual([
		'sample_trivial_validator --app mysci -d 3',
		'script_assimilator --app mysci -d 3 --script b2d_assimilate_mysci',
	]);
	// Our own script is not there yet: it is a part of the plan.
	expect([programs, collects, warnings]).toEqual([['sample_trivial_validator', 'script_assimilator'], true, []]);
	expect(planDaemons(SPEC, entries(SPEC))).toMatchObject({ wishes: [], collects: true });
});

test('scripts of one’s own are called by their names, and must be there', () => {
	const own = { ...SPEC, validator: { initScript: 'check', compareScript: 'same' }, assimilator: { script: 'keep' } } as const;
	const { wishes, programs, collects, warnings } = planDaemons(own, []);
	expect(wishes.map(({ command }) => command)).toEqual([
		'script_validator --app mysci -d 3 --init_script check --compare_script same',
		'script_assimilator --app mysci -d 3 --script keep',
	]);
	expect(programs).toEqual(['script_validator', 'script_assimilator', 'check', 'same', 'keep']);
	expect(collects).toBe(false);
	expect(warnings.join()).toContain('not ours');
});

test('a script of one’s own takes the place of our collector, and stays when nothing is said', () => {
	const own = { ...SPEC, assimilator: { script: 'keep' } } as const;
	expect(planDaemons(own, entries(SPEC))).toMatchObject({
		wishes: [{ command: 'script_assimilator --app mysci -d 3 --script keep', output: 'assimilator_mysci.log' }],
		collects: false,
	});
	expect(planDaemons(SPEC, entries(own)).wishes).toEqual([]);
	expect(planDaemons({ ...SPEC, assimilator: 'collect' }, entries(own)).collects).toBe(true);
});

test('without a daemon somebody is told what that means', () => {
	const { wishes, warnings } = planDaemons({ ...SPEC, validator: 'none', assimilator: 'none' }, []);
	expect(wishes).toEqual([]);
	expect(warnings).toHaveLength(2);
});
