import { expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { instanceLog, parseStderr } from '../../../src/monitor/instanceLog.js';

const RAW = `<core_client_version>8.3.0</core_client_version>
<![CDATA[
<message>
process exited with code 3 (0x3, -253)</message>
<stderr_txt>
docker_wrapper 22
running docker command: build
stderr from container:
hello &lt;world&gt;
boom
stderr end
container finished
</stderr_txt>
]]>`;

it('cuts wrapper and container apart', () => {
	expect(parseStderr(RAW)).toEqual({
		text: RAW,
		message: 'process exited with code 3 (0x3, -253)',
		wrapper: 'docker_wrapper 22\nrunning docker command: build\ncontainer finished',
		container: 'hello <world>\nboom',
	});
});

it('takes everything as the wrapper’s without the marks', () => {
	expect(parseStderr('<stderr_txt>\nno engine\n</stderr_txt>')).toMatchObject({
		wrapper: 'no engine',
		container: '',
		message: '',
	});
	expect(parseStderr('plain')).toMatchObject({ wrapper: 'plain' });
});

it('finds what a virtual machine said', () => {
	const before =
		'2026-02-11 12:00:00 (4711): vboxwrapper version 26212\n2026-02-11 12:05:00 (4711): VM Completion File Detected.\n';
	const said = 'hello.\nboinc2docker: The program ended with exit code 3.';
	const marked = `${before}2026-02-11 12:05:00 (4711): VM Completion Message: ${said}\n.\n`;
	const after = '2026-02-11 12:05:01 (4711): Powering off VM.\n';
	expect(parseStderr(`<stderr_txt>\n${marked}${after}</stderr_txt>`)).toMatchObject({
		wrapper: `${before}${after}`.trim(),
		container: said,
	});
	expect(parseStderr(`<stderr_txt>\n${marked}</stderr_txt>`)).toMatchObject({ wrapper: before.trim(), container: said });
});

it('keeps what follows when the end mark was cut off', () => {
	expect(parseStderr('stderr from container:\nlast words')).toMatchObject({ wrapper: '', container: 'last words' });
});

it('reads bytes that are not UTF-8', async () => {
	const log = await instanceLog({ select: () => Promise.resolve([{ stderr_out: Buffer.from([0x61, 0xff, 0x62]) }]) }, 1);
	expect(log.wrapper).toBe('a\\xFFb');
});

it('says when the instance is gone', async () => {
	const error = await instanceLog({ select: () => Promise.resolve([]) }, 5).catch((e: unknown) => e);
	expect(BoincError.is(error, 'result-missing')).toBe(true);
});
