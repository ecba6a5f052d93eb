import { expect, test } from 'vitest';

import {
	commandWords,
	daemonApp,
	daemonLog,
	daemonPidFile,
	daemonProgram,
	daemonRole,
} from '../../../src/project/daemonCommand.js';
import type { DaemonEntry } from '../../../src/project/types.js';

test('splits commands as Python’s shlex does', () => {
	expect(commandWords(`script_validator --init_script "chk --strict" 'it is' a\\ b  x"y z"w`)).toEqual([
		'script_validator',
		'--init_script',
		'chk --strict',
		'it is',
		'a b',
		'xy zw',
	]);
	expect(commandWords('')).toEqual([]);
});

test.each([
	['sample_trivial_validator --app mysci -d 3', 'mysci', 'validator'],
	['../bin/script_assimilator -app mysci --script "collect"', 'mysci', 'assimilator'],
	['batch_collect_assimilate.py --app=mysci', 'mysci', 'assimilator'],
	['feeder -d 3 --allapps', undefined, undefined],
	['my_validator', undefined, 'validator'],
])('%s serves %s as %s', (command, app, role) => {
	expect(daemonApp(command)).toBe(app);
	expect(daemonRole(command)).toBe(role);
});

test('knows log and pid file by the rule of bin/start', () => {
	const entry = { command: '/opt/x/feeder -d 3', output: undefined, pidFile: undefined, disabled: false } satisfies DaemonEntry;
	expect(daemonProgram(entry.command)).toBe('feeder');
	expect(daemonLog(entry)).toBe('feeder.log');
	expect(daemonPidFile(entry)).toBe('feeder.pid');
	expect(daemonLog({ ...entry, output: 'x.log' })).toBe('x.log');
	expect(daemonPidFile({ ...entry, pidFile: 'x.pid' })).toBe('x.pid');
});
