import { describe, expect, it } from 'vitest';

import type { ProgramEntry, ProjectSettings } from '../../../src/sandbox/projectSettings.js';
import { programsOf, splitCommand } from '../../../src/sandbox/tools/programs.js';
import { periodSeconds } from '../../../src/sandbox/tools/tasks.js';

describe('commands in config.xml', () => {
	it.each([
		['feeder -d 3 ', ['feeder', '-d', '3']],
		['script_validator --init_script "chk files"', ['script_validator', '--init_script', 'chk files']],
		[`a'b c'd "e 'f'" g\\ h`, ['ab cd', "e 'f'", 'g h']],
		[`'' "a\\"b" "c\\d"`, ['', 'a"b', 'c\\d']],
		['echo $HOME > x', ['echo', '$HOME', '>', 'x']],
	])('%j is split as Python does', (command, words) => {
		expect(splitCommand(command)).toEqual(words);
	});

	const entry: ProgramEntry = {
		command: 'feeder -d 3',
		host: undefined,
		disabled: false,
		output: undefined,
		pidFile: undefined,
		lockFile: undefined,
		useShell: false,
		period: undefined,
	};
	const names = (entries: readonly ProgramEntry[], host = 'here', suffix: '.log' | '.out' = '.log') => {
		const settings = { host: 'here', logDir: '/p/log', pidDir: '/p/pid' } as ProjectSettings;
		return programsOf(settings, entries, host, suffix).map(({ number, log, pidFile, lockFile }) => [
			number,
			log,
			pidFile,
			lockFile,
		]);
	};

	it('give each program its log, pid and lock file', () => {
		expect(names([entry])).toEqual([[1, '/p/log/feeder.log', '/p/pid/feeder.pid', '/p/pid/feeder.lock']]);
		expect(names([{ ...entry, output: 'validator_x.log', pidFile: 'validator_x.pid' }])).toEqual([
			[1, '/p/log/validator_x.log', '/p/pid/validator_x.pid', '/p/pid/validator_x.log.lock'],
		]);
		expect(names([{ ...entry, command: 'run_in_ops ./update_uotd.php' }], 'here', '.out')).toEqual([
			[1, '/p/log/update_uotd.out', '/p/pid/update_uotd.pid', '/p/pid/update_uotd.lock'],
		]);
	});

	it('belong to one host', () => {
		expect(names([{ ...entry, host: 'there' }, entry])).toHaveLength(1);
		expect(names([{ ...entry, host: 'there' }, entry], 'elsewhere')).toEqual([]);
	});

	it.each([
		['24 hours', 86_400],
		['1 days', 86_400],
		['5 min', 300],
		['7', 420],
		['1 month', 60],
	])('a period of %s', (period, seconds) => {
		expect(periodSeconds(period)).toBe(seconds);
	});
});
